// Dialogs. The browser keeps the focus inside and gives it back to where it was.

import { el, newId, show } from '../dom.js';
import { t } from '../i18n/index.js';
import { button, busy } from './controls.js';
import { explain } from './say.js';

/**
 * Opens a dialog around `content`; resolves with what `finish(value)` was called with, or undefined if it was left.
 * `build(finish)` returns the content.
 */
export function dialog(title, build) {
  const id = newId();
  return new Promise((resolve) => {
    let outcome;
    const before = document.activeElement;
    const box = el('dialog', { 'aria-labelledby': id });
    const finish = (value) => {
      outcome = value;
      box.close();
    };
    show(box, el('h2', { id }, title), build(finish));
    box.addEventListener('close', () => {
      // Messages that were moved in stay on the page.
      document.body.append(document.getElementById('toasts'));
      box.remove();
      if (before?.isConnected) before.focus();
      resolve(outcome);
    });
    document.body.append(box);
    box.showModal();
  });
}

/**
 * Asks before `work` is done, and does it while the dialog is open, so that a failure can be read and tried again.
 * Resolves with `{value}`, or undefined if somebody thought better of it.
 */
export function confirm({ title, text, action, danger = false, work }) {
  return dialog(title, (finish) => {
    const wrong = el('p', { class: 'error', role: 'alert', hidden: true });
    const go = button(action, async () => {
      wrong.hidden = true;
      const value = await busy(go, async () => ({ value: await work() }), (error) => {
        wrong.textContent = explain(error);
        wrong.hidden = false;
      });
      if (value) finish(value);
    }, { kind: danger ? 'danger' : 'primary' });
    return [
      [text].flat().map((part) => el('p', {}, part)),
      wrong,
      el('div', { class: 'actions' }, button(t('cancel'), () => finish(), { autofocus: danger }), go),
    ];
  });
}

/**
 * A form in a dialog. `fields` by name; `send(values)` returns what the dialog resolves with. An error that names a
 * field is told beside it.
 */
export function formDialog({ title, lead, fields, action, values, send }) {
  return dialog(title, (finish) => {
    const wrong = el('p', { class: 'error', role: 'alert', hidden: true });
    const go = button(action, null, { kind: 'primary', type: 'submit' });
    const submit = async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      Object.values(fields).forEach((each) => each.right());
      const value = await busy(go, () => send(values()), (error) => {
        const place = fields[error.field];
        if (place) {
          place.wrong(explain(error));
          place.control.focus();
        } else {
          wrong.textContent = explain(error);
          wrong.hidden = false;
        }
      });
      if (value !== undefined) finish(value);
    };
    return [
      lead && el('p', {}, lead),
      el('form', { class: 'stack', on: { submit }, novalidate: true },
        Object.values(fields).map((each) => each.element), wrong,
        el('div', { class: 'actions' }, button(t('cancel'), () => finish()), go)),
    ];
  });
}
