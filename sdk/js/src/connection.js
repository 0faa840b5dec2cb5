// One WebSocket at a time: requests and their answers, and coming back when it ends.

import { Backoff } from './backoff.js';
import { ChatError } from './errors.js';
import { Lost } from './outbox.js';
import { openSocket } from './socket.js';

/** For a connection to open, and for any answer, in milliseconds. */
const PATIENCE = 15_000;
/** For an answer when there is reason to doubt that anybody is there. */
const DOUBT = 3_000;

/**
 * What a connection's owner does.
 * @typedef {object} Owner
 * @property {() => Promise<void>} opened logs in; a rejection ends this socket
 * @property {(push: import('./wire.d.ts').Push) => void} push
 * @property {() => void} lost
 * @property {(state: 'connecting' | 'disconnected') => void} net
 * @property {(closeCode: number) => void} ended for good: coming back will not help
 */

export class Connection {
  #url;
  #owner;
  #log;
  #backoff = new Backoff();
  #isWanted = false;
  /** The socket in use; what others still say is not listened to. @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void, timer: any}>} */
  #calls = new Map();
  #lastID = 0;
  /** Counts the tries, so that one that was overtaken notices. */
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} url @param {Owner} owner @param {import('./log.js').Log} log */
  constructor(url, owner, log) {
    this.#url = url;
    this.#owner = owner;
    this.#log = log;
  }

  start() {
    this.#isWanted = true;
    globalThis.addEventListener?.('online', this.#online);
    globalThis.addEventListener?.('offline', this.#doubt);
    this.#connect();
  }

  /** Ends it, without coming back. */
  stop() {
    this.#isWanted = false;
    globalThis.removeEventListener?.('online', this.#online);
    globalThis.removeEventListener?.('offline', this.#doubt);
    clearTimeout(this.#timer);
    this.#abandon(1000);
  }

  /**
   * @param {string} method
   * @param {any} params
   * @param {number} [patience] in milliseconds; after it the connection counts as dead
   * @returns {Promise<any>}
   */
  request(method, params, patience = PATIENCE) {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      if (!socket || socket.readyState !== 1) {
        reject(new Lost('not connected'));
        return;
      }
      this.#lastID += 1;
      const timer = setTimeout(() => this.#lost(socket, 'no answer in time'), patience);
      this.#calls.set(this.#lastID, { resolve, reject, timer });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: this.#lastID, method, params }));
    });
  }

  /** What came can't be gone on with: the next connection begins anew. @param {unknown} why */
  fail(why) {
    if (this.#socket) this.#lost(this.#socket, why);
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#owner.net('connecting');
    /** @type {WebSocket} */
    let socket;
    try {
      socket = await openSocket(this.#url);
    } catch (error) {
      this.#log.warn('not connected:', error);
      this.#again();
      return;
    }
    // A `close` follows every `error`.
    socket.onerror = () => {};
    if (!this.#isWanted || attempt !== this.#attempt) {
      socket.close();
      return;
    }
    this.#socket = socket;
    const isCurrent = () => this.#socket === socket;
    this.#timer = setTimeout(() => this.#lost(socket, 'not connected in time'), PATIENCE);
    socket.onopen = async () => {
      if (!isCurrent()) return;
      clearTimeout(this.#timer);
      try {
        await this.#owner.opened();
        if (!isCurrent()) return;
        this.#backoff.succeeded();
      } catch (error) {
        // The server closes what it refuses, and says by its code what to do; else it is for us to end it.
        if (isCurrent()) this.#timer = setTimeout(() => this.#lost(socket, error), DOUBT);
      }
    };
    socket.onmessage = ({ data }) => {
      if (!isCurrent()) return;
      try {
        this.#frame(data);
      } catch (error) {
        this.#lost(socket, error);
      }
    };
    socket.onclose = ({ code, reason }) => {
      if (isCurrent()) this.#closed(code, reason);
    };
  }

  /** @param {any} data */
  #frame(data) {
    const frame = JSON.parse(data);
    if (frame.method === 'server.draining') {
      this.#backoff.draining(Date.now(), frame.params.retryAfter);
    } else if (frame.method) {
      this.#owner.push(frame);
    } else {
      const call = this.#calls.get(frame.id);
      if (!call) return;
      this.#calls.delete(frame.id);
      clearTimeout(call.timer);
      if (frame.error) call.reject(new ChatError(frame.error.code, frame.error.message, frame.error.data));
      else call.resolve(frame.result);
    }
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    this.#log.info(`closed with ${code}: ${reason}`);
    if (code === 1009) {
      // Sent again they would be too big again.
      for (const call of this.#calls.values()) call.reject(new ChatError(93000, 'the request is too big'));
    }
    this.#abandon(1000);
    if (code === 4401 || (code >= 4500 && code <= 4999)) {
      this.stop();
      this.#owner.ended(code);
    } else {
      this.#again();
    }
  }

  /** @param {WebSocket} socket @param {unknown} why */
  #lost(socket, why) {
    if (this.#socket !== socket) return;
    this.#log.info('connection lost:', why);
    this.#abandon(4000);
    this.#again();
  }

  /** Forgets the socket and what was asked on it. @param {number} code */
  #abandon(code) {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    this.#owner.lost();
    for (const call of calls) {
      clearTimeout(call.timer);
      call.reject(new Lost('connection lost'));
    }
  }

  #again() {
    if (!this.#isWanted) return;
    this.#owner.net('disconnected');
    const wait = this.#backoff.next(Date.now(), Math.random());
    this.#log.info(`next try in ${Math.round(wait)} ms`);
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  /** The network is back: no reason to wait. */
  #online = () => {
    if (!this.#socket) this.#connect();
    else this.#doubt();
  };

  /** The network changed; a connection may outlive that, or not. */
  #doubt = () => {
    if (this.#socket?.readyState === 1) this.request('ping', {}, DOUBT).catch(() => {});
  };
}
