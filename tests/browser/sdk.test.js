// The JavaScript SDK in a page: as the server gives it out, without a build.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';
import { OUTCOMES, SAMPLES } from '../../sdk/js/test/lib/samples.js';
import { Proxy } from '../../sdk/js/test/lib/proxy.js';
import { APP, Server } from './lib/server.js';
import { calm, openPage, startBrowser } from './lib/browser.js';

const SDK = new URL('../../sdk/js/src/', import.meta.url);

let server, browser, pages, proxy;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), startBrowser()]);
  server.syncDeletions(true);
  // A page of an application's own, which has the SDK's files beside it.
  pages = createServer(async ({ url }, response) => {
    const isModule = url.startsWith('/sdk/');
    const body = isModule ? await readFile(new URL(url.slice(5), SDK)) : '<!doctype html><title>page</title>';
    response.writeHead(200, { 'content-type': isModule ? 'text/javascript' : 'text/html' }).end(body);
  });
  await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await proxy?.stop();
  proxy = null;
});
after(async () => {
  await browser?.close();
  await new Promise((resolve) => pages?.close(resolve));
  await server?.stop();
});

/** Network errors are what some of these tests are about. */
const NETWORK = /WebSocket connection|ERR_CONNECTION|favicon/;

async function open(context, { userID, url = server.socket, ...options }) {
  const page = context === browser ? await openPage(browser) : await context.newPage();
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  await start(page, { userID, url, ...options });
  return page;
}

/** Makes `chat` and logs in; returns without waiting for it. */
function start(page, { userID, ...options }) {
  return page.evaluate(async ({ options, userID, userSig }) => {
    const { default: TencentCloudChat } = await import('/sdk/index.js');
    globalThis.chat = TencentCloudChat.create(options);
    globalThis.events = [];
    for (const name of Object.values(TencentCloudChat.EVENT)) chat.on(name, (event) => events.push(event));
    globalThis.login = chat.login({ userID, userSig }).catch(({ code }) => code);
    globalThis.listed = async () =>
      (await chat.getConversationList()).data.conversationList.map(({ conversationID }) => conversationID);
    globalThis.send = async (to, text, conversationType = 'C2C') => {
      const message = chat.createTextMessage({ to, conversationType, payload: { text } });
      return (await chat.sendMessage(message)).data.message.sequence;
    };
    globalThis.netState = () => events.findLast(({ name }) => name === 'netStateChange')?.data.state;
  }, { options: { SDKAppID: APP, ...options }, userID, userSig: server.userSig(userID) });
}

const ready = (page) => page.waitForFunction(() => chat.isReady());
const kicked = (page) => page.waitForFunction(() => events.find(({ name }) => name === 'kickedOut')?.data.type)
  .then((handle) => handle.jsonValue());
const listed = (page) => page.evaluate(() => listed());

test('the server gives out the SDK, and it runs under the policy of the server\'s pages', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/demo/sdk/index.js`);
  const userSig = server.userSig('served');
  const data = await page.evaluate(async ({ SDKAppID, userSig }) => {
    const { default: TencentCloudChat } = await import('/demo/sdk/index.js');
    const chat = TencentCloudChat.create({ SDKAppID, url: `ws://${location.host}/ws` });
    await chat.login({ userID: 'served', userSig });
    const message = chat.createTextMessage({ to: 'bob', conversationType: 'C2C', payload: { text: 'hi' } });
    await chat.sendMessage(message);
    const { data } = await chat.deleteConversation('C2Cbob');
    await chat.logout();
    return data;
  }, { SDKAppID: APP, userSig });
  assert.deepEqual(data, { conversationID: 'C2Cbob' });
  calm(page, NETWORK);
  await page.context().close();
});

for (const [number, sample] of SAMPLES.entries()) {
  test(`sample ${number + 1} runs in a page as it is written`, async () => {
    const page = await open(browser, { userID: `sample${number}` });
    await ready(page);
    const { response, left } = await page.evaluate(async (sample) => {
      const groupID = 'Example';
      await chat.createGroup({ name: groupID, groupID, type: chat.TYPES.GRP_MEETING }).catch(() => {});
      await chat.joinGroup({ groupID });
      await send(groupID, 'to the group', 'GROUP');
      await send('Example', 'to one');
      const run = new Function('chat', `${sample}\nreturn promise;`);
      return { response: await run(chat), left: await listed() };
    }, sample);
    const { data, left: expected } = OUTCOMES[number];
    for (const [name, value] of Object.entries(data)) {
      assert.deepEqual(response.data[name], value);
    }
    assert.deepEqual(left, expected);
    // The samples warn when they fail; `calm` fails on errors alone, so the outcome above is what counts.
    calm(page, NETWORK);
    await page.context().close();
  });
}

