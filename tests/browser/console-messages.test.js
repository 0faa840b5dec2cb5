// The messages of the console, read as files: no server, no browser.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import en from '../../console/i18n/en.js';
import zhCN from '../../console/i18n/zh-CN.js';

const CONSOLE = new URL('../../console/', import.meta.url).pathname;

/** All modules but the messages themselves. */
const source = readdirSync(CONSOLE, { recursive: true })
  .filter((name) => name.endsWith('.js') && !/i18n\/(en|zh-CN)\.js$/.test(name))
  .map((name) => readFileSync(join(CONSOLE, name), 'utf8'))
  .join('\n');

const forms = (message) => (typeof message === 'string' ? [message] : Object.values(message));
const places = (form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('Chinese has every message that English has, and no other', () => {
  assert.deepEqual(Object.keys(zhCN).sort(), Object.keys(en).sort());
});

test('each message has the same places to fill in in both languages', () => {
  for (const [name, message] of Object.entries(en)) {
    const [english, chinese] = [message, zhCN[name]].map((each) => places(forms(each).at(-1)));
    assert.deepEqual(chinese, english, name);
  }
});

test('a message in plural forms has one for every number', () => {
  for (const message of [...Object.values(en), ...Object.values(zhCN)]) {
    if (typeof message !== 'string') assert.ok(message.other, JSON.stringify(message));
  }
});

test('every message is used', () => {
  // `t('nav.users')`, or a prefix that is completed: t(`role.${role}`).
  const whole = new Set([...source.matchAll(/'([\w.-]+)'/g)].map(([, name]) => name));
  const patterns = [...source.matchAll(/`((?:[a-zA-Z]+\.)+)\$\{[^}]+\}([\w.]*)`/g)]
    .map(([, before, after]) => new RegExp(`^${before.replaceAll('.', '\\.')}.+${after.replaceAll('.', '\\.')}$`));
  const unused = Object.keys(en).filter((name) => !whole.has(name) && !patterns.some((pattern) => pattern.test(name)));
  assert.deepEqual(unused, []);
});

test('every message that is asked for is there', () => {
  const asked = [...source.matchAll(/\bt\('([^']+)'/g)].map(([, name]) => name);
  assert.ok(asked.length > 100, 'the messages asked for are found');
  assert.deepEqual(asked.filter((name) => !(name in en)), []);
});

test('nothing is parsed as markup, evaluated or fetched from elsewhere', () => {
  assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  assert.doesNotMatch(source.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//);
});
