// Calls made and not yet answered. Those that change the account's conversations are *kept*: stored, and sent again
// with the same requestID, after a reconnect or a reload, until the server has answered. Others are given up after
// their time limit.

import { CODE, ChatError } from './errors.js';
import { concerned } from './conversations.js';
import { ceiling } from './backoff.js';

/** Most kept calls that may wait. */
const MOST_KEPT = 1000;

/**
 * @typedef {object} Entry
 * @property {string} method
 * @property {any} params with the requestID where the method takes one
 * @property {boolean} isKept
 * @property {boolean} isSent on this connection
 * @property {boolean} isExpired its promise was rejected, its answer still counts
 * @property {number} failures
 * @property {number} notBefore
 * @property {ReturnType<typeof setTimeout> | undefined} timer
 * @property {(answer: any) => void} resolve
 * @property {(error: ChatError) => void} reject
 */

/** The connection was lost before the answer came: not the call's fault. */
export class Lost extends Error {}

export class Outbox {
  /** @type {Entry[]} */
  #entries = [];
  #isOpen = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #does;

  /**
   * @param {object} does
   * @param {(method: string, params: any) => Promise<any>} does.send rejects with `Lost` or what the server said
   * @param {(method: string, params: any, answer: any) => void} does.answered
   * @param {(error: ChatError, method: string) => void} does.failed a call without anybody who waits for it
   * @param {() => void} does.changed what waits is not what waited before
   */
  constructor(does) {
    this.#does = does;
  }

  /** What is kept, as it is stored. */
  kept() {
    return this.#entries.filter(({ isKept }) => isKept).map(({ method, params }) => ({ method, params }));
  }

  /** Takes what an earlier run left. @param {{method: string, params: any}[]} calls */
  load(calls) {
    for (const { method, params } of calls) {
      this.#push(method, params, true, () => {}, (error) => this.#does.failed(error, method));
    }
  }

  /**
   * @param {string} method
   * @param {any} params
   * @param {{isKept: boolean, timeout: number}} how `timeout` in milliseconds, for what is not kept
   * @returns {Promise<any>}
   */
  add(method, params, { isKept, timeout }) {
    if (isKept && this.#entries.filter((entry) => entry.isKept).length >= MOST_KEPT) {
      return Promise.reject(new ChatError(CODE.OVER_FREQUENCY_LIMIT, `more than ${MOST_KEPT} calls wait`));
    }
    return new Promise((resolve, reject) => {
      const entry = this.#push(method, params, isKept, resolve, reject);
      if (isKept) this.#does.changed();
      else entry.timer = setTimeout(() => this.#expire(entry), timeout);
      this.#flush();
    });
  }

  /** Logged in: what waits can go. */
  open() {
    this.#isOpen = true;
    this.#flush();
  }

  /** The connection is gone; what was on its way is to go again. */
  close() {
    this.#isOpen = false;
    clearTimeout(this.#retry);
    for (const entry of this.#entries) entry.isSent = false;
  }

  /** Rejects all that wait, for good. @param {(isKept: boolean) => ChatError} why */
  end(why) {
    this.close();
    for (const entry of this.#entries.splice(0)) {
      clearTimeout(entry.timer);
      entry.reject(why(entry.isKept));
    }
  }

  /**
   * @param {string} method
   * @param {any} params
   * @param {boolean} isKept
   * @param {(answer: any) => void} resolve
   * @param {(error: any) => void} reject
   */
  #push(method, params, isKept, resolve, reject) {
    /** @type {Entry} */
    const entry = {
      method, params, isKept, isSent: false, isExpired: false, failures: 0, notBefore: 0, timer: undefined,
      resolve, reject,
    };
    this.#entries.push(entry);
    return entry;
  }

  /** Sends what can go. Calls about one conversation go one after the other, so that a retry can't overtake. */
  #flush() {
    if (!this.#isOpen) return;
    clearTimeout(this.#retry);
    const now = Date.now();
    const busy = new Set();
    let next = Infinity;
    for (const entry of [...this.#entries]) {
      const ids = entry.params.requestID ? concerned(entry) : [];
      const isFree = ids.every((id) => !busy.has(id));
      for (const id of ids) busy.add(id);
      if (entry.isSent || !isFree) continue;
      if (entry.notBefore > now) next = Math.min(next, entry.notBefore);
      else this.#send(entry);
    }
    if (next < Infinity) this.#retry = setTimeout(() => this.#flush(), next - now);
  }

  /** @param {Entry} entry */
  async #send(entry) {
    entry.isSent = true;
    try {
      const answer = await this.#does.send(entry.method, entry.params);
      if (!this.#remove(entry)) return;
      this.#does.answered(entry.method, entry.params, answer);
      entry.resolve(answer);
    } catch (error) {
      this.#refused(entry, error);
    }
    this.#flush();
  }

  /** @param {Entry} entry @param {unknown} error */
  #refused(entry, error) {
    if (error instanceof Lost) {
      if (entry.isExpired) this.#remove(entry);
      return;
    }
    const known = error instanceof ChatError ? error : new ChatError(CODE.INTERNAL, String(error));
    const passes = known.code === CODE.TRY_AGAIN || known.code === CODE.OVER_FREQUENCY_LIMIT;
    if (passes && !entry.isExpired) {
      entry.isSent = false;
      entry.failures += 1;
      entry.notBefore = Date.now() + (known.data?.retryAfter ?? Math.random() * ceiling(entry.failures));
    } else if (this.#remove(entry)) {
      if (entry.isKept) this.#does.changed();
      entry.reject(known);
    }
  }

  /** @param {Entry} entry */
  #expire(entry) {
    entry.isExpired = true;
    if (!entry.isSent) this.#remove(entry);
    const { requestID } = entry.params;
    entry.reject(new ChatError(CODE.NETWORK_TIMEOUT, `no answer to ${entry.method} in time`, { requestID }));
    this.#flush();
  }

  /** @param {Entry} entry @returns {boolean} whether it was there */
  #remove(entry) {
    clearTimeout(entry.timer);
    const at = this.#entries.indexOf(entry);
    if (at >= 0) this.#entries.splice(at, 1);
    return at >= 0;
  }
}
