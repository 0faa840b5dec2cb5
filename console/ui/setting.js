// One setting of an app: what it is, who set it, and a way to change it. What somebody is typing is never
// overwritten by what somebody else saved meanwhile; it is told beside it.

import { el, given, icon, newId, show } from '../dom.js';
import { t } from '../i18n/index.js';
import { announce, explain } from './say.js';
import { busy, button } from './controls.js';
import { since } from './time.js';
import { Unfit } from './values.js';

const CHECK = 'M3 8.5 6.5 12 13 4.5';

/** "Changed by admin, 5 minutes ago", or that nobody did. */
function history(change) {
  if (!change) return [t('setting.default')];
  const [before, between, after] = t('setting.changed', { by: '\n', time: '\n' }).split('\n');
  return [before, given(change.by.replace(/^operator:/, '')), between, since(change.time), after];
}

/**
 * A value that is typed or chosen, then saved. `control(changed)` makes its control, `tell(value)` says a value in
 * words, `save(changes)` returns all settings. `update(settings)` takes over what the server says.
 */
export function setting({ key, title, help, control: make, tell, editable, save }) {
  const id = newId();
  const error = el('p', { class: 'error', role: 'alert', hidden: true });
  const meanwhile = el('div', { class: 'note warn', role: 'status', hidden: true });
  const changed = el('p', { class: 'soft small' });
  const state = el('span', { class: 'saved' });
  const discard = button(t('discard'), () => leave(), { kind: 'quiet', hidden: true });
  const store = button(t('save'), null, { kind: 'primary', type: 'submit', hidden: true });
  let stored;
  const control = make(() => touched());
  if (!editable) control.lock();

  const isDirty = () => !discard.hidden;
  const mark = (dirty) => {
    discard.hidden = !dirty;
    store.hidden = !dirty;
  };
  const touched = () => {
    error.hidden = true;
    show(state);
    try {
      mark(control.read() !== stored);
    } catch (unfit) {
      if (!(unfit instanceof Unfit)) throw unfit;
      mark(true);
    }
  };
  /** Back to what is stored. The button that was pressed is gone then: the focus goes where one was typing. */
  const leave = () => {
    control.write(stored);
    error.hidden = true;
    meanwhile.hidden = true;
    mark(false);
    control.element.querySelector('input:checked, input').focus();
  };
  const refuse = (why) => {
    error.textContent = why instanceof Unfit ? why.message : explain(why);
    error.hidden = false;
  };
  const submit = async () => {
    error.hidden = true;
    let value;
    try {
      value = control.read();
    } catch (unfit) {
      refuse(unfit);
      control.element.querySelector('input[type="number"]')?.focus();
      return;
    }
    const done = await busy(store, async () => {
      await save({ [key]: value });
      return true;
    }, refuse);
    if (!done) return;
    leave();
    show(state, icon(CHECK), t('saved'));
    announce(t('setting.saved', { title }));
  };
  const update = (settings) => {
    const before = stored;
    stored = settings[key];
    show(changed, history(settings.changed[key]));
    if (!isDirty()) {
      control.write(stored);
    } else if (before !== stored) {
      touched();
      meanwhile.hidden = !isDirty();
      show(meanwhile, el('span', {}, t('setting.meanwhile', { value: tell(stored) })),
        button(t('setting.take'), leave, { kind: 'quiet' }));
    }
  };
  const element = el('form', {
    class: 'setting', 'aria-labelledby': id, novalidate: true,
    on: {
      submit(event) {
        event.preventDefault();
        if (isDirty()) submit();
      },
    },
  },
  el('div', { class: 'setting-text' }, el('h3', { id }, title), help && el('p', { class: 'help' }, help), changed),
  el('div', { class: 'setting-value' }, control.element, error, meanwhile,
    el('div', { class: 'setting-end' }, state, discard, store)));
  return { element, update };
}

/**
 * A setting that is on or off and holds at once. `confirm(on)`, where given, asks first and resolves to whether to
 * go on. `meanings` are what off and on mean.
 */
export function switchSetting({
  key, title, help, meanings, editable, save, confirm = async () => true, id = newId(),
}) {
  const error = el('p', { class: 'error', role: 'alert', hidden: true });
  const meaning = meanings.map((text, place) =>
    el('p', { class: 'meaning', id: newId() }, el('strong', {}, t(place === 1 ? 'on' : 'off')), ' ', text));
  const changed = el('p', { class: 'soft small' });
  const state = el('span', { class: 'saved' });
  const word = el('span', { class: 'switch-word', 'aria-hidden': 'true' });
  const control = el('button', {
    type: 'button', class: 'switch', role: 'switch', id, 'aria-checked': 'false', disabled: !editable,
    'aria-labelledby': `${id}-title`, 'aria-describedby': meaning.map((each) => each.id).join(' '),
    on: { click: () => flip() },
  }, el('i', {}));
  const flip = async () => {
    const on = control.getAttribute('aria-checked') !== 'true';
    error.hidden = true;
    show(state);
    if (!await confirm(on)) return;
    const done = await busy(control, async () => {
      await save({ [key]: on });
      return true;
    }, (why) => {
      error.textContent = explain(why);
      error.hidden = false;
    });
    if (!done) return;
    show(state, icon(CHECK), t('saved'));
    announce(t(on ? 'setting.nowOn' : 'setting.nowOff', { title }));
  };
  const update = (settings) => {
    const on = settings[key];
    control.setAttribute('aria-checked', String(on));
    show(word, t(on ? 'on' : 'off'));
    for (const [place, each] of meaning.entries()) each.classList.toggle('holds', place === Number(on));
    show(changed, history(settings.changed[key]));
  };
  const element = el('div', { class: 'setting' },
    el('div', { class: 'setting-text' },
      el('h3', { id: `${id}-title` }, title), help && el('p', { class: 'help' }, help), meaning, changed),
    el('div', { class: 'setting-value' },
      el('div', { class: 'setting-end' }, state, word, control), error));
  return { element, update };
}
