// A visit to the demo: coming back, several tabs, every screen, every way of using it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, calm, openPage, screenshot, startBrowser } from './lib/browser.js';
import { Demo } from './lib/demo.js';
import { Server } from './lib/server.js';

const ALL = ['Bob', 'Sunday hike', 'Erin', 'Dave', 'Carol', 'System notices'];
const ALICES = ['phone', 'laptop', 'browser'];

let server, browser;
before(async () => { server = await Server.start(); browser = await startBrowser(); });
after(async () => { await browser?.close(); await server?.stop(); });

const without = (...titles) => ALL.filter((title) => !titles.includes(title));

test('a reload is the same visit, a device that was offline still is', async () => {
  const demo = await Demo.open(browser, server);
  const { hash } = demo;
  assert.match(hash, /^#[a-z0-9]{16}$/);
  await demo.plug('laptop', 'offline');
  await demo.row('phone', 'Erin').locator('.trash').click();
  await demo.lists('browser', without('Erin'));
  await demo.reload();
  assert.equal(demo.hash, hash);
  await demo.follow(['phone', 'browser'], without('Erin'));
  await demo.lists('laptop', ALL);
  await demo.plug('laptop', 'online');
  await demo.lists('laptop', without('Erin'));
  calm(demo.page, /offline/);
  await demo.close();
});

test('the server is killed and comes back: nothing is lost and nobody has to do anything', async () => {
  const demo = await Demo.open(browser, server);
  await demo.row('phone', 'Erin').locator('.trash').click();
  await demo.follow(ALICES, without('Erin'));
  await server.kill();
  await demo.device('phone').locator('.state[data-state=connecting]').waitFor();
  await server.run();
  for (const device of ALICES) await demo.device(device).locator('.state[data-state=online]').waitFor();
  await demo.row('laptop', 'Dave').locator('.trash').click();
  await demo.follow(ALICES, without('Erin', 'Dave'));
  calm(demo.page, /WebSocket|ERR_|Failed to load/);
  await demo.close();
});

test('a credential that runs out is replaced, and nobody notices', async () => {
  const page = await openPage(browser, { viewport: { width: 1440, height: 960 }, locale: 'en-GB' });
  const demo = new Demo(page);
  let asked = 0;
  await page.route('**/demo/api/users', async (route) => {
    const response = await route.fetch();
    const given = await response.json();
    asked += 1;
    if (asked === 1) {
      const [alice] = given.users;
      const words = ['--app', String(given.sdkAppID), '--user', alice.userID, '--expire', '4'];
      alice.userSig = server.command('usersig', ...words);
    }
    await route.fulfill({ response, json: given });
  });
  await page.goto(`${server.url}/demo/`);
  await demo.ready();
  while (asked < 4) await page.waitForResponse('**/demo/api/users');
  for (const device of ALICES) await demo.device(device).locator('.state[data-state=online]').waitFor();
  await demo.row('phone', 'Dave').locator('.trash').click();
  await demo.follow(ALICES, without('Dave'));
  calm(page);
  await demo.close();
});

test('each visitor has users of their own, and may start afresh', async () => {
  const one = await Demo.open(browser, server);
  const other = await Demo.open(browser, server);
  assert.notEqual(one.hash, other.hash);
  await one.row('phone', 'Bob').locator('.trash').click();
  await one.follow(ALICES, without('Bob'));
  await other.follow(ALICES, ALL);
  await one.page.getByRole('button', { name: 'Start afresh' }).click();
  await one.page.waitForFunction((before) => location.hash !== before, other.hash);
  await one.lists('phone', ALL);
  for (const demo of [one, other]) {
    calm(demo.page);
    await demo.close();
  }
});

test('the same visit in a second tab goes on there, and the first one says so', async () => {
  const first = await Demo.open(browser, server);
  const page = await first.page.context().newPage();
  await page.goto(first.page.url());
  const second = new Demo(page);
  await second.ready();
  await first.page.getByText('These users are open in another tab').waitFor();
  await second.row('phone', 'Carol').locator('.trash').click();
  await second.follow(ALICES, without('Carol'));
  await first.page.getByRole('button', { name: 'Continue here' }).click();
  await first.page.getByText('These users are open in another tab').waitFor({ state: 'hidden' });
  await first.ready();
  await first.follow(ALICES, without('Carol'));
  await second.page.getByText('These users are open in another tab').waitFor();
  await first.close();
});

test('the switch that another visitor sets is seen here too', async () => {
  const one = await Demo.open(browser, server);
  const other = await Demo.open(browser, server);
  await one.setSwitch(false);
  await other.page.locator('#switch[aria-checked=false]').waitFor();
  await other.event('The switch was turned off').waitFor();
  await other.setSwitch(true);
  await one.close();
  await other.close();
});

test('it can be used from the keyboard alone', async () => {
  const demo = await Demo.open(browser, server);
  const { page } = demo;
  await page.locator('body').press('Tab');
  await page.keyboard.press('Enter');
  // The skip link leads to the devices; the next stops are the phone's.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Select Phone$/);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Delete Bob on Phone');
  await page.keyboard.press('Enter');
  await demo.follow(ALICES, without('Bob'));
  // Where one was is gone: one is at its neighbour, not at the top of the page.
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Sunday hike/);
  await page.keyboard.press('Enter');
  await demo.device('phone').locator('.chat:not(.home)').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Sunday hike');
  await demo.device('phone').getByRole('button', { name: 'Back to the list' }).press('Enter');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Sunday hike/);
  calm(page);
  await demo.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`it is accessible and looks as it should in the ${colorScheme}`, async () => {
    const demo = await Demo.open(browser, server, { colorScheme, reducedMotion: 'reduce' });
    await accessible(demo.page);
    await screenshot(demo.page, `demo-${colorScheme}`);
    await demo.page.locator('#try').click();
    await demo.follow(ALICES, ['Bob', 'Sunday hike', 'System notices']);
    await demo.plug('laptop', 'offline');
    await demo.openChat('browser', 'Sunday hike');
    await demo.button('browser', 'leave').click();
    await demo.device('browser').getByText('You have left this group.').waitFor();
    await demo.say('browser', 'One more thing');
    await demo.device('browser').getByText('The server refused').waitFor();
    await demo.openChat('bob', 'Alice');
    await demo.button('phone', 'select').click();
    await demo.row('phone', 'Bob').locator('.open').click();
    await accessible(demo.page);
    await screenshot(demo.page, `demo-${colorScheme}-busy`);
    calm(demo.page, /offline/);
    await demo.close();
  });
}

