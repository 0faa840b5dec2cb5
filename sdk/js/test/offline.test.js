// What is done without a network is kept, done once, and seen at once.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import {
  EVENT, MemoryStorage, Server, create, destroyAll, device, listed, lists, listsNot, next, send, until, userSig,
} from './lib/devices.js';
import { Proxy } from './lib/proxy.js';

let server, proxy;
before(async () => {
  server = await Server.start();
  server.syncDeletions(true);
});
beforeEach(async () => { proxy = await Proxy.start(server); });
afterEach(async () => {
  await destroyAll();
  await proxy.stop();
});
after(() => server?.stop());

let number = 0;
/** A user with a conversation with bob, on a device behind the proxy, and on another one. */
async function scene(options = {}) {
  number += 1;
  const userID = `user${number}`;
  const chat = await device(server, userID, { url: proxy.socket, deviceID: 'here', ...options });
  const other = await device(server, userID, { deviceID: 'there' });
  const bob = await device(server, 'bob');
  await send(bob, userID, 'hi');
  await Promise.all([lists(chat, 'C2Cbob'), lists(other, 'C2Cbob')]);
  return { userID, chat, other, bob };
}

const offline = (chat) =>
  until(chat, 'offline', () =>
    chat.events.findLast(({ name }) => name === EVENT.NET_STATE_CHANGE).data.state !== 'connected');

const deletions = (chat) => chat.events.filter(({ name }) => name === EVENT.CONVERSATION_DELETED);

test('a deletion made offline hides the conversation at once, and goes when the network is back', async () => {
  const { chat, other } = await scene();
  proxy.down();
  await offline(chat);
  let settled = false;
  const deletion = chat.deleteConversation('C2Cbob').finally(() => { settled = true; });
  assert.deepEqual(await listed(chat), []);
  assert.equal(chat.getTotalUnreadMessageCount(), 0);
  assert.deepEqual(await listed(other), ['C2Cbob']);
  assert.equal(settled, false);
  proxy.up();
  assert.deepEqual((await deletion).data, { conversationID: 'C2Cbob' });
  await listsNot(other, 'C2Cbob');
});

test('a message that came meanwhile is not deleted unseen', async () => {
  const { chat, other, bob, userID } = await scene();
  proxy.down();
  await offline(chat);
  const deletion = chat.deleteConversation('C2Cbob');
  await send(bob, userID, 'wait');
  proxy.up();
  await deletion;
  for (const one of [chat, other]) {
    await until(one, 'the new message alone', async () => {
      const [conversation] = (await one.getConversationList()).data.conversationList;
      return conversation?.lastMessage.messageForShow === 'wait' && conversation.unreadCount === 1;
    });
    const { messageList } = (await one.getMessageList({ conversationID: 'C2Cbob' })).data;
    assert.deepEqual(messageList.map(({ payload }) => payload.text), ['wait']);
  }
});

test('a deletion made offline survives a reload, with the requestID it had', async () => {
  const storage = new MemoryStorage();
  const { chat, other, userID } = await scene({ storage });
  proxy.down();
  await offline(chat);
  const deletion = chat.deleteConversation('C2Cbob');
  const kept = () => JSON.parse(storage.getItem(`chatsync/1400000001/${userID}/here/calls`));
  const [{ params: { requestID } }] = kept();
  assert.match(requestID, /^[0-9a-f]{32}$/);

  // As a reload does; only that its promises aren't told.
  const rejected = assert.rejects(deletion, (error) => error.code === 2999 && error.data.isKept === true);
  await chat.destroy();
  await rejected;
  assert.equal(kept()[0].params.requestID, requestID);

  // The network is still gone: what was stored is there to be seen, the deletion included.
  const reloaded = create(server, { url: proxy.socket, deviceID: 'here', storage, timeout: 300 });
  const login = reloaded.login({ userID, userSig: userSig(server, userID) });
  await until(reloaded, 'a list', async () => (await reloaded.getConversationList().catch(() => null)) !== null);
  assert.deepEqual(await listed(reloaded), []);
  assert.equal((await reloaded.getConversationList()).data.isSyncCompleted, false);
  await assert.rejects(login, { code: 2801 });

  proxy.up();
  await listsNot(other, 'C2Cbob');
  await until(reloaded, 'nothing kept', () => kept().length === 0);
  assert.equal(deletions(other).length, 1);
  assert.deepEqual(deletions(other)[0].data.origin.deviceID, 'here');
});

