// Connections end, servers too.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  APP, EVENT, MemoryStorage, Server, TYPES, create, destroyAll, device, listed, lists, listsNot, next, send, until,
  userSig,
} from './lib/devices.js';
import { Proxy } from './lib/proxy.js';

let server, proxy;
async function start(environment) {
  server = await Server.start(environment);
  server.syncDeletions(true);
}
afterEach(async () => {
  await destroyAll();
  await proxy?.stop();
  await server?.stop();
  proxy = server = null;
});

const netStates = (chat) =>
  chat.events.filter(({ name }) => name === EVENT.NET_STATE_CHANGE).map(({ data }) => data.state);

test('a server that is killed and started again is found again, and nothing is lost', async () => {
  await start();
  const alice = await device(server, 'alice');
  const tablet = await device(server, 'alice', { deviceID: 'tablet' });
  const bob = await device(server, 'bob');
  await send(bob, 'alice', 'before');
  await lists(alice, 'C2Cbob');
  await server.kill();
  await until(alice, 'disconnected', () => netStates(alice).at(-1) !== 'connected');
  const deletion = alice.deleteConversation('C2Cbob');
  await server.run();
  assert.deepEqual((await deletion).data, { conversationID: 'C2Cbob' });
  await listsNot(tablet, 'C2Cbob');
  assert.equal(alice.isReady(), true);
  assert.equal(alice.events.filter(({ name }) => name === EVENT.SDK_READY).length, 1);
  assert.deepEqual([...new Set(netStates(alice))], ['connecting', 'connected', 'disconnected']);
});

test('a server that stops as it should says when to come back', async () => {
  await start({ CHATSYNC__SERVER__DRAIN_MS: '300' });
  const alice = await device(server, 'alice');
  await server.kill('SIGTERM');
  await server.run();
  await until(alice, 'connected again', () => netStates(alice).lastIndexOf('connected') > 2);
});

test('what was missed is caught up, also messages of a conversation that is being shown', async () => {
  await start();
  proxy = await Proxy.start(server);
  const alice = await device(server, 'alice', { url: proxy.socket });
  const tablet = await device(server, 'alice', { deviceID: 'tablet' });
  const bob = await device(server, 'bob');
  const first = await send(bob, 'alice', '1');
  await send(await device(server, 'carl'), 'alice', 'hi');
  await Promise.all([lists(alice, 'C2Cbob'), lists(alice, 'C2Ccarl'), lists(tablet, 'C2Ccarl')]);
  await alice.getMessageList({ conversationID: 'C2Cbob' });

  proxy.down();
  await send(bob, 'alice', '2');
  await send(bob, 'alice', '3');
  await bob.revokeMessage({ ...first });
  await tablet.deleteConversation('C2Ccarl');
  const seen = alice.events.length;
  proxy.up();
  const named = (name) => alice.events.slice(seen).filter((event) => event.name === name);
  await until(alice, 'both messages', () => named(EVENT.MESSAGE_RECEIVED).length > 0);
  const texts = named(EVENT.MESSAGE_RECEIVED).flatMap(({ data }) => data.map(({ payload }) => payload.text));
  assert.deepEqual(texts, ['2', '3']);
  assert.deepEqual(named(EVENT.MESSAGE_REVOKED).map(({ data }) => [data[0].ID, data[0].from]), [
    [first.ID, 'bob'],
  ]);
  assert.deepEqual(named(EVENT.CONVERSATION_DELETED).map(({ data }) => data), [
    { conversationIDList: ['C2Ccarl'], clearHistoryMessage: true, origin: null, time: null },
  ]);
  assert.deepEqual(await listed(alice), ['C2Cbob']);
  assert.equal(alice.getTotalUnreadMessageCount(), 3);
  proxy.down();
  await until(alice, 'offline', () => netStates(alice).at(-1) !== 'connected');
  const { messageList } = (await alice.getMessageList({ conversationID: 'C2Cbob' })).data;
  assert.deepEqual(messageList.map(({ payload }) => payload?.text), [undefined, '2', '3']);
});

test('a UserSig that runs out kicks out, and a new one goes on', async () => {
  await start();
  const expiring = server.command('usersig', '--app', String(APP), '--user', 'alice', '--expire', '2');
  const alice = create(server);
  await alice.login({ userID: 'alice', userSig: expiring });
  const kicked = await next(alice, EVENT.KICKED_OUT);
  assert.deepEqual(kicked.data, { type: TYPES.KICKED_OUT_USERSIG_EXPIRED });
  assert.equal(alice.isReady(), false);
  await assert.rejects(alice.getConversationList(), { code: 3004 });
  await assert.rejects(create(server).login({ userID: 'alice', userSig: expiring }), { code: 70001 });
  await alice.login({ userID: 'alice', userSig: userSig(server, 'alice') });
  assert.equal(alice.isReady(), true);
});

