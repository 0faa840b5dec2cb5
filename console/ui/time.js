// Moments, as one reads them.

import { el } from '../dom.js';
import { ago, dateTime } from '../i18n/index.js';

/** Date and time. */
export const moment = (ms) => el('time', { datetime: new Date(ms).toISOString(), class: 'number' }, dateTime(ms));

/** How long ago, kept up to date, with the exact time to be had by pointing at it. */
export const since = (ms) =>
  el('time', { datetime: new Date(ms).toISOString(), title: dateTime(ms), class: 'number', 'data-since': ms }, ago(ms));

/** Milliseconds between two looks at what "ago" means by now. */
const REFRESH = 10_000;
setInterval(() => {
  for (const time of document.querySelectorAll('[data-since]')) time.textContent = ago(Number(time.dataset.since));
}, REFRESH);
