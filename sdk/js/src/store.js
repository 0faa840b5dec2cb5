// What a device stores: its list with the cursor that belongs to it, and its kept calls.
//
// The list and the cursor are one item, so that they can't come apart. A call that was answered leaves its item only
// after the list that holds its effect was written: a crash in between makes the call again, and its requestID makes
// that one effect.

/**
 * Web Storage's interface, at once or by promise.
 * @typedef {import('../types/index.d.ts').Storage} Storage
 */

/** Between a change and its writing, in milliseconds: a burst is one write. */
const DELAY = 200;

export class Store {
  #storage;
  #prefix;
  #log;
  /** @type {Promise<void> | null} */
  #writing = null;
  #isListDue = false;
  #areCallsDue = false;
  #isClosed = false;
  #hasFailed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {() => import('./sync.js').Snapshot} */
  #list = () => ({ cursor: null, version: 0, rows: [] });
  /** @type {() => {method: string, params: any}[]} */
  #calls = () => [];

  /** @param {Storage} storage @param {string} prefix @param {import('./log.js').Log} log */
  constructor(storage, prefix, log) {
    this.#storage = storage;
    this.#prefix = prefix;
    this.#log = log;
  }

  /** Reads what an earlier run left. */
  async load() {
    const list = await this.#read('list');
    const calls = await this.#read('calls');
    return {
      /** @type {import('./sync.js').Snapshot | null} */
      snapshot: Array.isArray(list?.rows) ? list : null,
      /** @type {{method: string, params: any}[]} */
      calls: Array.isArray(calls) ? calls : [],
    };
  }

  /**
   * @param {() => import('./sync.js').Snapshot} list
   * @param {() => {method: string, params: any}[]} calls
   */
  follow(list, calls) {
    this.#list = list;
    this.#calls = calls;
  }

  /** The list changed; `answered`: and with it what calls wait. */
  listChanged(answered = false) {
    this.#isListDue = true;
    this.#areCallsDue ||= answered;
    this.#timer ??= setTimeout(() => this.flush(), DELAY);
  }

  /** A call was made: it is written at once. */
  callsChanged() {
    this.#areCallsDue = true;
    this.flush();
  }

  /** Writes what is due; with a storage that is not asynchronous, before this returns. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
    return this.#writing;
  }

  /** Nothing is written any more. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Removes what is stored, and writes nothing any more. */
  async clear() {
    this.close();
    await this.#writing;
    await this.#storage.removeItem(`${this.#prefix}/list`);
    await this.#storage.removeItem(`${this.#prefix}/calls`);
  }

  async #write() {
    while (!this.#isClosed && (this.#isListDue || this.#areCallsDue)) {
      // Read now: what is answered while the list is being written may not leave with this round.
      const calls = this.#areCallsDue ? JSON.stringify(this.#calls()) : null;
      const list = this.#isListDue ? JSON.stringify(this.#list()) : null;
      this.#areCallsDue = this.#isListDue = false;
      if (list !== null) {
        const written = this.#put('list', list);
        if (written) await written;
      }
      if (calls !== null && !this.#isClosed) {
        const written = this.#put('calls', calls);
        if (written) await written;
      }
    }
  }

  /**
   * @param {string} item
   * @param {string} value
   * @returns {Promise<void> | undefined} undefined: it is done
   */
  #put(item, value) {
    /** @param {unknown} error */
    const failed = (error) => {
      // Once: what failed for want of room fails at each change.
      if (!this.#hasFailed) this.#log.error(`${item} could not be stored`, error);
      this.#hasFailed = true;
      // An old list under newer calls would be believed at the next start; without one, all is asked for anew.
      if (item === 'list') return this.#storage.removeItem(`${this.#prefix}/list`);
    };
    try {
      const written = this.#storage.setItem(`${this.#prefix}/${item}`, value);
      return written instanceof Promise ? written.catch(failed) : undefined;
    } catch (error) {
      const removed = failed(error);
      return removed instanceof Promise ? removed : undefined;
    }
  }

  /** @param {string} item */
  async #read(item) {
    const text = await this.#storage.getItem(`${this.#prefix}/${item}`);
    if (text === null || text === undefined) return null;
    try {
      return JSON.parse(text);
    } catch (error) {
      this.#log.error(`${item} in storage is damaged, and is left out`, error);
      return null;
    }
  }
}
