// Sign in.

import { session } from '../api.js';
import { el } from '../dom.js';
import { t } from '../i18n/index.js';
import { busy, button, field, input } from '../ui/controls.js';
import { preferences } from '../ui/preferences.js';
import { explain } from '../ui/say.js';

export function signIn({ speak }) {
  const name = field(t('signIn.name'), input({
    name: 'name', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true,
  }));
  const password = field(t('signIn.password'), input({
    type: 'password', name: 'password', autocomplete: 'current-password', required: true,
  }));
  const wrong = el('p', { class: 'error', role: 'alert', hidden: true });
  const go = button(t('signIn.action'), null, { kind: 'primary', type: 'submit' });

  const submit = async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    for (const each of [name, password]) {
      each.right();
      if (each.control.value === '') each.wrong(t('required'));
    }
    const missing = [name, password].find(({ control }) => control.value === '');
    if (missing) {
      missing.control.focus();
      return;
    }
    await busy(go, () => session.signIn(name.control.value, password.control.value), (error) => {
      wrong.textContent = explain(error);
      wrong.hidden = false;
      password.control.select();
    });
  };

  return el('main', { class: 'alone' },
    el('div', { class: 'card sign-in' },
      el('p', { class: 'brand' }, el('img', { src: 'icon.svg', alt: '', width: 28, height: 28 }),
        'chatsync', el('span', {}, t('console'))),
      el('h1', { tabindex: '-1' }, t('signIn.title')),
      session.ended && el('p', { class: 'note warn', role: 'status' }, t('signIn.ended')),
      el('form', { class: 'stack', novalidate: true, on: { submit } },
        name.element, password.element, wrong, go)),
    preferences(speak));
}
