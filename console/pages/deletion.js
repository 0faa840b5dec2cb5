// One deletion: who, where and when, under which setting; what it took, which devices know, and the way back.

import { get, path, post, session } from '../api.js';
import { el, given, show } from '../dom.js';
import { dateTime, number, t } from '../i18n/index.js';
import { link } from '../router.js';
import { badge, busy, button } from '../ui/controls.js';
import { confirm } from '../ui/dialog.js';
import { appBadge, empty, fetched, page, pageHead, section } from '../ui/page.js';
import { said } from '../ui/say.js';
import { facts, table } from '../ui/table.js';
import { moment } from '../ui/time.js';
import { origin, syncedBadge } from './deletions.js';
import { onlineBadge, timeLeft } from './user.js';

export function deletion({ params: { app, id }, signal }) {
  const place = path('apps', app, 'deletions', id);
  const outcome = el('div', { hidden: true });
  const restore = async () => {
    const ok = await confirm({
      title: t('restore.title'), text: [t('restore.text'), t('restore.everywhere')], action: t('restore.action'),
      work: () => post(`${place}/restore`),
    });
    if (!ok) return;
    const { results } = ok.value;
    const failed = results.filter(({ code }) => code !== 0);
    said(t('restore.done', { n: results.length - failed.length }));
    outcome.hidden = false;
    show(outcome, results.length > 0 && section(t('restore.results'), resultTable(results), { kind: 'flush' }));
    content.reload();
  };
  const content = fetched(signal, () => get(place, { signal }), (found) => el('div', { class: 'stack wide' },
    section(t('deletion.what'), summary(app, found)),
    undo(found, restore),
    section(t('conversations'), conversationTable(found.conversationList), { kind: 'flush' }),
    section(t('deletion.applied'), deviceList(found), {
      kind: 'flush', lead: t(found.synced ? 'deletion.applied.lead' : 'deletion.applied.not'),
    })));
  const refresh = button(t('refresh'), () => busy(refresh, content.reload));
  return {
    element: page(
      pageHead(t('deletion.title', { id }), { beside: appBadge(app), actions: [refresh] }),
      outcome, content.element),
  };
}

function summary(app, found) {
  return facts([
    [t('user'), el('a', { href: link(['apps', app, 'users', found.userID]) }, given(found.userID))],
    [t('time'), moment(found.time)],
    [t('deletions.from'), origin(found)],
    [t('deletion.by'), given(found.by)],
    [t('deletion.setting'), [syncedBadge(found.synced), ' ', el('span', { class: 'soft' },
      t(found.synced ? 'deletion.setting.on' : 'deletion.setting.off'))]],
    [t('conversations'), number(found.conversations)],
    [t('deletions.history'), t(found.historyCleared ? 'deletions.cleared' : 'deletions.kept')],
    [t('version'), found.synced ? number(found.version) : '–'],
  ]);
}

function undo(found, restore) {
  const restorable = found.conversationList.filter((each) => each.restorable).length;
  const isOpen = found.undoUntil !== null;
  const text = isOpen
    ? t('restore.open', { n: restorable, left: timeLeft(found.undoUntil), until: dateTime(found.undoUntil) })
    : t('restore.nothing');
  return section(t('restore.section'), el('p', { class: 'card-body' }, text), {
    actions: isOpen && session.isAdministrator
      ? [button(t('restore.action'), restore, { kind: 'primary' })]
      : [],
  });
}

function conversationTable(list) {
  const columns = [[t('conversation')], [t('deletion.upTo'), 'end'], [t('deletion.restorable')]];
  return table(t('conversations'), columns, list.map(({ conversationID, upTo, restorable }) => [
    given(conversationID), number(upTo), restorable ? badge(t('yes'), 'good') : badge(t('no')),
  ]));
}

function deviceList({ devices, origin: from }) {
  if (devices.length === 0) return empty(t('devices.empty'));
  const applied = (device) => {
    if (device.deviceID === from?.deviceID) return badge(t('applied.here'), 'accent');
    if (device.applied === null) return badge(t('applied.untold'));
    return device.applied ? badge(t('applied.yes'), 'good') : badge(t('applied.no'), 'warn');
  };
  const columns = [
    [t('device')], [t('device.platform')], [t('device.state')], [t('device.ack'), 'end'],
    [t('deletion.this')],
  ];
  return table(t('deletion.applied'), columns, devices.map((device) => [
    given(device.deviceID), device.platform, onlineBadge(device.online), number(device.ack), applied(device),
  ]));
}

function resultTable(results) {
  return table(t('restore.results'), [[t('conversation')], [t('restore.result')]],
    results.map(({ conversationID, code }) => [
      given(conversationID),
      code === 0 ? badge(t('restore.restored'), 'good') : badge(t('restore.failed', { code: String(code) }), 'bad'),
    ]));
}
