// Who this visitor's users are: a random suffix in the address, so that a reload is the same visit.

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 16;

/** 36 letters, 16 places: nobody guesses another's. */
function freshSuffix() {
  let text = '';
  while (text.length < LENGTH) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    // 252 is the largest multiple of 36 in a byte: no letter is likelier than another.
    if (byte < 252) text += LETTERS[byte % LETTERS.length];
  }
  return text;
}

/** The suffix in the address; without one, or with a bad one, a new one is put there. */
export function suffix() {
  const found = /^#([a-z0-9]{10,32})$/.exec(location.hash)?.[1];
  if (found) return found;
  startAfresh();
  return location.hash.slice(1);
}

/** New users. The earlier ones stay reachable at their address. */
export function startAfresh() {
  history.pushState(null, '', `#${freshSuffix()}`);
}

/** Visits of which this browser keeps what their devices stored; Web Storage is small. */
const MOST = 8;
const VISITS = 'chatsync-demo/visits';
const keyOf = (users) => `chatsync-demo/${users}`;

/** What the page itself keeps of a visit: which devices are unplugged, and that it was furnished. */
export class Visit {
  #key;
  #kept;

  constructor(users) {
    this.#key = keyOf(users);
    this.#kept = JSON.parse(localStorage.getItem(this.#key) ?? '{}');
    this.#forgetOthers(users);
  }

  /** Those longest ago. Their server's side stays; who comes back to one starts from that. */
  #forgetOthers(users) {
    const earlier = JSON.parse(localStorage.getItem(VISITS) ?? '[]').filter((one) => one !== users);
    const visits = [users, ...earlier];
    for (const forgotten of visits.slice(MOST)) {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(keyOf(forgotten)));
      for (const key of keys) localStorage.removeItem(key);
    }
    localStorage.setItem(VISITS, JSON.stringify(visits.slice(0, MOST)));
  }

  get isFurnished() {
    return this.#kept.isFurnished === true;
  }

  get unplugged() {
    return this.#kept.unplugged ?? [];
  }

  furnished() {
    this.#keep({ isFurnished: true });
  }

  plugged(device, isPlugged) {
    const others = this.unplugged.filter((one) => one !== device);
    this.#keep({ unplugged: isPlugged ? others : [...others, device] });
  }

  #keep(change) {
    this.#kept = { ...this.#kept, ...change };
    localStorage.setItem(this.#key, JSON.stringify(this.#kept));
  }
}
