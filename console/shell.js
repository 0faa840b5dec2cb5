// The frame around every page: navigation, the way here, who is signed in.

import { session } from './api.js';
import { apps } from './apps.js';
import { el, given, icon, show } from './dom.js';
import { t } from './i18n/index.js';
import { live } from './live.js';
import { appEntries, serverEntries } from './pages/index.js';
import { link } from './router.js';
import { button, select } from './ui/controls.js';
import { preferences } from './ui/preferences.js';
import { explain, warned } from './ui/say.js';

const MENU = 'M2 4h12M2 8h12M2 12h12';

export class Shell {
  #found = null;
  #end = new AbortController();
  #nav = el('nav', { 'aria-label': t('nav.label') });
  #crumbs = el('nav', { class: 'crumbs', 'aria-label': t('crumbs.label') });
  #side = el('div', { class: 'side', id: 'side' });
  #menu = el('button', {
    type: 'button', class: 'menu icon-only', 'aria-expanded': 'false', 'aria-controls': 'side',
    'aria-label': t('nav.menu'), on: { click: () => this.#open(!this.#side.classList.contains('open')) },
  }, icon(MENU));
  #live = el('span', { class: 'live' });
  main = el('main', { id: 'main' });

  constructor({ speak }) {
    show(this.#side, brand(), this.#nav, preferences(speak));
    this.element = el('div', { class: 'shell' },
      el('a', { class: 'skip', href: '#main', on: { click: (event) => this.#skip(event) } }, t('skip')),
      this.#side,
      el('div', { class: 'body' },
        el('header', { class: 'bar' },
          this.#menu, brand(), this.#crumbs,
          el('div', { class: 'who' },
            this.#live,
            el('a', { href: link(['account']) },
              el('span', { class: 'visually-hidden' }, t('signedInAs')), given(session.current.name)),
            button(t('signOut'), signOut, { kind: 'quiet' }))),
        this.main));
    const { signal } = this.#end;
    apps.addEventListener('changed', () => this.#drawNavigation(), { signal });
    live.addEventListener('state', () => this.#drawLive(), { signal });
    this.#drawLive();
  }

  /** Marks where one is. */
  follow(found) {
    this.#found = found;
    if (found.params.app) apps.choose(found.params.app);
    this.#drawNavigation();
    this.#open(false);
    const last = found.crumbs.length - 1;
    show(this.#crumbs, el('ol', {}, found.crumbs.map(([label, parts], place) => el('li', {},
      place === last
        ? el('span', { 'aria-current': 'page' }, given(label))
        : el('a', { href: link(parts) }, label)))));
  }

  close() {
    this.#end.abort();
  }

  #drawNavigation() {
    if (!this.#found) return;
    const focused = this.#nav.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const app = apps.chosen;
    show(this.#nav,
      el('ul', {}, this.#entries([
        [t('nav.overview'), ['overview'], []],
        [t('nav.applications'), ['apps'], []],
      ])),
      app && el('div', { class: 'group' },
        el('label', { class: 'group-name', for: 'app' }, t('nav.application')),
        el('div', { class: 'chooser' }, this.#chooser(app)),
        el('ul', {}, this.#entries(appEntries(app)))),
      el('div', { class: 'group' },
        el('span', { class: 'group-name' }, t('nav.server')),
        el('ul', {}, this.#entries(serverEntries()))));
    if (focused) this.#nav.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** The entries and those below them; of the innermost only where one is. */
  #entries(entries, depth = 0) {
    const at = this.#found.parts.join('/');
    return entries.map(([label, parts, children]) => {
      const own = parts.join('/');
      const isHere = at === own;
      // What is about one app has entries of its own.
      const isWithin = own !== 'apps' && at.startsWith(`${own}/`);
      const isOpen = children.length > 0 && (isHere || isWithin || depth < 2);
      return el('li', {},
        el('a', {
          href: link(parts), 'data-key': own,
          'aria-current': isHere ? 'page' : isWithin && children.length === 0 ? 'true' : null,
        }, label),
        isOpen && el('ul', {}, this.#entries(children, depth + 1)));
    });
  }

  #chooser(app) {
    const all = (apps.list ?? []).map(({ sdkAppID, isDemo }) => {
      const id = String(sdkAppID);
      return [id, isDemo ? t('apps.demo.of', { app: id }) : id];
    });
    const known = all.some(([id]) => id === app) ? all : [[app, app], ...all];
    return select(known, app, {
      id: 'app', 'data-key': 'app',
      on: {
        change: ({ target }) => {
          const [first, , ...rest] = this.#found.parts;
          // A user or a deletion of one app is none of another's: their list is.
          const same = rest[0] === 'configuration' ? rest : rest.slice(0, 1);
          if (first === 'apps' && rest.length > 0) location.hash = link(['apps', target.value, ...same]);
          else apps.choose(target.value);
        },
      },
    });
  }

  #drawLive() {
    const { state } = live;
    this.#live.className = `live ${state}`;
    show(this.#live, el('i', { 'aria-hidden': 'true' }), t(`live.${state}`));
  }

  #open(isOpen) {
    this.#side.classList.toggle('open', isOpen);
    this.#menu.setAttribute('aria-expanded', String(isOpen));
  }

  #skip(event) {
    event.preventDefault();
    this.main.querySelector('h1').focus();
  }
}

const brand = () => el('a', { class: 'brand', href: link(['overview']) },
  el('img', { src: 'icon.svg', alt: '', width: 28, height: 28 }), 'chatsync', el('span', {}, t('console')));

async function signOut() {
  try {
    await session.signOut();
  } catch (error) {
    warned(explain(error));
  }
}
