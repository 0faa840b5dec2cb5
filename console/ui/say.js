// Tells what happened: to those who look and to those who listen.

import { el, icon } from '../dom.js';
import { hasMessage, roughly, t } from '../i18n/index.js';

const CHECK = 'M3 8.5 6.5 12 13 4.5';
const CROSS = 'M4 4l8 8M12 4l-8 8';
/** Milliseconds that a message stays; a failure stays until it is closed. */
const STAY = 5000;

/** Something went well. */
export function said(text) {
  announce(text);
  const toast = el('div', { class: 'toast good' }, icon(CHECK), el('span', {}, text));
  place(toast);
  setTimeout(() => toast.remove(), STAY);
}

/** Something did not. */
export function warned(text) {
  speak('warned', text);
  const close = { type: 'button', class: 'quiet icon-only', 'aria-label': t('close') };
  const toast = el('div', { class: 'toast bad' },
    el('span', {}, text), el('button', { ...close, on: { click: () => toast.remove() } }, icon(CROSS)));
  place(toast);
}

/** For those who listen only: what everybody else sees anyway. */
export function announce(text) {
  speak('said', text);
}

function speak(where, text) {
  const region = document.getElementById(where);
  // The same words twice are to be heard twice.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

function place(toast) {
  const toasts = document.getElementById('toasts');
  toasts.append(toast);
  // An open dialog covers everything that isn't in it.
  const open = [...document.querySelectorAll('dialog[open]')].at(-1);
  (open ?? document.body).append(toasts);
}

/** What to tell somebody of an error. */
export function explain(error) {
  if (error.code === 'locked') return t('error.locked', { time: roughly((error.retryAfter ?? 60) * 1000) });
  // These are about what was sent, which the server knows best; its field's name is beside it already.
  if (error.code === 'invalid') return error.message.replace(`${error.field}: `, '');
  if (error.code === 'conflict') return error.message;
  if (error.code && hasMessage(`error.${error.code}`)) return t(`error.${error.code}`);
  return t('error.other', { message: error.message });
}
