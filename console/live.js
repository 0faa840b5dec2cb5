// The server's live stream: figures each second, and word of changed settings. One for the whole page.

import { place, session } from './api.js';

/** Five minutes of figures. */
const KEPT = 300;
/** Milliseconds until a stream that was refused is tried again. */
const PATIENCE = 3000;

/**
 * Fires `figures` when there are new ones, `app` (`detail`: the sdkAppID, or null if any may have changed) and
 * `state`.
 */
class Live extends EventTarget {
  figures = [];
  /** `connecting`, `open` or `lost`. */
  state = 'connecting';
  #source = null;
  #retry = null;
  #wasOpen = false;

  constructor() {
    super();
    // A browser has few connections to one server, and a page in the background needs none of them.
    document.addEventListener('visibilitychange', () => this.follow());
    session.addEventListener('changed', () => this.follow());
  }

  /** Opens the stream if somebody looks, closes it if nobody does. */
  follow() {
    const wanted = session.current !== null && document.visibilityState === 'visible';
    if (wanted && !this.#source) this.#open();
    if (!wanted) this.#close();
    if (session.current === null) {
      this.figures = [];
      this.#wasOpen = false;
    }
  }

  #open() {
    clearTimeout(this.#retry);
    const source = new EventSource(place('/live'));
    this.#source = source;
    this.#set('connecting');
    source.addEventListener('open', () => {
      this.#set('open');
      if (this.#wasOpen) this.#catchUp();
      this.#wasOpen = true;
    });
    source.addEventListener('history', ({ data }) => {
      this.figures = JSON.parse(data).figures.slice(-KEPT);
      this.#tell('figures');
    });
    source.addEventListener('figures', ({ data }) => {
      this.figures = [...this.figures, JSON.parse(data)].slice(-KEPT);
      this.#tell('figures');
    });
    source.addEventListener('app', ({ data }) => this.#tell('app', JSON.parse(data).sdkAppID));
    source.addEventListener('error', () => {
      if (source !== this.#source) return;
      this.#set('lost');
      // The browser tries again by itself unless it was refused: then, most likely, the session has ended.
      if (source.readyState === EventSource.CLOSED) this.#recover();
    });
  }

  /** What changed while nobody listened was not told; nor whether somebody else has signed in in another tab. */
  #catchUp() {
    this.#tell('app', null);
    this.#check();
  }

  async #check() {
    try {
      await session.check();
    } catch {
      // An ended session is told by the session itself; a server that can't be reached, by the stream.
    }
  }

  async #recover() {
    this.#close();
    await this.#check();
    if (session.current) this.#retry = setTimeout(() => this.follow(), PATIENCE);
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #set(state) {
    this.state = state;
    this.#tell('state');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

export const live = new Live();
