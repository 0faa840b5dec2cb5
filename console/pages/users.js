// An app's users.

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

export function users({ params: { app }, query, signal, go }) {
  const list = listing({
    signal, go, query,
    parts: ['apps', app, 'users'],
    fields: { prefix: field(t('users.prefix'), searchInput('prefix')) },
    label: t('users.search'),
    cursor: 'after',
    ask: (wanted) => get(address(path('apps', app, 'users'), { ...wanted, limit: PAGE }), { signal }),
    draw: ({ users: found }, { prefix }) => {
      announce(t('users.found', { n: found.length }));
      if (found.length > 0) return userTable(app, found);
      return prefix ? empty(t('users.none'), t('users.none.text')) : empty(t('users.empty'), t('users.empty.text'));
    },
  });
  return {
    element: page(
      pageHead(t('nav.users'), { lead: t('users.lead'), beside: appBadge(app) }),
      section(t('users.all'), list.element, { kind: 'flush' })),
    moved: list.moved,
  };
}

function userTable(app, list) {
  const columns = [
    [t('user')], [t('users.devices'), 'end'], [t('users.online')], [t('version'), 'end'], [t('created')],
  ];
  return table(t('nav.users'), columns, list.map(({ userID, version, devices, online, createdAt }) => [
    el('a', { href: link(['apps', app, 'users', userID]) }, given(userID)),
    number(devices),
    online > 0 ? badge(t('users.onlineNow', { n: online }), 'good') : el('span', { class: 'soft' }, t('offline')),
    number(version),
    moment(createdAt),
  ]));
}