for (const [width, height] of [[320, 640], [412, 915], [768, 1024], [1180, 820], [1920, 1080]]) {
  test(`nothing sticks out at ${width} pixels`, async () => {
    const demo = await Demo.open(browser, server, { viewport: { width, height } });
    await demo.page.locator('#try').click();
    await demo.follow(ALICES, ['Bob', 'Sunday hike', 'System notices']);
    await demo.openChat('laptop', 'Sunday hike');
    const wide = await demo.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} pixels wide`);
    await accessible(demo.page);
    await screenshot(demo.page, `demo-${width}`);
    await demo.close();
  });
}

test('it speaks Chinese, and remembers that', async () => {
  const demo = await Demo.open(browser, server);
  await demo.page.locator('#try').click();
  await demo.event('Phone deleted 3 conversations').waitFor();
  await demo.page.locator('#language').selectOption('zh-CN');
  await demo.event('手机删除了 3 个会话（已清空历史）').waitFor();
  assert.equal(await demo.page.getAttribute('html', 'lang'), 'zh-CN');
  await demo.page.getByRole('heading', { name: '在一台设备上删除，其他设备随之同步。' }).waitFor();
  await accessible(demo.page);
  await screenshot(demo.page, 'demo-chinese');
  await demo.reload();
  assert.equal(await demo.page.locator('#language').inputValue(), 'zh-CN');
  calm(demo.page);
  await demo.close();

  const fresh = await Demo.open(browser, server, { locale: 'zh-CN' });
  await fresh.lists('phone', ['Bob', '周日爬山', '艾琳', '大卫', '小卡', '系统通知']);
  await fresh.close();
});

test('both languages have all words, and the page uses them all', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/demo/`);
  const { en, zh, used } = await page.evaluate(async () => {
    const { TABLES } = await import('/demo/i18n.js');
    const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
    const own = ['index.html', ...loaded.filter((name) => name.endsWith('.js') && !name.includes('/sdk/'))];
    const sources = await Promise.all(own.map(async (name) => (await fetch(name)).text()));
    return { en: Object.keys(TABLES.en), zh: Object.keys(TABLES['zh-CN']), used: sources.join('\n') };
  });
  assert.deepEqual(en, zh);
  // Made of two parts where they are used: `mark.${kind}`.
  const families = ['mark.', 'said.', 'here.', 'code.', 'tip.'];
  const unused = en.filter((key) => !families.some((family) => key.startsWith(family))
    && !used.replaceAll(/^ {2}'?[\w.]+'?: .*$/gm, '').match(new RegExp(`['"]${key.replaceAll('.', '\\.')}['"]`)));
  assert.deepEqual(unused, []);
  await page.context().close();
});

test('whoever wants less motion gets none', async () => {
  const demo = await Demo.open(browser, server, { reducedMotion: 'reduce' });
  await demo.page.locator('#try').click();
  await demo.lists('laptop', ['Bob', 'Sunday hike', 'System notices']);
  const moving = await demo.page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
  assert.equal(await demo.page.locator('.leaving').count(), 0);
  await demo.close();
});
