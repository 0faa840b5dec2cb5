// The language of the pages: messages, dates, numbers.

import { remember, remembered } from '../storage.js';
import en from './en.js';
import zhCN from './zh-CN.js';

const MESSAGES = { en, 'zh-CN': zhCN };
/** Each language by its own name. */
export const LANGUAGES = [['en', 'English'], ['zh-CN', '简体中文']];

let current = remembered('language') ?? navigator.language;
current = /^zh\b/i.test(current) ? 'zh-CN' : 'en';
document.documentElement.lang = current;

export const language = () => current;

export function setLanguage(chosen) {
  current = chosen;
  remember('language', chosen);
  document.documentElement.lang = chosen;
}

/** The message of that name, with `{name}` filled in from `values`; `n` chooses among plural forms. */
export function t(name, values = {}) {
  const message = MESSAGES[current][name];
  if (message === undefined) throw new Error(`there is no message ${name}`);
  const form = typeof message === 'string'
    ? message
    : message[new Intl.PluralRules(current).select(values.n)] ?? message.other;
  return form.replace(/\{(\w+)\}/g, (_, key) => {
    const value = values[key];
    return typeof value === 'number' ? number(value) : value;
  });
}

export const hasMessage = (name) => MESSAGES[current][name] !== undefined;

/** With at most `digits` places after the point. */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(current, { maximumFractionDigits: digits }).format(value);
}

/** Date and time to the second, in the reader's time zone. */
export function dateTime(ms) {
  return new Intl.DateTimeFormat(current, {
    year: 'numeric', month: 'short', day: 'numeric',
    hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  }).format(ms);
}

/** The time of day to the second. */
export function clock(ms) {
  return new Intl.DateTimeFormat(current, { timeStyle: 'medium', hourCycle: 'h23' }).format(ms);
}

const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]];

/** "7 days", "1 hour 30 minutes": exact to the second. */
export function duration(ms) {
  let rest = Math.round(ms / 1000) * 1000;
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(inUnit(count, unit));
  }
  return parts.length === 0 ? inUnit(0, 'second') : parts.join(current === 'en' ? ' ' : '');
}

/** A duration by its largest unit alone: "6 days". */
export function roughly(ms) {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? UNITS.at(-1);
  return inUnit(Math.max(0, Math.floor(ms / size)), unit);
}

function inUnit(count, unit) {
  return new Intl.NumberFormat(current, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}

/** "5 minutes ago". */
export function ago(ms) {
  const past = Date.now() - ms;
  const [unit, size] = UNITS.find(([, size]) => past >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(current, { numeric: 'auto' }).format(-Math.max(0, Math.floor(past / size)), unit);
}

/** "a, b and c". */
export function listed(parts) {
  return new Intl.ListFormat(current, { type: 'conjunction' }).format(parts);
}
