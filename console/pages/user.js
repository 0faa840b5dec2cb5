// One user: devices, the states of conversations (never what was said), deletions.

import { address, get, path, post, session } from '../api.js';
import { el, given, show } from '../dom.js';
import { number, roughly, t } from '../i18n/index.js';
import { link } from '../router.js';
import { badge, busy, button } from '../ui/controls.js';
import { confirm } from '../ui/dialog.js';
import { appBadge, empty, fetched, page, pageHead, section } from '../ui/page.js';
import { said } from '../ui/say.js';
import { facts, table } from '../ui/table.js';
import { moment, since } from '../ui/time.js';
import { deletionTable } from './deletions.js';

const CONVERSATIONS = 50;
const DELETIONS = 10;

export function user({ params: { app, user: id }, signal }) {
  const place = ['apps', app, 'users', id];
  const state = el('div', {});
  const devices = fetched(signal, () => get(path(...place), { signal }), (found) => {
    show(state, facts([
      [t('version'), number(found.version)],
      [t('created'), moment(found.createdAt)],
    ]));
    return found.devices.length === 0
      ? empty(t('devices.empty'))
      : deviceTable(found.devices, logout);
  });
  const conversations = fetched(signal,
    () => get(address(path(...place, 'conversations'), { limit: CONVERSATIONS }), { signal }),
    (answer) => conversationList(answer, (after) =>
      get(address(path(...place, 'conversations'), { after, limit: CONVERSATIONS }), { signal })));
  const deletions = fetched(signal,
    () => get(address(path('apps', app, 'deletions'), { user: id, limit: DELETIONS }), { signal }),
    ({ deletions: list, next }) => (list.length === 0 ? empty(t('deletions.empty')) : [
      deletionTable(app, list, { withUser: false }),
      next !== null && el('p', { class: 'more' },
        el('a', { href: link(['apps', app, 'deletions'], { user: id }) }, t('deletions.more'))),
    ]));

  const logout = async ({ deviceID }) => {
    const ok = await confirm({
      title: t('devices.logout'),
      text: [given(deviceID), t('devices.logout.text')],
      action: t('devices.logout'),
      danger: true,
      work: () => post(path(...place, 'devices', deviceID, 'logout')),
    });
    if (!ok) return;
    said(t('devices.loggedOut'));
    devices.reload();
  };
  // Not by a timer: a page that asks by itself would keep the session alive for ever.
  const refresh = button(t('refresh'), () =>
    busy(refresh, () => Promise.all([devices, conversations, deletions].map(({ reload }) => reload()))));
  return {
    element: page(
      pageHead(given(id), { beside: appBadge(app), actions: [refresh] }),
      section(t('user.state'), state),
      section(t('devices.title'), devices.element, { kind: 'flush', lead: t('devices.lead') }),
      section(t('conversations'), conversations.element, { kind: 'flush', lead: t('conversations.lead') }),
      section(t('nav.deletions'), deletions.element, { kind: 'flush' })),
  };
}

function deviceTable(devices, logout) {
  const columns = [
    [t('device')], [t('device.platform')], [t('device.state')], [t('device.address')], [t('device.since')],
    [t('device.ack'), 'end'], [t('device.behind'), 'end'], ...session.isAdministrator ? [[t('actions'), 'end']] : [],
  ];
  return table(t('devices.title'), columns, devices.map((device) => [
    given(device.deviceID),
    device.platform,
    onlineBadge(device.online),
    device.address === null ? '–' : el('span', { class: 'mono' }, device.address),
    device.since === null ? '–' : since(device.since),
    number(device.ack),
    device.behind === 0 ? number(0) : badge(number(device.behind), 'warn'),
    ...session.isAdministrator ? [button(t('devices.logout'), () => logout(device), {
      kind: 'small danger-quiet', 'aria-label': t('devices.logout.of', { device: device.deviceID }),
    })] : [],
  ]));
}

export const onlineBadge = (online) => (online ? badge(t('online'), 'good') : badge(t('offline')));

function conversationList(first, more) {
  if (first.conversations.length === 0) return empty(t('conversations.empty'));
  const all = [...first.conversations];
  const element = el('div', {});
  const draw = (next) => {
    const button = next !== null && moreButton(async () => {
      const answer = await more(next);
      all.push(...answer.conversations);
      draw(answer.next);
    });
    show(element, conversationTable(all), button && el('p', { class: 'more' }, button));
  };
  draw(first.next);
  return element;
}

function moreButton(work) {
  const more = button(t('more'), () => busy(more, work));
  return more;
}

function conversationTable(list) {
  const columns = [
    [t('conversation')], [t('conversation.state')], [t('conversation.unread'), 'end'],
    [t('conversation.last')], [t('conversation.hidden'), 'end'],
    [t('conversation.floor'), 'end'], [t('conversation.read'), 'end'], [t('version'), 'end'],
    [t('conversation.undo')],
  ];
  return table(t('conversations'), columns, list.map((each) => [
    given(each.conversationID),
    [
      each.listed ? badge(t('conversation.listed'), 'good') : badge(t('conversation.hiddenNow')),
      each.isPinned && [' ', badge(t('conversation.pinned'), 'accent')],
      each.membership !== 'active' && [' ', badge(t(`membership.${each.membership}`), 'warn')],
    ],
    number(each.unreadCount),
    [each.lastTime ? [since(each.lastTime), ' '] : null,
      el('span', { class: 'soft nowrap' }, t('conversation.lastSeq', { n: each.lastSeq }))],
    number(each.hiddenUpTo),
    number(each.historyFloor),
    number(each.readUpTo),
    number(each.version),
    each.undoUntil === null ? '–' : el('span', { class: 'nowrap' }, timeLeft(each.undoUntil)),
  ]));
}

/** How long something can still be undone. */
export function timeLeft(until) {
  const left = until - Date.now();
  return left > 0 ? t('undo.left', { time: roughly(left) }) : t('undo.over');
}
