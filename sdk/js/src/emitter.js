// Handlers of events. One that throws is logged, and keeps nothing else from happening.

/** @typedef {(event: any) => void} Handler */

export class Emitter {
  /** @type {Map<string, {handler: Handler, context: any}[]>} */
  #handlers = new Map();
  #log;

  /** @param {import('./log.js').Log} log */
  constructor(log) {
    this.#log = log;
  }

  /** @param {string} name @param {Handler} handler @param {any} [context] */
  on(name, handler, context) {
    this.#handlers.set(name, [...(this.#handlers.get(name) ?? []), { handler, context }]);
  }

  /** @param {string} name @param {Handler} handler */
  off(name, handler) {
    this.#handlers.set(name, (this.#handlers.get(name) ?? []).filter((one) => one.handler !== handler));
  }

  clear() {
    this.#handlers.clear();
  }

  /** @param {string} name @param {object} [more] */
  emit(name, more) {
    const event = { name, ...more };
    for (const { handler, context } of this.#handlers.get(name) ?? []) {
      try {
        handler.call(context, event);
      } catch (error) {
        this.#log.error(`a handler of ${name} threw`, error);
      }
    }
  }
}