test('cut off before the server got it: the retry does it', async () => {
  const { chat, other } = await scene();
  proxy.toServer = false;
  const deletion = chat.deleteConversation('C2Cbob');
  proxy.cut();
  proxy.up();
  assert.deepEqual((await deletion).data, { conversationID: 'C2Cbob' });
  await listsNot(other, 'C2Cbob');
  assert.equal(deletions(other).length, 1);
});

test('cut off after the server did it and before it answered: the retry does nothing twice', async () => {
  const { chat, other, bob, userID } = await scene();
  proxy.toClient = false;
  const told = next(other, EVENT.CONVERSATION_DELETED);
  let settled = false;
  const deletion = chat.deleteConversation('C2Cbob').finally(() => { settled = true; });
  await told;
  assert.equal(settled, false);
  // What another device does meanwhile would be undone by a second effect.
  await other.restoreConversation('C2Cbob');
  proxy.cut();
  proxy.up();
  assert.deepEqual((await deletion).data, { conversationID: 'C2Cbob' });
  await send(bob, userID, 'and so on');
  await lists(chat, 'C2Cbob');
  for (const one of [chat, other]) {
    const { messageList } = (await one.getMessageList({ conversationID: 'C2Cbob' })).data;
    assert.deepEqual(messageList.map(({ payload }) => payload.text), ['hi', 'and so on']);
  }
  assert.equal(deletions(other).length, 1);
});

test('a message sent over a cut arrives once', async () => {
  const { chat, bob, userID } = await scene();
  const received = next(bob, EVENT.MESSAGE_RECEIVED);
  proxy.toClient = false;
  const sent = send(chat, 'bob', 'only once');
  await received;
  proxy.cut();
  proxy.up();
  assert.equal((await sent).sequence, 2);
  const { messageList } = (await bob.getMessageList({ conversationID: `C2C${userID}` })).data;
  assert.deepEqual(messageList.map(({ payload }) => payload.text), ['hi', 'only once']);
  assert.equal(chat.events.some(({ name, data }) => name === EVENT.MESSAGE_RECEIVED && data[0].from === userID), false);
});

test('a message that could not be sent in time is told, and sending it again is one message', async () => {
  const { chat, bob, userID } = await scene({ timeout: 400 });
  proxy.toClient = false;
  const received = next(bob, EVENT.MESSAGE_RECEIVED);
  const message = chat.createTextMessage({ to: 'bob', conversationType: 'C2C', payload: { text: 'slow' } });
  await assert.rejects(chat.sendMessage(message), { code: 2801 });
  assert.equal(message.status, 'fail');
  await received;
  proxy.cut();
  proxy.up();
  await next(chat, EVENT.NET_STATE_CHANGE);
  await until(chat, 'sent', () => chat.sendMessage(message).then(() => true, ({ code }) => code !== 2801));
  assert.equal(message.status, 'success');
  const { messageList } = (await bob.getMessageList({ conversationID: `C2C${userID}` })).data;
  assert.deepEqual(messageList.map(({ payload }) => payload.text), ['hi', 'slow']);
});

test('what was done offline is done in its order: deleted, restored, read, pinned', async () => {
  const { chat, other } = await scene();
  proxy.down();
  await offline(chat);
  const calls = [chat.deleteConversation('C2Cbob')];
  assert.deepEqual(await listed(chat), []);
  calls.push(chat.restoreConversation('C2Cbob'));
  assert.deepEqual(await listed(chat), ['C2Cbob']);
  calls.push(chat.pinConversation({ conversationID: 'C2Cbob', isPinned: true }));
  calls.push(chat.setMessageRead({ conversationID: 'C2Cbob' }));
  const [before] = (await chat.getConversationList()).data.conversationList;
  assert.deepEqual([before.isPinned, before.unreadCount], [true, 0]);
  proxy.up();
  await Promise.all(calls);
  await until(other, 'listed, pinned, read', async () => {
    const [now] = (await other.getConversationList()).data.conversationList;
    return now?.isPinned && now.unreadCount === 0;
  });
  const [now] = (await chat.getConversationList()).data.conversationList;
  assert.deepEqual([now.isPinned, now.unreadCount], [true, 0]);
});

