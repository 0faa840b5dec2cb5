// What every page is made of: its head, its sections, and content that has to be fetched first.

import { el, newId, show } from '../dom.js';
import { t } from '../i18n/index.js';
import { button } from './controls.js';
import { explain } from './say.js';

/** The heading, which gets the focus after a navigation, a sentence, and what can be done. */
export function pageHead(title, { lead = null, actions = [], beside = null } = {}) {
  return el('header', { class: 'page-head' },
    el('div', {}, el('div', { class: 'title' }, el('h1', { tabindex: '-1' }, title), beside), lead && el('p', {}, lead)),
    actions.length > 0 && el('div', { class: 'actions' }, actions));
}

export const page = (...children) => el('div', { class: 'page' }, children);

/** A titled part of a page. */
export function section(title, children, { lead = null, actions = [], id = null, kind = '' } = {}) {
  const heading = newId();
  return el('section', { class: `card ${kind}`, 'aria-labelledby': heading, id },
    el('div', { class: 'card-head' },
      el('div', {}, el('h2', { id: heading, tabindex: '-1' }, title), lead && el('p', {}, lead)),
      actions.length > 0 && el('div', { class: 'actions' }, actions)),
    children);
}

/** Nothing is here, and what that means. */
export const empty = (title, text = null) =>
  el('div', { class: 'empty' }, el('p', { class: 'title' }, title), text && el('p', {}, text));

const skeleton = () => el('div', { class: 'skeleton', role: 'status' },
  el('span', { class: 'visually-hidden' }, t('loading')), el('i'), el('i'), el('i'));

/**
 * A place whose content is fetched: it shows that it loads, what came, or what went wrong with a way to try again.
 * What was there stays until the new is there. `signal` is the page's: nothing is shown after it was left.
 */
export function fetched(signal, fetch, render) {
  const element = el('div', { class: 'fetched' });
  let newest = 0;
  const reload = async () => {
    newest += 1;
    const mine = newest;
    const isCurrent = () => mine === newest && !signal.aborted;
    element.setAttribute('aria-busy', 'true');
    if (!element.hasChildNodes()) show(element, skeleton());
    try {
      const content = render(await fetch());
      if (isCurrent()) keepFocus(element, () => show(element, content));
    } catch (error) {
      if (error.name === 'AbortError' || !isCurrent()) return;
      if (error.code === undefined) throw error;
      show(element, failure(error, reload));
    } finally {
      if (isCurrent()) element.removeAttribute('aria-busy');
    }
  };
  reload();
  return { element, reload };
}

/** What has the focus is replaced: it goes to what is called the same, or to the nearest heading. */
function keepFocus(element, replace) {
  const { activeElement: before } = document;
  const had = before !== element && element.contains(before);
  replace();
  if (!had) return;
  const name = (each) => each.getAttribute('aria-label') ?? each.textContent;
  const again = [...element.querySelectorAll('a, button:enabled, summary')].find((each) => name(each) === name(before));
  (again ?? element.closest('section')?.querySelector('h2') ?? document.querySelector('main h1')).focus();
}

function failure(error, again) {
  const isGone = error.code === 'not_found' || error.code === 'forbidden';
  return el('div', { class: 'failure', role: 'alert' },
    el('p', { class: 'title' }, explain(error)),
    !isGone && button(t('tryAgain'), again));
}

/** Which app a page is about. */
export const appBadge = (app) => el('span', { class: 'badge app' }, t('app.badge', { app }));
