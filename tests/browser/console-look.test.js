// Every page as it looks: in light and dark, in both languages, on a desk and on a phone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APP, Server } from './lib/server.js';
import { accessible, calm, screenshot, startBrowser } from './lib/browser.js';
import { enter, fits, LOGIN_AND_MESSAGE, NOBODY, path, session, visit } from './lib/console.js';
import { Devices } from './lib/console-devices.js';

const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };
const SMALL = { width: 320, height: 640 };

let server, browser, as, pages;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), startBrowser()]);
  let devices;
  [as, devices] = await Promise.all([session(browser, server), Devices.start(browser, server)]);
  await furnish(devices);
  pages = {
    overview: path('overview'),
    applications: path('apps'),
    configuration: path('apps', APP, 'configuration'),
    features: path('apps', APP, 'configuration', 'features'),
    'login-and-message': LOGIN_AND_MESSAGE(APP),
    users: path('apps', APP, 'users'),
    user: path('apps', APP, 'users', 'alice'),
    deletions: path('apps', APP, 'deletions'),
    deletion: null,
    audit: path('audit'),
    operators: path('operators'),
    account: path('account'),
    'not-found': path('no', 'such', 'page'),
  };
  const page = await enter(browser, server, { as, at: pages.deletions });
  const href = await page.getByRole('rowheader').first().getByRole('link').getAttribute('href');
  pages.deletion = href;
  await page.context().close();
});
after(async () => { await browser?.close(); await server?.stop(); });

/** Something to see on every page. */
async function furnish(devices) {
  server.syncDeletions(true);
  const phone = await devices.login('alice', 'alice-phone');
  const laptop = await devices.login('alice', 'alice-laptop', { platform: 'Mac' });
  await devices.login('bob', 'bob-phone', { platform: 'Android' });
  for (const peer of ['bob', 'carol', '管理员', '<script>alert(1)</script>', 'x'.repeat(64), 'abc\u202Efed']) {
    await phone.say(`C2C${peer}`, 'hello');
  }
  await phone.call('group.create', { groupID: 'team', name: 'Team', memberList: [{ userID: 'bob' }] });
  await phone.say('GROUPteam', 'hello');
  await phone.delete('C2Ccarol');
  const { version } = await phone.delete('C2Cbob', 'GROUPteam', 'C2C<script>alert(1)</script>');
  await laptop.call('ping', { ack: version });
}

/** Until nothing is loading any more. */
async function settled(page) {
  await page.locator('main h1').waitFor();
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"], .skeleton'));
}

async function tour(options, suffix, check = accessible) {
  const page = await enter(browser, server, { as, ...options });
  for (const [name, at] of Object.entries(pages)) {
    await page.evaluate((hash) => { location.hash = hash; }, at);
    await settled(page);
    if (name === 'overview') await page.locator('.plot path, .plot circle').first().waitFor({ timeout: 10_000 });
    await check(page);
    await fits(page);
    await screenshot(page, `console-${name}-${suffix}`);
  }
  calm(page);
  await page.context().close();
}

test('every page is accessible in light, in English, on a desk', () =>
  tour({ viewport: DESK, colorScheme: 'light' }, 'light'));

test('every page is accessible in dark, in English, on a phone', () =>
  tour({ viewport: PHONE, colorScheme: 'dark' }, 'dark-phone'));

test('every page is accessible in light, in Chinese, on a phone', () =>
  tour({ viewport: PHONE, colorScheme: 'light', locale: 'zh-CN' }, 'zh-phone'));

test('every page is accessible in dark, in Chinese, on a desk', () =>
  tour({ viewport: DESK, colorScheme: 'dark', locale: 'zh-CN' }, 'zh-dark'));

test('nothing is wider than a screen of 320 pixels', () =>
  tour({ viewport: SMALL, colorScheme: 'light' }, 'small', () => {}));

test('the sign-in page is accessible in every dress', async () => {
  for (const [colorScheme, locale, viewport] of [['light', 'en-US', DESK], ['dark', 'zh-CN', SMALL]]) {
    const page = await visit(browser, server, { colorScheme, locale, viewport });
    await page.locator('main h1').waitFor();
    await accessible(page);
    await fits(page);
    await screenshot(page, `console-sign-in-${colorScheme}`);
    calm(page, NOBODY);
    await page.context().close();
  }
});

test('dialogs and messages are accessible', async () => {
  const page = await enter(browser, server, { as, at: LOGIN_AND_MESSAGE(APP), viewport: DESK });
  await page.getByRole('switch', { checked: true }).click();
  await page.getByRole('dialog').waitFor();
  await accessible(page);
  await screenshot(page, 'console-dialog');
  await page.keyboard.press('Escape');
  await page.goto(`${server.url}/console/${path('apps', APP, 'configuration')}`);
  await page.getByRole('button', { name: 'Make a new key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('dialog', { name: 'A new key is made' }).waitFor();
  await accessible(page);
  await screenshot(page, 'console-secret');
  await page.context().close();
});

test('language and colours are chosen, and kept', async () => {
  const page = await enter(browser, server, { as, colorScheme: 'light' });
  await page.getByLabel('Language').selectOption('zh-CN');
  await page.getByRole('heading', { name: '概览' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'language');
  await page.getByLabel('外观').selectOption('dark');
  await page.reload();
  await page.getByRole('heading', { name: '概览' }).waitFor();
  const canvas = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  assert.equal(canvas, 'rgb(17, 21, 23)');
  await page.context().close();
});

test('the menu of a phone opens, leads on and closes', async () => {
  const page = await enter(browser, server, { as, viewport: PHONE });
  const menu = page.getByRole('button', { name: 'Menu' });
  assert.equal(await page.getByRole('link', { name: 'Audit log' }).isVisible(), false);
  await menu.click();
  await accessible(page);
  await screenshot(page, 'console-menu');
  await page.getByRole('link', { name: 'Audit log' }).click();
  await page.getByRole('heading', { name: 'Audit log' }).waitFor();
  assert.equal(await menu.getAttribute('aria-expanded'), 'false');
  await page.context().close();
});

test('the skip link leads past the navigation', async () => {
  const page = await enter(browser, server, { as });
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  await page.context().close();
});
