// How long to wait before another try, in milliseconds. Pure.

const FIRST = 500;
/** Most that is waited between two tries, unless the server said so. */
const LONGEST = 30_000;
/** A server that says more than this is not believed. */
const LONGEST_TOLD = 300_000;

/**
 * Full jitter takes anything up to this, so that clients cut off together come back apart.
 * @param {number} failures before this try
 */
export function ceiling(failures) {
  return Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 16));
}

export class Backoff {
  #failures = 0;
  /** From `server.draining`: not before this. @type {number | null} */
  #told = null;

  /** Logged in: the next end is a new story. */
  succeeded() {
    this.#failures = 0;
    this.#told = null;
  }

  /** @param {number} now @param {number} retryAfter */
  draining(now, retryAfter) {
    this.#told = now + Math.min(retryAfter, LONGEST_TOLD);
  }

  /**
   * What the server told is taken as it is, since it spreads them itself.
   * @param {number} now
   * @param {number} random 0 to 1
   */
  next(now, random) {
    if (this.#told !== null) {
      const wait = Math.max(0, this.#told - now);
      this.#told = null;
      return wait;
    }
    const wait = random * ceiling(this.#failures);
    this.#failures += 1;
    return wait;
  }
}
