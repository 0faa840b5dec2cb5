// What each method returns, and what each event brings.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { EVENT, Server, TYPES, create, destroyAll, device, lists, next, send, until, userSig } from './lib/devices.js';

let server;
before(async () => {
  server = await Server.start();
  server.syncDeletions(true);
});
afterEach(destroyAll);
after(() => server?.stop());

test('login says so once, and that it was so already', async () => {
  const chat = create(server);
  assert.equal(chat.isReady(), false);
  assert.equal(chat.getLoginUser(), '');
  const options = { userID: 'lee', userSig: userSig(server, 'lee') };
  const first = await chat.login(options);
  assert.deepEqual(first, { code: 0, data: { actionStatus: 'OK', errorCode: 0, errorInfo: '', repeatLogin: false } });
  assert.equal((await chat.login(options)).data.repeatLogin, true);
  assert.equal(chat.isReady(), true);
  assert.equal(chat.getLoginUser(), 'lee');
  assert.ok(Math.abs(chat.getServerTime() - Date.now()) < 5000);
  const names = chat.events.map(({ name }) => name);
  assert.equal(names.filter((name) => name === EVENT.SDK_READY).length, 1);
  assert.deepEqual(
    chat.events.filter(({ name }) => name === EVENT.NET_STATE_CHANGE).map(({ data }) => data.state).slice(0, 2),
    [TYPES.NET_STATE_CONNECTING, TYPES.NET_STATE_CONNECTED],
  );
  assert.deepEqual(await chat.logout(), { code: 0, data: {} });
  assert.equal(chat.isReady(), false);
  assert.equal(chat.events.at(-1).name, EVENT.SDK_NOT_READY);
  await chat.login(options);
  assert.equal(chat.isReady(), true);
});

test('a conversation has every field of the Web SDK', async () => {
  const [ann, ben] = [await device(server, 'ann'), await device(server, 'ben')];
  const sent = await send(ben, 'ann', 'hello');
  await lists(ann, 'C2Cben');
  const { code, data } = await ann.getConversationList();
  assert.equal(code, 0);
  assert.equal(data.isSyncCompleted, true);
  assert.deepEqual(data.conversationList, [{
    conversationID: 'C2Cben', type: 'C2C', subType: '', toAccount: 'ben', unreadCount: 1,
    lastMessage: {
      lastTime: sent.time, lastSequence: 1, fromAccount: 'ben', messageForShow: 'hello', payload: { text: 'hello' },
      type: TYPES.MSG_TEXT, isRevoked: false, cloudCustomData: '', onlineOnlyFlag: false, nick: '', nameCard: '',
      version: 0, isPeerRead: false, revoker: null,
    },
    groupProfile: undefined, userProfile: { userID: 'ben', nick: '', avatar: '' }, groupAtInfoList: [], remark: '',
    isPinned: false, messageRemindType: '', markList: [], customData: '', conversationGroupList: [], draftText: '',
    peerReadTime: 0, membership: 'active',
  }]);
  assert.deepEqual((await ann.getConversationProfile('C2Cben')).data.conversation, data.conversationList[0]);
  // Someone not written with yet: a conversation to show, that is not in the list.
  const { conversation } = (await ann.getConversationProfile('C2Cstranger')).data;
  assert.deepEqual([conversation.lastMessage.lastTime, conversation.lastMessage.payload], [0, null]);
});

test('the list is filtered as asked', async () => {
  const [ann, ben] = [await device(server, 'flo'), await device(server, 'ben')];
  await ann.createGroup({ name: 'team', groupID: 'floteam' });
  await send(ann, 'floteam', 'first', 'GROUP');
  await send(ben, 'flo', 'second');
  await lists(ann, 'C2Cben');
  const ids = async (options) =>
    (await ann.getConversationList(options)).data.conversationList.map(({ conversationID }) => conversationID);
  assert.deepEqual(await ids(), ['C2Cben', 'GROUPfloteam']);
  assert.deepEqual(await ids([]), []);
  assert.deepEqual(await ids(['GROUPfloteam', 'C2Cnobody']), ['GROUPfloteam']);
  assert.deepEqual(await ids({ type: TYPES.CONV_GROUP }), ['GROUPfloteam']);
  assert.deepEqual(await ids({ hasUnreadCount: true }), ['C2Cben']);
  assert.deepEqual(await ids({ hasUnreadCount: false }), ['GROUPfloteam']);
  assert.deepEqual(await ids({ markType: 1 }), []);
  await ann.pinConversation({ conversationID: 'GROUPfloteam', isPinned: true });
  assert.deepEqual(await ids(), ['GROUPfloteam', 'C2Cben']);
});

