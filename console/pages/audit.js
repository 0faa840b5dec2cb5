// Who did what, when.

import { address, get, place } from '../api.js';
import { el, given } from '../dom.js';
import { duration, hasMessage, t } from '../i18n/index.js';
import { buttonLink, field, input, searchInput } from '../ui/controls.js';
import { listing } from '../ui/listing.js';
import { empty, page, pageHead, section } from '../ui/page.js';
import { announce } from '../ui/say.js';
import { table } from '../ui/table.js';
import { moment } from '../ui/time.js';

const PAGE = 50;
const TIMES = ['from', 'to'];
/** Settings that are recorded in milliseconds. */
const DURATIONS = ['undo-window', 'revoke-window', 'history-retention'];

export function audit({ query, signal, go }) {
  const list = listing({
    signal, go, query,
    parts: ['audit'],
    fields: {
      app: field(t('apps.id'), input({ name: 'app', inputmode: 'numeric', autocomplete: 'off' })),
      actor: field(t('audit.actor'), searchInput('actor')),
      action: field(t('audit.action'), searchInput('action')),
      target: field(t('audit.target'), searchInput('target')),
      from: field(t('audit.from'), input({ type: 'datetime-local', name: 'from' })),
      to: field(t('audit.to'), input({ type: 'datetime-local', name: 'to' })),
    },
    label: t('audit.search'),
    cursor: 'before',
    // Addresses hold milliseconds, as the server does; fields hold the reader's own time.
    read: (name, text) => (TIMES.includes(name) && text ? String(new Date(text).getTime()) : text.trim()),
    write: (name, value) => (TIMES.includes(name) && value ? localTime(Number(value)) : value),
    ask: (wanted) => get(address('/audit', { ...wanted, limit: PAGE }), { signal }),
    draw: ({ records, next }) => {
      announce(t('audit.found', { n: records.length }));
      if (records.length > 0) return recordTable(records);
      // One answer looks at so many records only.
      return empty(t('audit.empty'), t(next === null ? 'audit.empty.text' : 'audit.further'));
    },
    beside: ({ before, ...wanted }) => ['csv', 'jsonl'].map((format) => {
      const href = place(address('/audit/export', { format, ...wanted }));
      return buttonLink(t(`audit.export.${format}`), href, { download: '' });
    }),
  });
  return {
    element: page(
      pageHead(t('nav.audit'), { lead: t('audit.lead') }),
      section(t('audit.all'), list.element, { kind: 'flush' })),
    moved: list.moved,
  };
}

/** As `datetime-local` wants it. */
function localTime(ms) {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function recordTable(records) {
  const columns = [
    [t('time')], [t('audit.actor')], [t('audit.action')], [t('audit.target')], [t('apps.id')],
    [t('audit.detail')],
  ];
  return table(t('nav.audit'), columns, records.map((record) => [
    moment(record.time),
    given(record.actor),
    action(record.action),
    given(record.target),
    record.app === null || record.app === 0 ? '–' : el('span', { class: 'mono' }, String(record.app)),
    detail(record),
  ]));
}

/** In words where there are any, and always as it is recorded: filters go by that. */
function action(name) {
  const words = hasMessage(`audit.action.${name}`) && t(`audit.action.${name}`);
  return words ? [words, ' ', el('code', { class: 'soft nowrap' }, name)] : given(name, { class: 'mono' });
}

/** A change as from and to; anything else as it is recorded. */
function detail({ target, detail: value }) {
  const names = Object.keys(value);
  if (names.length === 0) return '–';
  if (names.length === 2 && 'from' in value && 'to' in value) {
    const say = (each) => given(inWords(target, each), { class: 'mono' });
    return el('span', { class: 'change' }, say(value.from),
      el('span', { class: 'visually-hidden' }, t('audit.became')), el('span', { 'aria-hidden': 'true' }, ' → '),
      say(value.to));
  }
  return el('details', {}, el('summary', {}, t('audit.show')),
    el('pre', {}, given(JSON.stringify(value, null, 2))));
}

function inWords(target, value) {
  if (DURATIONS.includes(target) && typeof value === 'number') return duration(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
