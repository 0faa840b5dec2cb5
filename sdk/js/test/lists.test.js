// Long lists, limits, groups that were left, and what is stored.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  EVENT, MemoryStorage, Server, TYPES, create, destroyAll, device, listed, lists, listsNot, next, send, until, userSig,
} from './lib/devices.js';
import { Proxy } from './lib/proxy.js';

let server;
before(async () => {
  server = await Server.start({ CHATSYNC__LIMITS__PAGE: '2' });
  server.syncDeletions(true);
});
afterEach(destroyAll);
after(() => server?.stop());

const range = (count) => [...Array(count).keys()];

test('a list of several pages comes whole, and a reload in the middle of it loses nothing', async (t) => {
  const storage = new MemoryStorage();
  const writer = await device(server, 'pat');
  for (const number of range(7)) await send(writer, `peer${number}`, 'hi');

  const proxy = await Proxy.start(server);
  t.after(() => proxy.stop());
  const options = { url: proxy.socket, deviceID: 'reader', storage };
  const reader = create(server, options);
  const partial = until(reader, 'a part of the list', () =>
    reader.events.find(({ name, data }) => name === EVENT.CONVERSATION_LIST_UPDATED && data.length === 4));
  const login = reader.login({ userID: 'pat', userSig: userSig(server, 'pat') });
  login.catch(() => {});
  // The network stops in the middle of the catch-up.
  reader.on(EVENT.CONVERSATION_LIST_UPDATED, ({ data }) => { if (data.length === 4) proxy.toClient = false; });
  assert.equal((await partial).isSyncCompleted, false);
  assert.equal(reader.isReady(), false);
  const gone = assert.rejects(login, { code: 2999 });
  await reader.destroy();
  await gone;
  const stored = storage.getItem('chatsync/1400000001/pat/reader/list');
  assert.ok(stored === null || JSON.parse(stored).cursor === null, stored);

  proxy.up();
  const again = await device(server, 'pat', options);
  assert.equal((await listed(again)).length, 7);
  assert.equal((await again.getConversationList()).data.isSyncCompleted, true);
  await again.destroy();

  // And one in the middle of catching up with what changed.
  await writer.deleteConversation({ conversationIDList: range(5).map((number) => `C2Cpeer${number}`) });
  const third = create(server, options);
  third.on(EVENT.CONVERSATION_LIST_UPDATED, ({ data }) => { if (data.length < 7) proxy.toClient = false; });
  third.login({ userID: 'pat', userSig: userSig(server, 'pat') }).catch(() => {});
  await until(third, 'a part', async () => (await listed(third).catch(() => range(7))).length < 7);
  await third.destroy();
  proxy.up();
  const fourth = await device(server, 'pat', options);
  assert.deepEqual((await listed(fourth)).sort(), ['C2Cpeer5', 'C2Cpeer6']);
});

test('a hundred go in one call, more are an error and change nothing', async () => {
  const max = await device(server, 'max');
  await send(max, 'peer0', 'hi');
  const ids = range(100).map((number) => `C2Cpeer${number}`);
  await assert.rejects(max.deleteConversation({ conversationIDList: [...ids, 'C2Canother'] }), (error) => {
    assert.equal(error.code, -32602);
    assert.match(error.message, /1 to 100/);
    return true;
  });
  assert.deepEqual(await listed(max), ['C2Cpeer0']);
  const { data } = await max.deleteConversation({ conversationIDList: [...ids, 'C2Cpeer0'] });
  assert.deepEqual(data.conversationIDList, ['C2Cpeer0']);
  assert.equal(data.failureConversationIDList.length, 99);
});

test('what is not a call is told so, and changes nothing', async () => {
  const eva = await device(server, 'eva');
  await send(eva, 'bob', 'hi');
  for (const options of [undefined, null, 7, {}, [], { conversationIDList: [] }, { conversationIDList: 'C2Cbob' },
    { conversationIDList: ['C2Cbob', 7] }, { conversationIDList: ['C2Cbob'], clearHistoryMessage: 'no' }]) {
    await assert.rejects(eva.deleteConversation(options), (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.code, -32602, JSON.stringify(options));
      assert.match(error.message, /^Params validate failed\./);
      return true;
    });
  }
  assert.deepEqual(await listed(eva), ['C2Cbob']);
  await assert.rejects(eva.deleteConversation('nonsense'), { code: 2500 });
  await assert.rejects(eva.getConversationProfile('nonsense'), { code: 2503 });
  await assert.rejects(eva.getConversationProfile('GROUPnone'), { code: 2500 });
  await assert.rejects(eva.pinConversation({ conversationID: 'nonsense', isPinned: true }), { code: 2503 });
  await assert.rejects(eva.pinConversation({ conversationID: 'C2Cnobody', isPinned: true }), { code: 2500 });
  await assert.rejects(eva.clearHistoryMessage('C2Cnobody'), { code: 2500 });
  await assert.rejects(eva.setConversationDraft({ conversationID: 'C2Cnobody', draftText: '' }), { code: 2500 });
  await assert.rejects(eva.getMessageList({ conversationID: 'C2Cnobody' }), { code: 2500 });
  await assert.rejects(eva.sendMessage({}), { code: 2105 });
  await assert.rejects(eva.quitGroup('none'), { code: 10010 });
  assert.throws(() => eva.createTextMessage({ to: 'bob', conversationType: 'C2C', payload: {} }), { code: -32602 });
  assert.throws(() => eva.createTextMessage({ to: 'bob', conversationType: '@TIM#SYSTEM', payload: { text: '' } }),
    { code: -32602 });
  const carried = { to: 'bob', conversationType: 'C2C', payload: { text: 'hi' }, cloudCustomData: 'more' };
  assert.throws(() => eva.createTextMessage(carried), { code: 2905 });
  const error = create(server).getConversationList();
  await assert.rejects(error, { code: 2999 });
});

