// Buttons and fields.

import { el, icon, newId } from '../dom.js';
import { t } from '../i18n/index.js';
import { explain, said, warned } from './say.js';

/** `kind`: primary, danger, quiet or none. */
export function button(label, click, { kind = '', type = 'button', ...attributes } = {}) {
  return el('button', { type, class: kind, ...attributes, on: click ? { click } : {} }, label);
}

/** A link that looks like a button. */
export const buttonLink = (label, href, attributes = {}) => el('a', { class: 'button', href, ...attributes }, label);

/**
 * Runs `work` while `control` is busy: it can't be pressed twice, and keeps the focus. Returns what came, or
 * undefined after telling why nothing did; `failed` tells it instead where given.
 */
export async function busy(control, work, failed = (error) => warned(explain(error))) {
  if (control.getAttribute('aria-busy') === 'true') return undefined;
  control.setAttribute('aria-busy', 'true');
  control.setAttribute('aria-disabled', 'true');
  try {
    return await work();
  } catch (error) {
    if (error.name !== 'AbortError') failed(error);
    return undefined;
  } finally {
    control.removeAttribute('aria-busy');
    control.removeAttribute('aria-disabled');
  }
}

/**
 * A labelled control with its help and a place for what is wrong with it: `element`, `control`, `wrong(text)` and
 * `right()`.
 */
export function field(label, control, { help = null } = {}) {
  const id = newId();
  control.id = id;
  const helpText = help && el('p', { class: 'help', id: `${id}-help` }, help);
  const error = el('p', { class: 'error', id: `${id}-error`, hidden: true });
  control.setAttribute('aria-describedby', [helpText && helpText.id, error.id].filter(Boolean).join(' '));
  return {
    control,
    element: el('div', { class: 'field' },
      el('label', { for: id }, label), control, helpText, error),
    wrong(text) {
      error.textContent = text;
      error.hidden = false;
      control.setAttribute('aria-invalid', 'true');
    },
    right() {
      error.hidden = true;
      control.removeAttribute('aria-invalid');
    },
  };
}

export const input = (attributes = {}) => el('input', { type: 'text', ...attributes });

/** `options`: `[value, label]`. */
export function select(options, value, attributes = {}) {
  return el('select', { ...attributes, value },
    options.map(([each, label]) => el('option', { value: each, selected: each === value }, label)));
}

const COPY = 'M6 6h7v7H6zM10 6V3H3v7h3';

/** Copies `text`; where the browser forbids that, selects it for the keyboard. */
export function copyButton(text, shown) {
  return el('button', {
    type: 'button',
    on: {
      async click() {
        try {
          await navigator.clipboard.writeText(text);
          said(t('copied'));
        } catch {
          getSelection().selectAllChildren(shown);
          said(t('copy.byHand'));
        }
      },
    },
  }, icon(COPY), t('copy'));
}

export const badge = (label, kind = '') => el('span', { class: `badge ${kind}` }, label);

export const administratorsOnly = () => el('p', { class: 'note' }, t('viewer.note'));

/** For names that have to match letter by letter. */
export const searchInput = (name) => input({
  type: 'search', name, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false',
});
