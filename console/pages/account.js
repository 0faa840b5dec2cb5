// One's own account: password, sign out.

import { get, post, session } from '../api.js';
import { el, given } from '../dom.js';
import { t } from '../i18n/index.js';
import { busy, button, field, input } from '../ui/controls.js';
import { fetched, page, pageHead, section } from '../ui/page.js';
import { explain, said, warned } from '../ui/say.js';
import { facts } from '../ui/table.js';
import { moment } from '../ui/time.js';

/** Characters; the server holds to it too. */
const SHORTEST = 10;

export function account({ signal }) {
  const { name } = session.current;
  const you = fetched(signal, () => get('/session', { signal }), ({ role, expiresAt }) => facts([
    [t('operator'), given(name)],
    [t('role'), `${t(`role.${role}`)}: ${t(`role.${role}.meaning`)}`],
    [t('account.until'), moment(expiresAt)],
  ]));
  const leave = button(t('signOut'), () => busy(leave, () => session.signOut(), (error) => warned(explain(error))));
  return {
    element: page(
      pageHead(t('nav.account'), { actions: [leave] }),
      section(t('account.you'), you.element),
      section(t('password.title'), passwordForm(name), { lead: t('password.lead') })),
  };
}

function passwordForm(name) {
  const secret = (label, autocomplete, help = null) =>
    field(label, input({ type: 'password', autocomplete }), { help });
  const fields = {
    current: secret(t('password.current'), 'current-password'),
    password: secret(t('password.new'), 'new-password', t('password.help')),
    again: secret(t('password.again'), 'new-password'),
  };
  const { current, password, again } = fields;
  const wrong = el('p', { class: 'error', role: 'alert', hidden: true });
  const go = button(t('password.action'), null, { kind: 'primary', type: 'submit' });

  /** The first field that can't be as it is, told beside it. */
  const check = () => {
    const complaints = [
      [current, current.control.value === '' && t('required')],
      [password, [...password.control.value].length < SHORTEST && t('password.short', { n: SHORTEST })],
      [again, again.control.value !== password.control.value && t('password.differs')],
    ];
    for (const [each] of complaints) each.right();
    const first = complaints.find(([, complaint]) => complaint);
    if (first) {
      first[0].wrong(first[1]);
      first[0].control.focus();
    }
    return first === undefined;
  };
  const submit = async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    if (!check()) return;
    const done = await busy(go, async () => {
      await post('/password', { current: current.control.value, password: password.control.value });
      return true;
    }, (error) => {
      const place = error.code === 'wrong_credentials' ? current : fields[error.field];
      if (place) {
        place.wrong(error.code === 'wrong_credentials' ? t('password.wrong') : explain(error));
        place.control.focus();
      } else {
        wrong.textContent = explain(error);
        wrong.hidden = false;
      }
    });
    if (!done) return;
    for (const { control } of Object.values(fields)) control.value = '';
    said(t('password.changed'));
  };
  return el('form', { class: 'stack narrow card-body', novalidate: true, on: { submit } },
    // For password managers: whose password it is.
    input({ name: 'username', autocomplete: 'username', value: name, hidden: true, readonly: true }),
    Object.values(fields).map(({ element }) => element), wrong, el('div', { class: 'actions' }, go));
}