test('reading, pinning, clearing and drafts', async () => {
  const [kim, ben] = [await device(server, 'kim'), await device(server, 'ben')];
  const other = await device(server, 'kim');
  await send(ben, 'kim', 'one');
  await send(ben, 'kim', 'two');
  await until(kim, 'two unread', () => kim.getTotalUnreadMessageCount() === 2);
  const conversationID = 'C2Cben';
  assert.deepEqual(await kim.setMessageRead({ conversationID }), { code: 0, data: {} });
  assert.equal(kim.getTotalUnreadMessageCount(), 0);
  await until(other, 'none unread', () => other.getTotalUnreadMessageCount() === 0);
  const totals = other.events.filter(({ name }) => name === EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED);
  assert.equal(totals.at(-1).data, 0);

  await send(ben, 'kim', 'three');
  await until(other, 'one unread', () => other.getTotalUnreadMessageCount() === 1);
  assert.deepEqual(await other.setAllMessageRead(), { code: 0, data: {} });
  await until(kim, 'none unread', () => kim.getTotalUnreadMessageCount() === 0);

  const pinned = next(other, EVENT.CONVERSATION_LIST_UPDATED);
  const pin = { conversationID, isPinned: true };
  assert.deepEqual(await kim.pinConversation(pin), { code: 0, data: { conversationID } });
  const event = await pinned;
  assert.equal(event.isSyncCompleted, true);
  assert.equal(event.data[0].isPinned, true);
  assert.deepEqual(await kim.pinConversation(pin), { code: 0, data: { conversationID } });

  const drafted = await kim.setConversationDraft({ conversationID, draftText: 'dear' });
  assert.equal(drafted.data.code, 0);
  assert.equal(drafted.data.conversation.draftText, 'dear');

  assert.deepEqual(await kim.clearHistoryMessage(conversationID), { code: 0, data: { conversationID } });
  const [cleared] = (await kim.getConversationList()).data.conversationList;
  assert.deepEqual([cleared.lastMessage.lastTime, cleared.lastMessage.payload, cleared.unreadCount], [0, null, 0]);
  assert.deepEqual((await kim.getMessageList({ conversationID })).data.messageList, []);
});

test('messages are sent, received, listed page by page, and revoked', async () => {
  const [mia, ben] = [await device(server, 'mia'), await device(server, 'ben')];
  const tablet = await device(server, 'mia');
  const text = mia.createTextMessage({ to: 'ben', conversationType: TYPES.CONV_C2C, payload: { text: 'hi' } });
  assert.deepEqual([text.status, text.flow, text.conversationID], ['unSend', 'out', 'C2Cben']);
  const received = next(ben, EVENT.MESSAGE_RECEIVED);
  const onTablet = next(tablet, EVENT.MESSAGE_RECEIVED);
  const { code, data } = await mia.sendMessage(text);
  assert.equal(code, 0);
  assert.equal(data.message, text);
  assert.deepEqual([text.status, text.sequence, text.from, text.to], ['success', 1, 'mia', 'ben']);
  const [got] = (await received).data;
  assert.deepEqual(
    [got.ID, got.flow, got.from, got.to, got.conversationID, got.conversationType, got.payload, got.type],
    [text.ID, 'in', 'mia', 'ben', 'C2Cmia', 'C2C', { text: 'hi' }, TYPES.MSG_TEXT],
  );
  assert.deepEqual((await onTablet).data.map(({ ID, flow }) => [ID, flow]), [[text.ID, 'out']]);
  assert.equal(mia.events.some(({ name }) => name === EVENT.MESSAGE_RECEIVED), false);
  await assert.rejects(mia.sendMessage(text), { code: 2905 });

  const custom = mia.createCustomMessage({
    to: 'ben', conversationType: 'C2C', payload: { data: 'dice', description: 'a throw', extension: '6' },
  });
  await mia.sendMessage(custom);
  for (let number = 3; number <= 17; number += 1) await send(mia, 'ben', `text ${number}`);
  const newest = (await mia.getMessageList({ conversationID: 'C2Cben' })).data;
  assert.equal(newest.messageList.length, 15);
  assert.equal(newest.isCompleted, false);
  assert.deepEqual(newest.messageList.map(({ sequence }) => sequence), [...Array(15).keys()].map((n) => n + 3));
  const { nextReqMessageID } = newest;
  const oldest = (await mia.getMessageList({ conversationID: 'C2Cben', nextReqMessageID })).data;
  assert.equal(oldest.isCompleted, true);
  assert.deepEqual(oldest.messageList.map(({ payload }) => payload), [
    { text: 'hi' }, { data: 'dice', description: 'a throw', extension: '6' },
  ]);

  await ben.getMessageList({ conversationID: 'C2Cmia' });
  const revoked = next(ben, EVENT.MESSAGE_REVOKED);
  const last = newest.messageList.at(-1);
  assert.equal((await mia.revokeMessage(last)).data.message.isRevoked, true);
  const [gone] = (await revoked).data;
  assert.equal(mia.events.some(({ name }) => name === EVENT.MESSAGE_REVOKED), false);
  assert.deepEqual([gone.ID, gone.conversationID, gone.revoker, gone.isRevoked], [last.ID, 'C2Cmia', 'mia', true]);
  assert.deepEqual([gone.from, gone.type, gone.payload, gone.time], ['mia', TYPES.MSG_TEXT, null, last.time]);
  const [conversation] = (await ben.getConversationList(['C2Cmia'])).data.conversationList;
  assert.deepEqual([conversation.lastMessage.isRevoked, conversation.lastMessage.payload], [true, null]);
  const again = (await ben.getMessageList({ conversationID: 'C2Cmia' })).data.messageList;
  assert.equal(again.at(-1).isRevoked, true);
});

