// The applications of this server.

import { get, post, session } from '../api.js';
import { apps } from '../apps.js';
import { el } from '../dom.js';
import { number, t } from '../i18n/index.js';
import { live } from '../live.js';
import { link } from '../router.js';
import { badge, button, field, input } from '../ui/controls.js';
import { formDialog } from '../ui/dialog.js';
import { empty, fetched, page, pageHead, section } from '../ui/page.js';
import { showSecret } from '../ui/secret.js';
import { table } from '../ui/table.js';
import { moment } from '../ui/time.js';

export function applications({ signal }) {
  const content = fetched(signal, () => get('/apps', { signal }), ({ apps: list }) => (list.length === 0
    ? empty(t('apps.empty'), t('apps.empty.text'))
    : table(t('nav.applications'), [
      [t('apps.id')], [t('apps.state')], [t('sync.title')], [t('apps.accounts'), 'end'],
      [t('apps.keys'), 'end'], [t('created')],
    ], list.map(row))));
  live.addEventListener('app', content.reload, { signal });

  const create = async () => {
    const id = field(t('apps.id'), input({ inputmode: 'numeric', autocomplete: 'off' }), {
      help: t('apps.create.help'),
    });
    const made = await formDialog({
      title: t('apps.create'),
      lead: t('apps.create.lead'),
      fields: { sdkAppID: id },
      action: t('create'),
      values: () => (id.control.value.trim() === '' ? {} : { sdkAppID: asNumber(id.control.value.trim()) }),
      send: (values) => post('/apps', values),
    });
    if (!made) return;
    const title = t('apps.created', { app: String(made.sdkAppID) });
    await showSecret({ title, name: t('apps.key'), secret: made.secretKey });
    apps.refresh();
    content.reload();
  };
  const actions = session.isAdministrator ? [button(t('apps.create'), create, { kind: 'primary' })] : [];
  return {
    element: page(
      pageHead(t('nav.applications'), { lead: t('apps.lead'), actions }),
      section(t('apps.all'), content.element, { kind: 'flush' })),
  };
}

/** What isn't a number the server refuses, with its bounds. */
const asNumber = (text) => (/^\d+$/.test(text) ? Number(text) : text);

function row({ sdkAppID, disabled, createdAt, keys, syncConversationDeletion, accounts, isDemo }) {
  const name = el('a', { href: link(['apps', sdkAppID, 'configuration']), class: 'mono' }, String(sdkAppID));
  return [
    isDemo ? [name, ' ', badge(t('apps.demo'))] : name,
    disabled ? badge(t('apps.disabled'), 'bad') : badge(t('apps.enabled'), 'good'),
    badge(t(syncConversationDeletion ? 'on' : 'off'), syncConversationDeletion ? 'accent' : ''),
    number(accounts),
    keys === 1 ? number(keys) : [number(keys), ' ', badge(t('apps.rotating'), 'warn')],
    moment(createdAt),
  ];
}
