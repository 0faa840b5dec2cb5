// An app's deletions, newest first.

import { address, get, path } from '../api.js';
import { el, given } from '../dom.js';
import { number, t } from '../i18n/index.js';
import { link } from '../router.js';
import { badge, field, searchInput } from '../ui/controls.js';
import { listing } from '../ui/listing.js';
import { appBadge, empty, page, pageHead, section } from '../ui/page.js';
import { announce } from '../ui/say.js';
import { table } from '../ui/table.js';
import { moment } from '../ui/time.js';

const PAGE = 50;

export function deletions({ params: { app }, query, signal, go }) {
  const list = listing({
    signal, go, query,
    parts: ['apps', app, 'deletions'],
    fields: { user: field(t('deletions.user'), searchInput('user')) },
    label: t('deletions.search'),
    cursor: 'before',
    ask: (wanted) => get(address(path('apps', app, 'deletions'), { ...wanted, limit: PAGE }), { signal }),
    draw: ({ deletions: found }) => {
      announce(t('deletions.found', { n: found.length }));
      return found.length > 0 ? deletionTable(app, found) : empty(t('deletions.empty'), t('deletions.empty.text'));
    },
  });
  return {
    element: page(
      pageHead(t('nav.deletions'), { lead: t('deletions.lead'), beside: appBadge(app) }),
      section(t('deletions.all'), list.element, { kind: 'flush' })),
    moved: list.moved,
  };
}

/** Deletions as a table; without the user where all are of one. */
export function deletionTable(app, list, { withUser = true } = {}) {
  const columns = [
    [t('time')], withUser && [t('user')], [t('deletions.from')], [t('conversations'), 'end'],
    [t('deletions.history')], [t('deletions.synced')], [t('version'), 'end'],
  ];
  const rows = list.map((deletion) => [
    el('a', { href: link(['apps', app, 'deletions', deletion.id]) }, moment(deletion.time)),
    withUser && el('a', { href: link(['apps', app, 'users', deletion.userID]) }, given(deletion.userID)),
    origin(deletion),
    number(deletion.conversations),
    t(deletion.historyCleared ? 'deletions.cleared' : 'deletions.kept'),
    syncedBadge(deletion.synced),
    deletion.synced ? number(deletion.version) : '–',
  ]);
  return table(t('nav.deletions'), columns.filter(Boolean), rows.map((cells) => cells.filter(Boolean)));
}

/** The device that deleted, or who did without one. */
export function origin({ origin: device, by }) {
  if (device === null) return given(by);
  return [given(device.deviceID), ' ', el('span', { class: 'soft' }, `(${device.platform})`)];
}

export const syncedBadge = (synced) => (synced
  ? badge(t('deletions.synced.yes'), 'accent')
  : badge(t('deletions.synced.no')));
