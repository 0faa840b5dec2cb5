// Starts the console: who is signed in decides between the sign-in page and the rest; the address decides the page.

import { session } from './api.js';
import { apps } from './apps.js';
import { el, show } from './dom.js';
import { setLanguage, t } from './i18n/index.js';
import { live } from './live.js';
import { pageAt } from './pages/index.js';
import { signIn } from './pages/sign-in.js';
import { here, link } from './router.js';
import { Shell } from './shell.js';
import { button } from './ui/controls.js';
import { explain } from './ui/say.js';

const root = document.getElementById('root');
let operator = null;
let shell = null;
/** The page that is shown: `{found, view, leave}`. */
let shown = null;

/** Whoever is shown the page is the one who is signed in. */
function follow() {
  const { current } = session;
  if (current && current.name === operator?.name && current.role === operator.role) return;
  const wasSignedOut = operator === null && root.hasChildNodes();
  operator = current;
  draw();
  if (current === null) root.querySelector(session.ended ? 'h1' : 'input').focus();
  else if (wasSignedOut) shell.main.querySelector('h1').focus();
}

/** Draws everything anew. */
function draw() {
  shown?.leave.abort();
  shown = null;
  shell?.close();
  shell = null;
  document.querySelectorAll('dialog[open]').forEach((open) => open.close());
  if (operator === null) {
    show(root, signIn({ speak }));
    document.title = `${t('signIn.title')} · chatsync`;
    return;
  }
  shell = new Shell({ speak });
  show(root, shell.element);
  apps.refresh();
  navigate();
}

/** In another language. */
function speak(language) {
  setLanguage(language);
  draw();
  root.querySelector('[name="language"]').focus();
}

function navigate() {
  if (!shell) return;
  if (here().parts.length === 0) history.replaceState(null, '', link(['overview']));
  const { parts, query } = here();
  const found = pageAt(parts);
  // Within one page only the section and the filters differ: what was typed there stays.
  if (shown?.found.key === found.key && shown.view.moved) {
    shell.follow(found);
    shown.view.moved({ params: found.params, query });
    return;
  }
  const isFirst = shown === null;
  shown?.leave.abort();
  const leave = new AbortController();
  const view = found.page({ params: found.params, query, signal: leave.signal, go });
  shown = { found, view, leave };
  shell.follow(found);
  show(shell.main, view.element);
  const heading = view.element.querySelector('h1');
  document.title = `${heading.textContent} · chatsync`;
  if (!isFirst) {
    scrollTo(0, 0);
    heading.focus();
  }
}

/** Notes another address of the page that is shown; the page has changed itself already. */
function go(parts, query) {
  history.pushState(null, '', link(parts, query));
}

/** Without an answer to who is signed in there is nothing to show but that. */
async function start() {
  try {
    await session.find();
  } catch (error) {
    show(root, el('main', { class: 'alone' }, el('div', { class: 'failure', role: 'alert' },
      el('h1', {}, explain(error)), button(t('tryAgain'), start))));
  }
}

session.addEventListener('changed', follow);
addEventListener('hashchange', navigate);
live.follow();
start();