test('with the switch off no other device is told, also not when it comes back', async (t) => {
  server.syncDeletions(false);
  t.after(() => server.syncDeletions(true));
  const [phone, laptop] = [await device(server, 'off'), await device(server, 'off')];
  await send(phone, 'bob', 'hi');
  await lists(laptop, 'C2Cbob');
  await phone.deleteConversation('C2Cbob');
  await phone.pinConversation({ conversationID: 'C2Cbob', isPinned: true }).catch(() => {});
  const fresh = await device(server, 'off');
  assert.deepEqual([await listed(phone), await listed(laptop), await listed(fresh)], [[], ['C2Cbob'], []]);
  assert.equal(laptop.events.some(({ name }) => name === EVENT.CONVERSATION_DELETED), false);
  await send(phone, 'bob', 'back');
  await Promise.all([phone, laptop, fresh].map((chat) => lists(chat, 'C2Cbob')));
});

for (const [how, code, leave] of [
  ['quit', 10007, (owner, member, groupID) => member.quitGroup(groupID)],
  ['kicked', 10007, (owner, member, groupID) => owner.deleteGroupMember({ groupID, userIDList: ['gus'] })],
  ['dissolved', 10010, (owner, member, groupID) => owner.dismissGroup(groupID)],
]) {
  test(`a group that one is out of (${how}) stays listed and readable, and refuses what is sent`, async () => {
    const [owner, member] = [await device(server, 'owner'), await device(server, 'gus')];
    const tablet = await device(server, 'gus');
    const groupID = `left-${how}`;
    const id = `GROUP${groupID}`;
    await owner.createGroup({ groupID, name: how, memberList: [{ userID: 'gus' }] });
    await send(owner, groupID, 'before', 'GROUP');
    await Promise.all([lists(member, id), lists(tablet, id)]);
    const told = next(tablet, EVENT.GROUP_LIST_UPDATED);
    await leave(owner, member, groupID);
    assert.equal((await told).data.some((group) => group.groupID === groupID), false);
    if (how !== 'dissolved') await send(owner, groupID, 'after', 'GROUP');
    for (const one of [member, tablet, await device(server, 'gus')]) {
      await until(one, how, async () => (await one.getConversationProfile(id)).data.conversation.membership === how);
      const [conversation] = (await one.getConversationList([id])).data.conversationList;
      assert.equal(conversation.lastMessage.messageForShow, 'before');
      const { messageList } = (await one.getMessageList({ conversationID: id })).data;
      const texts = messageList.filter(({ type }) => type === TYPES.MSG_TEXT).map(({ payload }) => payload.text);
      assert.deepEqual(texts, ['before']);
      await assert.rejects(send(one, groupID, 'hello?', 'GROUP'), { code });
    }
    await member.deleteConversation(id);
    await listsNot(tablet, id);
  });
}

test('system notices are listed, not counted, and can be deleted', async () => {
  const [owner, guest] = [await device(server, 'owner'), await device(server, 'guest')];
  await owner.createGroup({ groupID: 'party', name: 'Party', memberList: [{ userID: 'guest' }] });
  await lists(guest, TYPES.CONV_SYSTEM);
  assert.equal(guest.getTotalUnreadMessageCount(), 0);
  const { data } = await guest.deleteConversation(TYPES.CONV_SYSTEM);
  assert.deepEqual(data, { conversationID: '@TIM#SYSTEM' });
  assert.deepEqual(await listed(guest), []);
});

test('a storage of one\'s own is used, at once or by promise', async () => {
  for (const slow of [false, true]) {
    const items = new Map();
    const later = (value) => (slow ? new Promise((resolve) => setTimeout(resolve, 5, value)) : value);
    const storage = {
      getItem: (key) => later(items.get(key) ?? null),
      setItem: async (key, value) => { await later(); items.set(key, value); },
      removeItem: async (key) => { await later(); items.delete(key); },
    };
    const userID = `store${slow}`;
    const first = await device(server, userID, { storage });
    await send(first, 'bob', 'hi');
    await first.destroy();
    const deviceID = items.get('chatsync/1400000001/device');
    assert.match(deviceID, /^[0-9a-f]{32}$/);
    const list = JSON.parse(items.get(`chatsync/1400000001/${userID}/${deviceID}/list`));
    assert.ok(list.cursor);
    assert.deepEqual(list.rows.map(({ conversationID }) => conversationID), ['C2Cbob']);
    const second = await device(server, userID, { storage });
    assert.deepEqual(await listed(second), ['C2Cbob']);
    assert.equal(items.get('chatsync/1400000001/device'), deviceID);
  }
});

test('a storage that fails costs what it would have kept, and nothing else', async () => {
  const broken = new MemoryStorage();
  broken.setItem = () => { throw new Error('full'); };
  const chat = create(server, { storage: broken });
  chat.setLogLevel(4);
  await chat.login({ userID: 'full', userSig: userSig(server, 'full') });
  await send(chat, 'bob', 'hi');
  await chat.deleteConversation('C2Cbob');
  assert.deepEqual(await listed(chat), []);
});

test('what is damaged in storage is asked for anew', async () => {
  const storage = new MemoryStorage();
  storage.setItem('chatsync/1400000001/odd/here/list', '{"rows":');
  storage.setItem('chatsync/1400000001/odd/here/calls', '7');
  const chat = create(server, { storage, deviceID: 'here' });
  chat.setLogLevel(4);
  await chat.login({ userID: 'odd', userSig: userSig(server, 'odd') });
  assert.deepEqual(await listed(chat), []);
});