for (const storage of ['localStorage', 'indexedDB']) {
  test(`a reload keeps the list, the cursor and what was done offline (${storage})`, async () => {
    proxy = await Proxy.start(server);
    const userID = `reload-${storage}`;
    const options = { userID, url: proxy.socket, storage, timeout: 500 };
    const page = await open(browser, options);
    await ready(page);
    await page.evaluate(async () => {
      await send('bob', 'hi');
      await send('carl', 'hi');
      await chat.setConversationDraft({ conversationID: 'C2Cbob', draftText: '' });
    });
    const other = await open(browser, { userID });
    await ready(other);
    assert.deepEqual((await listed(other)).sort(), ['C2Cbob', 'C2Ccarl']);

    proxy.down();
    await page.waitForFunction(() => netState() !== 'connected');
    await page.evaluate(() => { chat.deleteConversation('C2Cbob').catch(() => {}); });
    assert.deepEqual(await listed(page), ['C2Ccarl']);
    // What a slower storage is still writing is for it to finish.
    await page.waitForTimeout(storage === 'indexedDB' ? 300 : 0);

    await page.reload();
    await start(page, options);
    assert.equal(await page.evaluate(() => login), 2801);
    assert.deepEqual(await listed(page), ['C2Ccarl']);
    assert.deepEqual((await listed(other)).sort(), ['C2Cbob', 'C2Ccarl']);

    proxy.up();
    await ready(page);
    await other.waitForFunction(async () => !(await listed()).includes('C2Cbob'));
    const deletions = await other.evaluate(() => events.filter(({ name }) => name === 'onConversationDeleted').length);
    assert.equal(deletions, 1);

    // Online again: the next reload resumes rather than begins.
    const reset = page.waitForEvent('websocket').then((socket) =>
      socket.waitForEvent('framereceived', ({ payload }) => payload.includes('"reset"')));
    await page.reload();
    await start(page, options);
    await ready(page);
    assert.equal(JSON.parse((await reset).payload).result.reset, false);
    assert.deepEqual(await listed(page), ['C2Ccarl']);
    for (const one of [page, other]) await one.context().close();
  });
}

test('two tabs as one device: the newer has it, the older is told, and nothing goes to and fro', async () => {
  const context = await browser.newContext();
  const older = await open(context, { userID: 'tabs' });
  await ready(older);
  const newer = await open(context, { userID: 'tabs' });
  assert.equal(await kicked(older), 'multipleAccount');
  await ready(newer);
  assert.equal(await newer.evaluate(() => send('bob', 'here')), 1);
  assert.equal(await older.evaluate(() => chat.getConversationList().catch(({ code }) => code)), 3003);
  assert.equal(await newer.evaluate(() => events.some(({ name }) => name === 'kickedOut')), false);
  await context.close();
});

test('two tabs as one device, offline: what the older had not sent goes with the newer', async () => {
  proxy = await Proxy.start(server);
  const context = await browser.newContext();
  const options = { userID: 'handover', url: proxy.socket, timeout: 500 };
  const older = await open(context, options);
  await ready(older);
  await older.evaluate(() => send('bob', 'hi'));
  proxy.down();
  await older.waitForFunction(() => netState() !== 'connected');
  await older.evaluate(() => {
    globalThis.deletion = chat.deleteConversation('C2Cbob').catch(({ code, data }) => [code, data.isKept]);
  });
  const newer = await open(context, options);
  assert.equal(await kicked(older), 'multipleAccount');
  assert.deepEqual(await older.evaluate(() => deletion), [3003, true]);
  proxy.up();
  await ready(newer);
  const fresh = await open(browser, { userID: 'handover' });
  await ready(fresh);
  await fresh.waitForFunction(async () => (await listed()).length === 0);
  assert.deepEqual(await listed(newer), []);
  await context.close();
  await fresh.context().close();
});

test('two tabs as two devices: both stay, each its own over a reload, and a duplicate is a third', async () => {
  const context = await browser.newContext();
  const options = { userID: 'each', tabs: 'each' };
  const [one, two] = [await open(context, options), await open(context, options)];
  await Promise.all([ready(one), ready(two)]);
  await one.evaluate(() => send('bob', 'hi'));
  await two.waitForFunction(async () => (await listed()).includes('C2Cbob'));
  const device = (page) => page.evaluate((app) => sessionStorage.getItem(`chatsync/${app}/device`), APP);
  const ids = [await device(one), await device(two)];
  assert.notEqual(ids[0], ids[1]);
  await one.reload();
  await start(one, { url: server.socket, ...options });
  await ready(one);
  assert.equal(await device(one), ids[0]);

  // What the browser does when a tab is duplicated: its session storage goes with it.
  const copied = await one.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const three = await context.newPage();
  await three.goto(`http://127.0.0.1:${pages.address().port}/`);
  await three.evaluate((items) => Object.assign(sessionStorage, JSON.parse(items)), copied);
  await start(three, { url: server.socket, ...options });
  await ready(three);
  assert.notEqual(await device(three), ids[0]);
  await one.evaluate(() => chat.deleteConversation('C2Cbob'));
  for (const tab of [two, three]) await tab.waitForFunction(async () => (await listed()).length === 0);
  for (const tab of [one, two, three]) {
    assert.equal(await tab.evaluate(() => events.some(({ name }) => name === 'kickedOut')), false);
  }
  await context.close();
});

test('a network that is cut and comes back, as a page sees it', async () => {
  proxy = await Proxy.start(server);
  const page = await open(browser, { userID: 'cut', url: proxy.socket });
  await ready(page);
  await page.evaluate(() => send('bob', 'hi'));
  proxy.toClient = false;
  const deletion = page.evaluate(() => chat.deleteConversation('C2Cbob'));
  const fresh = await open(browser, { userID: 'cut' });
  await ready(fresh);
  await fresh.waitForFunction(async () => (await listed()).length === 0);
  proxy.down();
  await page.waitForFunction(() => netState() !== 'connected');
  proxy.up();
  // What a browser tells when the network is back: no reason to wait any longer.
  await page.evaluate(() => dispatchEvent(new Event('online')));
  assert.deepEqual((await deletion).data, { conversationID: 'C2Cbob' });
  assert.equal(await page.evaluate(() => netState()), 'connected');
  for (const one of [page, fresh]) await one.context().close();
});
