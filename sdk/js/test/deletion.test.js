import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { EVENT, Server, destroyAll, device, listed, lists, listsNot, next, send } from './lib/devices.js';

let server;
before(async () => {
  server = await Server.start();
  server.syncDeletions(true);
});
afterEach(destroyAll);
after(() => server?.stop());

test('a deletion on one device takes the conversation from the others, and says which did it', async () => {
  const phone = await device(server, 'alice', { deviceID: 'phone', platform: 'iPhone' });
  const laptop = await device(server, 'alice', { deviceID: 'laptop', platform: 'Mac' });
  const bob = await device(server, 'bob');
  await send(bob, 'alice', 'hi');
  await Promise.all([lists(phone, 'C2Cbob'), lists(laptop, 'C2Cbob')]);

  const told = next(laptop, EVENT.CONVERSATION_DELETED);
  assert.deepEqual(await phone.deleteConversation('C2Cbob'), { code: 0, data: { conversationID: 'C2Cbob' } });
  const { data } = await told;
  assert.deepEqual(data.conversationIDList, ['C2Cbob']);
  assert.deepEqual(data.origin, { deviceID: 'phone', platform: 'iPhone' });
  assert.equal(data.clearHistoryMessage, true);
  assert.deepEqual([await listed(phone), await listed(laptop)], [[], []]);

  const { data: restored } = await laptop.restoreConversation('C2Cbob');
  assert.deepEqual(restored, { conversationIDList: ['C2Cbob'], failureConversationIDList: [] });
  await lists(phone, 'C2Cbob');
  await phone.deleteConversation({ conversationIDList: ['C2Cbob', 'C2Cnobody', 'x'] }).then(({ data }) => {
    assert.deepEqual(data.conversationIDList, ['C2Cbob']);
    assert.deepEqual(data.failureConversationIDList.map(({ code }) => code), [2500, 2503]);
  });
  await listsNot(laptop, 'C2Cbob');
});
