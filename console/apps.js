// The apps, and which of them the pages are about.

import { get, session } from './api.js';
import { live } from './live.js';
import { remember, remembered } from './storage.js';
import { explain, warned } from './ui/say.js';

/** Fires `changed` when the list or the choice did. */
class Apps extends EventTarget {
  /** As the server lists them; null until it has. */
  list = null;
  #chosen = remembered('app');

  /** The chosen app's ID as text, or null if there is none. */
  get chosen() {
    if (this.#chosen !== null) return this.#chosen;
    return this.list?.length > 0 ? String(this.list[0].sdkAppID) : null;
  }

  choose(id) {
    if (id === this.#chosen) return;
    this.#chosen = id;
    remember('app', id);
    this.dispatchEvent(new Event('changed'));
  }

  async refresh() {
    try {
      const { apps } = await get('/apps');
      this.list = apps;
    } catch (error) {
      // The page itself says so when nobody is signed in any more.
      if (session.current) warned(explain(error));
      return;
    }
    // One that was remembered may have been of another server.
    if (!this.list.some(({ sdkAppID }) => String(sdkAppID) === this.#chosen)) this.#chosen = null;
    this.dispatchEvent(new Event('changed'));
  }
}

export const apps = new Apps();

live.addEventListener('app', () => apps.refresh());
