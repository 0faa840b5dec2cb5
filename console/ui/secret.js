// Shows something secret, once.

import { el } from '../dom.js';
import { t } from '../i18n/index.js';
import { button, copyButton } from './controls.js';
import { dialog } from './dialog.js';

/** Resolves when it has been put away; nothing of it stays in the page. */
export function showSecret({ title, name, secret }) {
  return dialog(title, (finish) => {
    const shown = el('code', { class: 'secret', tabindex: '0', 'aria-label': name }, secret);
    return [
      el('p', { class: 'note warn' }, t('secret.once')),
      el('p', { class: 'secret-name' }, name),
      el('div', { class: 'secret-line' }, shown, copyButton(secret, shown)),
      el('div', { class: 'actions' }, button(t('secret.kept'), () => finish(), { kind: 'primary' })),
    ];
  });
}
