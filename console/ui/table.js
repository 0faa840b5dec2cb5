// Tables. One that doesn't fit shows each row as a card; the roles keep it a table for those who listen.

import { el } from '../dom.js';

/**
 * `columns`: `[title, class]`; `rows`: arrays of cells, which are text or elements. The first cell names its row.
 */
export function table(caption, columns, rows) {
  const cell = (content, place) => el(place === 0 ? 'th' : 'td', {
    role: place === 0 ? 'rowheader' : 'cell',
    scope: place === 0 ? 'row' : null,
    class: columns[place][1],
    'data-label': columns[place][0],
  }, el('div', {}, content));
  const whole = el('table', { role: 'table' },
    el('caption', { class: 'visually-hidden' }, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' },
      columns.map(([title, kind]) => el('th', { role: 'columnheader', scope: 'col', class: kind }, title)))),
    el('tbody', { role: 'rowgroup' },
      rows.map((cells) => el('tr', { role: 'row' }, cells.map(cell)))));
  const place = el('div', { class: 'table' }, whole);
  new ResizeObserver(() => {
    place.classList.remove('cards');
    place.classList.toggle('cards', whole.scrollWidth > place.clientWidth);
  }).observe(place);
  return place;
}

/** Names and values, one below the other. */
export function facts(pairs) {
  return el('dl', { class: 'facts' },
    pairs.filter(Boolean).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}