test('what was read can be read again offline, up to what was deleted', async () => {
  const { chat, bob, userID } = await scene();
  const conversationID = 'C2Cbob';
  for (const number of [2, 3, 4, 5]) await send(bob, userID, `${number}`);
  const texts = (page) => page.data.messageList.map(({ payload }) => payload?.text);
  await until(chat, 'all', () => chat.getTotalUnreadMessageCount() === 5);
  const first = await chat.getMessageList({ conversationID, count: 2 });
  await chat.getMessageList({ conversationID, count: 2, nextReqMessageID: first.data.nextReqMessageID });
  const last = await send(chat, 'bob', '6');
  await bob.revokeMessage((await bob.getMessageList({ conversationID: `C2C${userID}` })).data.messageList[3]);
  await send(bob, userID, '8');
  await until(chat, '8', async () =>
    (await chat.getConversationProfile(conversationID)).data.conversation.lastMessage.messageForShow === '8');

  proxy.down();
  await offline(chat);
  const page = await chat.getMessageList({ conversationID, count: 4 });
  assert.deepEqual(texts(page), [undefined, '5', '6', '8']);
  assert.equal(page.data.messageList[2].ID, last.ID);
  assert.equal(page.data.isCompleted, false);
  const { nextReqMessageID } = page.data;
  const older = await chat.getMessageList({ conversationID, count: 4, nextReqMessageID });
  assert.deepEqual(texts(older), ['2', '3']);
  const deletion = chat.clearHistoryMessage(conversationID);
  const empty = chat.getMessageList({ conversationID });
  proxy.up();
  await deletion;
  assert.deepEqual(texts(await empty), []);
});

test('a deletion that is refused gives the conversation back', async () => {
  const { chat } = await scene();
  proxy.down();
  await offline(chat);
  const deletion = chat.deleteConversation({ conversationIDList: ['C2Cbob', 'C2Cnobody'] });
  const alone = chat.deleteConversation('C2Cnobody');
  const late = chat.restoreConversation('C2Cnobody');
  proxy.up();
  const { data } = await deletion;
  assert.deepEqual(data.conversationIDList, ['C2Cbob']);
  assert.deepEqual(data.failureConversationIDList, [
    { conversationID: 'C2Cnobody', code: 2500, message: 'conversation not found' },
  ]);
  await assert.rejects(alone, { code: 2500 });
  await assert.rejects(late, { code: 2500 });
});

test('with the switch off the device that deleted knows, over a reload too, and the others do not', async (t) => {
  server.syncDeletions(false);
  t.after(() => server.syncDeletions(true));
  const storage = new MemoryStorage();
  const { chat, other, userID } = await scene({ storage });
  proxy.toClient = false;
  const deletion = chat.deleteConversation('C2Cbob');
  // Nobody is told, so a fresh look says when it is done.
  await until(chat, 'done', async () => {
    const fresh = await device(server, userID, { deviceID: 'fresh' });
    const ids = await listed(fresh);
    await fresh.destroy();
    return ids.length === 0;
  });
  const rejected = assert.rejects(deletion, { code: 2999 });
  await chat.destroy();
  await rejected;
  proxy.up();
  const reloaded = await device(server, userID, { url: proxy.socket, deviceID: 'here', storage });
  await listsNot(reloaded, 'C2Cbob');
  await until(reloaded, 'nothing kept', () => storage.getItem(`chatsync/1400000001/${userID}/here/calls`) === '[]');
  await reloaded.destroy();
  const again = await device(server, userID, { deviceID: 'here', storage });
  assert.deepEqual(await listed(again), []);
  assert.deepEqual(await listed(other), ['C2Cbob']);
});
