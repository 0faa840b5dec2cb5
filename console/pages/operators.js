// Who may use the console.

import { get, patch, path, post, remove, session } from '../api.js';
import { given } from '../dom.js';
import { t } from '../i18n/index.js';
import { badge, button, field, input, select } from '../ui/controls.js';
import { confirm, formDialog } from '../ui/dialog.js';
import { fetched, page, pageHead, section } from '../ui/page.js';
import { said } from '../ui/say.js';
import { showSecret } from '../ui/secret.js';
import { table } from '../ui/table.js';
import { moment, since } from '../ui/time.js';

const ROLES = ['administrator', 'viewer'];

export function operators({ signal }) {
  const content = fetched(signal, () => get('/operators', { signal }), ({ operators: list }) => {
    const columns = [
      [t('operator')], [t('role')], [t('created')], [t('operators.lastSignIn')], [t('actions'), 'end'],
    ];
    return table(t('nav.operators'), columns, list.map((operator) => [
      [given(operator.name), operator.name === session.current?.name && [' ', badge(t('operators.you'), 'accent')]],
      t(`role.${operator.role}`),
      moment(operator.createdAt),
      operator.lastSignIn === null ? t('never') : since(operator.lastSignIn),
      actions(operator),
    ]));
  });

  const actions = (operator) => {
    const { name } = operator;
    const own = (label, work, kind) =>
      button(label, work, { kind: `small ${kind}`, 'aria-label': t('operators.for', { action: label, name }) });
    return [
      own(t('operators.role'), () => changeRole(operator), 'quiet'),
      own(t('operators.password'), () => resetPassword(operator), 'quiet'),
      own(t('operators.remove'), () => dismiss(operator), 'danger-quiet'),
    ];
  };

  const roleField = (role) => field(t('role'), select(ROLES.map((each) => [each, t(`role.${each}`)]), role), {
    help: t('role.help'),
  });

  const create = async () => {
    const plain = { autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' };
    const name = field(t('operators.name'), input(plain));
    const role = roleField('viewer');
    const made = await formDialog({
      title: t('operators.create'),
      lead: t('operators.create.lead'),
      fields: { name, role },
      action: t('create'),
      values: () => ({ name: name.control.value, role: role.control.value }),
      send: (values) => post('/operators', values),
    });
    if (!made) return;
    const title = t('operators.created', { name: made.name });
    await showSecret({ title, name: t('signIn.password'), secret: made.password });
    content.reload();
  };

  const changeRole = async ({ name, role: before }) => {
    const role = roleField(before);
    const changed = await formDialog({
      title: t('operators.role.of', { name }),
      fields: { role },
      action: t('save'),
      values: () => ({ role: role.control.value }),
      send: (values) => patch(path('operators', name), values),
    });
    if (!changed) return;
    said(t('saved'));
    // One's own role decides what one is shown.
    if (name === session.current?.name) await session.find();
    content.reload();
  };

  const resetPassword = async ({ name }) => {
    const password = field(t('password.new'), input({ type: 'password', autocomplete: 'new-password' }), {
      help: t('password.help'),
    });
    const changed = await formDialog({
      title: t('operators.password.of', { name }),
      lead: t('operators.password.lead'),
      fields: { password },
      action: t('save'),
      values: () => ({ password: password.control.value }),
      send: (values) => patch(path('operators', name), values),
    });
    if (changed) said(t('saved'));
  };

  const dismiss = async ({ name }) => {
    const ok = await confirm({
      title: t('operators.remove.of', { name }), text: t('operators.remove.text'), action: t('operators.remove'),
      danger: true, work: () => remove(path('operators', name)),
    });
    if (!ok) return;
    said(t('operators.removed'));
    content.reload();
  };

  return {
    element: page(
      pageHead(t('nav.operators'), {
        lead: t('operators.lead'),
        actions: session.isAdministrator ? [button(t('operators.create'), create, { kind: 'primary' })] : [],
      }),
      section(t('operators.all'), content.element, { kind: 'flush' })),
  };
}
