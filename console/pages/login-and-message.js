// Feature Configuration > Login and Message: an app's settings, the switch first.

import { get, patch, path, session } from '../api.js';
import { el } from '../dom.js';
import { duration, number, t } from '../i18n/index.js';
import { live } from '../live.js';
import { administratorsOnly } from '../ui/controls.js';
import { confirm } from '../ui/dialog.js';
import { appBadge, fetched, page, pageHead, section } from '../ui/page.js';
import { setting, switchSetting } from '../ui/setting.js';
import { choice, count, optional, span } from '../ui/values.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const YEAR = 365 * DAY;

/** The sections in their order, as they are named in addresses and in words. */
export const SECTIONS = [
  ['multi-client-synchronization', 'section.sync'],
  ['login-settings', 'section.login'],
  ['message-recall', 'section.recall'],
  ['history-storage', 'section.history'],
  ['undo', 'section.undo'],
  ['relationship-check', 'section.relationship'],
];

export function loginAndMessage({ params, signal }) {
  const { app } = params;
  const place = path('apps', app, 'settings');
  const editable = session.isAdministrator;
  let rows = null;
  const save = async (changes) => update(await patch(place, changes));
  const update = (settings) => rows.forEach((row) => row.update(settings));
  const draw = (settings) => {
    const sections = build({ editable, save });
    rows = sections.flatMap(([, those]) => those);
    update(settings);
    return el('div', { class: 'stack wide' }, sections.map(([name, those], place) =>
      section(t(name), those.map(({ element }) => element), { id: SECTIONS[place][0] })));
  };

  const content = fetched(signal, () => get(place, { signal }), (settings) => {
    const drawn = draw(settings);
    // Once it is there.
    queueMicrotask(() => reveal(params.section));
    return drawn;
  });
  live.addEventListener('app', async ({ detail }) => {
    if (detail !== null && String(detail) !== app) return;
    if (rows === null) {
      content.reload();
      return;
    }
    try {
      update(await get(place, { signal }));
    } catch (error) {
      // What is shown may be old now; an ended session shows itself.
      if (error.name !== 'AbortError') content.reload();
    }
  }, { signal });

  const reveal = (id) => {
    const target = id && content.element.querySelector(`section[id="${CSS.escape(id)}"]`);
    if (!target) return;
    target.scrollIntoView({ block: 'start' });
    target.querySelector('h2').focus({ preventScroll: true });
  };
  return {
    element: page(
      pageHead(t('nav.loginAndMessage'), { lead: t('login.lead'), beside: appBadge(app) }),
      !editable && administratorsOnly(), content.element),
    moved: ({ params: { section: id } }) => reveal(id),
  };
}

/** `[section, rows]` for each of the sections. */
function build({ editable, save }) {
  const common = { editable, save };
  const forEver = (value, say) => (value === null ? t('history.forEver') : say(value));
  return [
    [SECTIONS[0][1], [switchSetting({
      ...common,
      key: 'syncConversationDeletion',
      id: 'sync-conversation-deletion',
      title: t('sync.title'),
      help: t('sync.help'),
      meanings: [t('sync.off'), t('sync.on')],
      // Switching on can be taken back at once; what is deleted while it is off is never told.
      confirm: async (on) => on || await confirm({
        title: t('sync.confirm.title'), text: t('sync.confirm.text'), action: t('sync.confirm.action'),
        work: async () => true,
      }) !== undefined,
    })]],
    [SECTIONS[1][1], [
      setting({
        ...common,
        key: 'loginMode',
        title: t('loginMode.title'),
        help: t('loginMode.help'),
        tell: (value) => t(`loginMode.${value}`),
        control: (changed) => choice({
          label: t('loginMode.title'),
          changed,
          options: ['single', 'dual', 'triple', 'multi'].map((mode) =>
            [mode, t(`loginMode.${mode}`), t(`loginMode.${mode}.meaning`)]),
        }),
      }),
      setting({
        ...common,
        key: 'instancesPerPlatform',
        title: t('instances.title'),
        help: t('instances.help'),
        tell: (value) => (value === null ? t('instances.none') : number(value)),
        control: (changed) => optional({
          label: t('instances.title'),
          none: t('instances.none'),
          some: t('instances.some'),
          suggestion: 1,
          changed,
          inner: count({ label: t('instances.title'), unit: t('instances.unit'), least: 1, most: 1000, changed }),
        }),
      }),
    ]],
    [SECTIONS[2][1], [setting({
      ...common,
      key: 'revokeWindow',
      title: t('revoke.title'),
      help: t('revoke.help'),
      tell: duration,
      control: (changed) => span({ label: t('revoke.title'), least: 0, most: YEAR, changed }),
    })]],
    [SECTIONS[3][1], [setting({
      ...common,
      key: 'historyRetention',
      title: t('history.title'),
      help: t('history.help'),
      tell: (value) => forEver(value, duration),
      control: (changed) => optional({
        label: t('history.title'),
        none: t('history.forEver'),
        some: t('history.some'),
        suggestion: 90 * DAY,
        changed,
        inner: span({ label: t('history.title'), least: DAY, most: 10 * YEAR, changed }),
      }),
    })]],
    [SECTIONS[4][1], [setting({
      ...common,
      key: 'undoWindow',
      title: t('undo.title'),
      help: t('undo.help'),
      tell: duration,
      control: (changed) => span({ label: t('undo.title'), least: 0, most: YEAR, changed }),
    })]],
    [SECTIONS[5][1], [switchSetting({
      ...common,
      key: 'relationshipCheck',
      title: t('relationship.title'),
      help: t('relationship.help'),
      meanings: [t('relationship.off'), t('relationship.on')],
    })]],
  ];
}
