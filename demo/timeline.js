// What happened, and when each device had followed. No page in here.
//
// An event has a mark for each device that is to follow. A mark's kind:
//   pending    it is online and has not changed yet
//   followed   its list had changed `ms` after the click
//   wait       it is offline, and will be told when it is back
//   caughtUp   it was offline, and had it `ms` after the click that brought it back
//   kept       the switch is off: it keeps what was deleted
//   unheard    likewise, and it is offline
//   queued     the device that acts is offline itself
//   overtaken  something else came first

/** Kinds that are not the last word. */
const OPEN = new Set(['pending', 'wait', 'queued']);
/** Most that are kept. */
const MOST = 100;

/** Events: `change`. */
export class Timeline extends EventTarget {
  /** Newest first. */
  events = [];
  #number = 0;
  /** When the cable of each device was put back, by its key. */
  #back = new Map();

  /**
   * @param {{kind: string, actor?: Device, ids?: string[], [more: string]: any}} what
   * @param {Device[]} [followers] who is to follow
   * @param {(device: Device) => boolean} [isThere] whether a device has
   */
  record(what, followers = [], isThere = () => false) {
    if (what.kind !== 'quit') this.#overtake(what.ids ?? []);
    this.#number += 1;
    const event = { ids: [], ...what, number: this.#number, at: new Date(), since: performance.now(), isThere,
      marks: new Map() };
    for (const device of followers) {
      // A device that shows it already has nothing to follow.
      if (device.isOnline && isThere(device)) continue;
      event.marks.set(device, { kind: this.#first(event, device) });
    }
    this.events = [event, ...this.events].slice(0, MOST);
    this.#changed();
    return event;
  }

  #first({ actor, isSynced }, device) {
    if (isSynced === false) return device.isOnline ? 'kept' : 'unheard';
    if (actor && !actor.isPlugged) return 'queued';
    return device.isPlugged ? 'pending' : 'wait';
  }

  /** Looks whether this device has followed by now; called when its list has changed on the page. */
  check(device) {
    const now = performance.now();
    let hasChanged = false;
    for (const event of this.events) {
      const mark = event.marks.get(device);
      if (!mark || !device.isPlugged || !['pending', 'wait'].includes(mark.kind) || !event.isThere(device)) continue;
      const wasAway = mark.kind === 'wait';
      const since = wasAway ? this.#back.get(device.key) : event.since;
      event.marks.set(device, { kind: wasAway ? 'caughtUp' : 'followed', ms: now - (since ?? now) });
      hasChanged = true;
    }
    if (hasChanged) this.#changed();
  }

  /** Its cable was put back. What it did meanwhile goes out now, and is counted from now. */
  plugged(device) {
    const now = performance.now();
    this.#back.set(device.key, now);
    for (const event of this.events.filter(({ actor }) => actor === device)) {
      for (const [follower, { kind }] of event.marks) {
        if (kind !== 'queued') continue;
        event.since = now;
        event.marks.set(follower, { kind: follower.isPlugged ? 'pending' : 'wait' });
      }
    }
    this.#changed();
  }

  /** Its cable was pulled. */
  unplugged(device) {
    for (const event of this.events) {
      if (event.marks.get(device)?.kind === 'pending') event.marks.set(device, { kind: 'wait' });
    }
    this.#changed();
  }

  /** It is online and has all there is; milliseconds since its cable was put back, if it was. */
  caughtUp(device) {
    this.check(device);
    const since = this.#back.get(device.key);
    this.#back.delete(device.key);
    for (const event of this.events) {
      if (event.marks.get(device)?.kind === 'wait') event.marks.set(device, { kind: 'overtaken' });
    }
    this.#changed();
    return since === undefined ? null : performance.now() - since;
  }

  /** The server did not do it. */
  failed(event, error) {
    event.failure = { code: error.code ?? '', message: error.message };
    event.marks.clear();
    this.#changed();
  }

  /** Whether every device that can be heard has been. */
  isSettled(event) {
    return [...event.marks.values()].every(({ kind }) => kind !== 'pending');
  }

  #overtake(ids) {
    for (const event of this.events) {
      const isOfTheList = event.kind === 'delete' || event.kind === 'restore';
      if (!isOfTheList || !event.ids.some((id) => ids.includes(id))) continue;
      for (const [device, { kind }] of event.marks) {
        // A device that is away gets how things are in the end.
        if (OPEN.has(kind) && kind !== 'queued') event.marks.set(device, { kind: 'overtaken' });
      }
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
