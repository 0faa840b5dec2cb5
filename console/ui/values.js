// Controls for the values of settings. Each has `element`, `read()` (throws `Unfit`), `write(value)`, `lock()`, and
// calls its `changed` when somebody changed it.

import { el, newId } from '../dom.js';
import { duration, t } from '../i18n/index.js';

/** What was typed is no such value. */
export class Unfit extends Error {}

const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]];

/** One of a few: `options` are `[value, label, what it means]`. */
export function choice({ label, options, changed }) {
  const name = newId();
  const radios = options.map(([value]) =>
    el('input', { type: 'radio', name, id: newId(), value, on: { change: changed } }));
  return {
    element: el('fieldset', { class: 'choice' }, el('legend', { class: 'visually-hidden' }, label),
      options.map(([, text, meaning], place) => el('div', { class: 'option' },
        radios[place],
        el('label', { for: radios[place].id }, text, meaning && el('span', { class: 'help' }, meaning))))),
    read: () => radios.find(({ checked }) => checked).value,
    write(value) {
      for (const radio of radios) radio.checked = radio.value === value;
    },
    lock() {
      for (const radio of radios) radio.disabled = true;
    },
  };
}

/** A whole number. */
export function count({ label, unit, least, most, changed }) {
  const control = el('input', {
    type: 'number', inputmode: 'numeric', min: least, max: most, step: 1, 'aria-label': label,
    on: { input: changed },
  });
  return {
    element: el('span', { class: 'inline' }, control, unit),
    read() {
      const value = Number(control.value);
      if (control.value === '' || !Number.isInteger(value) || value < least || value > most) {
        throw new Unfit(t('unfit.count', { least, most }));
      }
      return value;
    },
    write(value) {
      control.value = String(value);
    },
    lock() {
      control.disabled = true;
    },
  };
}

/** Milliseconds, typed as a number of days, hours, minutes or seconds. */
export function span({ label, least, most, changed }) {
  const control = el('input', {
    type: 'number', inputmode: 'numeric', min: 0, step: 1, 'aria-label': label, on: { input: changed },
  });
  const unit = el('select', { 'aria-label': t('unit.label', { label }), on: { change: changed } },
    UNITS.map(([name]) => el('option', { value: name }, t(`unit.${name}`))));
  return {
    element: el('span', { class: 'inline' }, control, unit),
    read() {
      const number = Number(control.value);
      const value = number * UNITS.find(([name]) => name === unit.value)[1];
      if (control.value === '' || !Number.isInteger(number) || value < least || value > most) {
        throw new Unfit(t('unfit.span', { least: duration(least), most: duration(most) }));
      }
      return value;
    },
    write(value) {
      const [name, size] = UNITS.find(([, size]) => value >= size && value % size === 0) ?? UNITS.at(-1);
      unit.value = name;
      control.value = String(value / size);
    },
    lock() {
      control.disabled = true;
      unit.disabled = true;
    },
  };
}

/** Null, or what `inner` holds; `suggestion` is what it starts with. */
export function optional({ label, none, some, inner, suggestion, changed }) {
  const name = newId();
  const radio = (value) => el('input', { type: 'radio', name, value, id: newId(), on: { change: () => pick() } });
  const [without, having] = [radio('none'), radio('some')];
  const gray = () => inner.element.classList.toggle('unused', !having.checked);
  const pick = () => {
    gray();
    changed();
  };
  // Who types into it means it.
  inner.element.addEventListener('input', () => {
    having.checked = true;
    pick();
  });
  return {
    element: el('fieldset', { class: 'choice' }, el('legend', { class: 'visually-hidden' }, label),
      el('div', { class: 'option' }, without, el('label', { for: without.id }, none)),
      el('div', { class: 'option' }, having, el('label', { for: having.id }, some), inner.element)),
    read: () => (without.checked ? null : inner.read()),
    write(value) {
      without.checked = value === null;
      having.checked = value !== null;
      inner.write(value ?? suggestion);
      gray();
    },
    lock() {
      without.disabled = true;
      having.disabled = true;
      inner.lock();
    },
  };
}