test('groups come and go as with the Web SDK', async () => {
  const [amy, ben] = [await device(server, 'amy'), await device(server, 'ben')];
  const invited = next(ben, EVENT.GROUP_LIST_UPDATED);
  const group = { groupID: 'crew', name: 'Crew', type: 'Private' };
  const created = await amy.createGroup({ groupID: 'crew', name: 'Crew', memberList: [{ userID: 'ben' }] });
  assert.deepEqual(created, { code: 0, data: { group, successUserIDList: ['ben'], overLimitUserIDList: [] } });
  assert.deepEqual((await invited).data, [group]);
  assert.deepEqual(await ben.getGroupList(), { code: 0, data: { groupList: [group] } });
  assert.deepEqual(await amy.addGroupMember({ groupID: 'crew', userIDList: ['ben', 'cas'] }), {
    code: 0, data: { successUserIDList: ['cas'], failureUserIDList: [], existedUserIDList: ['ben'], group },
  });
  const members = (await ben.getGroupMemberList({ groupID: 'crew', count: 2 })).data;
  assert.equal(members.memberList.length, 2);
  assert.equal(members.offset, 2);
  const rest = (await ben.getGroupMemberList({ groupID: 'crew', count: 2, offset: 2 })).data;
  assert.equal(rest.offset, 0);
  const all = [...members.memberList, ...rest.memberList];
  const roles = Object.fromEntries(all.map(({ userID, role }) => [userID, role]));
  assert.deepEqual(roles, { amy: 'Owner', ben: 'Member', cas: 'Member' });
  assert.deepEqual(await amy.deleteGroupMember({ groupID: 'crew', userIDList: ['cas', 'nobody'] }), {
    code: 0, data: { group, userIDList: ['cas'] },
  });
  assert.deepEqual(await ben.quitGroup('crew'), { code: 0, data: { groupID: 'crew' } });
  assert.deepEqual(await amy.dismissGroup('crew'), { code: 0, data: { groupID: 'crew' } });

  const open = { groupID: 'open', name: 'Open', type: TYPES.GRP_PUBLIC };
  await amy.createGroup(open);
  assert.deepEqual((await ben.joinGroup({ groupID: 'open' })).data, { status: 'JoinedSuccess', group: open });
  assert.deepEqual((await ben.joinGroup({ groupID: 'open' })).data, { status: 'AlreadyInGroup', group: open });
});

test('friends come and go, and the conversation stays', async () => {
  const [ida, ben] = [await device(server, 'ida'), await device(server, 'ben')];
  await send(ida, 'ben', 'hi');
  const told = next(ida, EVENT.FRIEND_LIST_UPDATED);
  assert.deepEqual(await ida.addFriend({ to: 'ben', source: 'AddSource_Type_Web' }), {
    code: 0, data: { userID: 'ben', code: 0, message: '' },
  });
  assert.deepEqual((await told).data.map(({ userID }) => userID), ['ben']);
  const friends = (await ben.getFriendList()).data;
  assert.deepEqual(friends.map(({ userID, profile }) => [userID, profile.userID]), [['ida', 'ida']]);
  assert.deepEqual(await ida.deleteFriend({ userIDList: ['ben'] }), {
    code: 0, data: { successUserIDList: [{ userID: 'ben' }], failureUserIDList: [] },
  });
  assert.deepEqual((await ida.getFriendList()).data, []);
  await lists(ida, 'C2Cben');
});

test('handlers: with a context, taken off, and one that throws harms nobody', async () => {
  const [joe, ben] = [await device(server, 'joe'), await device(server, 'ben')];
  joe.setLogLevel(4);
  const calls = [];
  const context = { name: 'here' };
  const off = () => calls.push('off');
  joe.on(EVENT.MESSAGE_RECEIVED, off);
  joe.on(EVENT.MESSAGE_RECEIVED, () => { throw new Error('a fault of the application'); });
  joe.on(EVENT.MESSAGE_RECEIVED, function () { calls.push(this.name); }, context);
  joe.off(EVENT.MESSAGE_RECEIVED, off);
  await send(ben, 'joe', 'hi');
  await lists(joe, 'C2Cben');
  assert.deepEqual(calls, ['here']);
});