test('the same device elsewhere displaces this one, for good', async () => {
  await start();
  const first = await device(server, 'alice', { deviceID: 'one' });
  const kicked = next(first, EVENT.KICKED_OUT);
  const second = await device(server, 'alice', { deviceID: 'one' });
  assert.deepEqual((await kicked).data, { type: TYPES.KICKED_OUT_MULT_ACCOUNT });
  await assert.rejects(first.deleteConversation('C2Cbob'), { code: 3003 });
  assert.equal(first.events.some(({ name }) => name === EVENT.SDK_NOT_READY), true);
  await send(second, 'bob', 'still here');
});

test('another device takes the place of this one, as the app\'s setting says', async () => {
  await start();
  server.command('app', 'set', '--app', String(APP), 'instances-per-platform=1');
  const first = await device(server, 'alice', { deviceID: 'one' });
  const kicked = next(first, EVENT.KICKED_OUT);
  await device(server, 'alice', { deviceID: 'two' });
  assert.deepEqual((await kicked).data, { type: TYPES.KICKED_OUT_MULT_DEVICE });
  await assert.rejects(first.getConversationList(), { code: 3002 });
});

test('without a server login tells in time, and comes through when there is one', async () => {
  await start();
  proxy = await Proxy.start(server);
  proxy.down();
  const alice = create(server, { url: proxy.socket, timeout: 300 });
  const options = { userID: 'alice', userSig: userSig(server, 'alice') };
  const login = alice.login(options);
  await assert.rejects(alice.login(options), { code: 2025 });
  await assert.rejects(login, { code: 2801 });
  proxy.up();
  await until(alice, 'ready', () => alice.isReady());
  assert.equal((await alice.login(options)).data.repeatLogin, true);

  // To ask again is right too.
  const again = create(server, { url: proxy.socket, timeout: 300 });
  proxy.down();
  await assert.rejects(again.login(options), { code: 2801 });
  const second = again.login(options);
  proxy.up();
  assert.equal((await second).data.repeatLogin, false);
});

test('a login with what is refused rejects with the server\'s code, and is over', async () => {
  await start();
  const alice = create(server);
  await assert.rejects(alice.login({ userID: 'alice', userSig: 'nonsense' }), { code: 70003 });
  await assert.rejects(alice.login({ userID: 'alice', userSig: userSig(server, 'bob') }), { code: 70013 });
  await assert.rejects(alice.login({ userID: '', userSig: 'x' }), { code: 2002 });
  await assert.rejects(alice.login({ userID: 'alice' }), { code: 2003 });
  await assert.rejects(alice.logout(), { code: 2024 });
  await alice.login({ userID: 'alice', userSig: userSig(server, 'alice') });
});

test('logging out ends a login under way', async () => {
  await start();
  const alice = create(server);
  const login = assert.rejects(alice.login({ userID: 'alice', userSig: userSig(server, 'alice') }), { code: 3005 });
  await alice.logout();
  await login;
  await assert.rejects(alice.getConversationList(), { code: 3005 });
});

test('logging out rejects what waits and forgets the account', async () => {
  await start();
  proxy = await Proxy.start(server);
  const storage = new MemoryStorage();
  const removed = [];
  storage.removeItem = (key) => removed.push(key);
  const alice = await device(server, 'alice', { url: proxy.socket, deviceID: 'one', storage });
  proxy.down();
  await until(alice, 'disconnected', () => netStates(alice).at(-1) !== 'connected');
  const deletion = assert.rejects(alice.deleteConversation('C2Cbob'), { code: 3005 });
  const question = assert.rejects(alice.getGroupList(), { code: 3005 });
  await alice.logout();
  await Promise.all([deletion, question]);
  assert.deepEqual(removed, ['chatsync/1400000001/alice/one/list', 'chatsync/1400000001/alice/one/calls']);
  await assert.rejects(alice.getConversationList(), { code: 3005 });
});

test('another user may log in after the first, and sees nothing of theirs', async () => {
  await start();
  const chat = await device(server, 'alice', { deviceID: 'shared' });
  await send(chat, 'bob', 'mine');
  await chat.login({ userID: 'eve', userSig: userSig(server, 'eve') });
  assert.equal(chat.getLoginUser(), 'eve');
  assert.deepEqual(await listed(chat), []);
});
