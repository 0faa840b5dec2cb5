// The rules by which a device keeps in step, without a server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { State } from '../src/sync.js';
import { isListed, unreadCount } from '../src/row.js';
import { entry, message } from './lib/wire.js';

const deleted = (version, upTo, id = 'C2Cbob') => ({
  method: 'conversation.deleted',
  params: { version, conversationList: [{ conversationID: id, upTo }], historyCleared: true,
    origin: { deviceID: 'phone', platform: 'iPhone' }, time: 1 },
});
const updated = (version, ...conversationList) => ({
  method: 'conversation.updated', params: { version, conversationList, time: 1 },
});
const received = (seq, from) => ({ method: 'message.received', params: { message: message(seq, from) } });
const page = (version, conversationList, more = {}) => ({
  version, cursor: `c${version}`, reset: false, conversationList, isCompleted: true, ...more,
});

/** A device that has logged in at version 4, with one conversation of five messages. */
function state() {
  const made = new State('alice');
  assert.equal(made.beginSync(), null);
  made.page(page(4, [entry(5, 1)], { reset: true }));
  assert.equal(made.want(), 'nothing');
  return made;
}

const listed = (one) => one.rows().filter(isListed).map(({ conversationID }) => conversationID);
const kinds = (news) => news.map(({ kind }) => kind);

test('the next version is applied, an old one ignored', () => {
  const one = state();
  assert.deepEqual(kinds(one.push(deleted(5, 5))), ['deleted']);
  assert.deepEqual([one.version, listed(one)], [5, []]);
  assert.deepEqual(one.push(updated(5, entry(5, 0))), []);
  assert.deepEqual(listed(one), []);
});

test('a version beyond a gap waits for those missing, and is missed until they come', () => {
  const one = state();
  assert.deepEqual(one.push(deleted(6, 5)), []);
  assert.equal(one.want(), 'missing');
  assert.deepEqual(listed(one), ['C2Cbob']);
  one.push(updated(5, entry(5, 0, { isPinned: true })));
  assert.deepEqual([one.version, listed(one), one.want()], [6, [], 'nothing']);
});

test('likewise a message beyond a gap', () => {
  const one = state();
  assert.deepEqual(one.push(received(7)), []);
  assert.equal(one.want(), 'missing');
  assert.deepEqual(kinds(one.push(received(6))), ['message', 'message']);
  assert.equal(one.want(), 'nothing');
  assert.equal(unreadCount(one.row('C2Cbob')), 3);
  assert.deepEqual(one.push(received(7)), []);
});

test('a catch-up ends the wait, also for what it does not bring', () => {
  const one = state();
  one.push(received(9));
  one.push(deleted(9, 5));
  assert.equal(one.beginSync(), 'c4');
  one.page(page(9, [entry(9, 5)]));
  assert.deepEqual([one.want(), one.version, unreadCount(one.row('C2Cbob'))], ['nothing', 9, 5]);
});

test('what comes during a catch-up is judged after it', () => {
  const one = state();
  one.beginSync();
  assert.deepEqual(one.push(deleted(6, 5)), []);
  assert.equal(one.want(), 'nothing');
  const { news } = one.page(page(5, [entry(5, 0, { isPinned: true })]));
  assert.deepEqual(kinds(news), ['caughtUp', 'deleted']);
  assert.deepEqual([one.version, listed(one)], [6, []]);
});

test('pages: the cursor moves with the last one, and pushes are held until then', () => {
  const one = state();
  one.beginSync();
  assert.deepEqual(one.page(page(8, [entry(6, 2)], { cursor: 'half', isCompleted: false })), { next: 'half' });
  one.push(received(7));
  assert.equal(one.snapshot().cursor, 'c4');
  one.page(page(8, [entry(1, 1, { conversationID: 'C2Ccarl' })]));
  assert.equal(one.snapshot().cursor, 'c8');
  assert.deepEqual(listed(one).sort(), ['C2Cbob', 'C2Ccarl']);
  assert.equal(unreadCount(one.row('C2Cbob')), 3);
});

test('a reset between two pages forgets the pages before it', () => {
  const one = state();
  one.beginSync();
  one.page(page(8, [entry(6, 2, { conversationID: 'C2Cold' })], { cursor: 'half', isCompleted: false }));
  one.page(page(2, [entry(1, 1, { conversationID: 'C2Cnew' })], { reset: true }));
  assert.deepEqual([listed(one), one.version], [['C2Cnew'], 2]);
});

test('until a reset is complete what was there is shown and stored', () => {
  const one = state();
  one.beginSync();
  one.page(page(2, [entry(1, 1, { conversationID: 'C2Cnew' })], { reset: true, isCompleted: false }));
  assert.deepEqual(listed(one), ['C2Cbob']);
  assert.deepEqual(one.snapshot().rows.map(({ conversationID }) => conversationID), ['C2Cbob']);
  one.disconnected();
  assert.deepEqual([listed(one), one.beginSync()], [['C2Cbob'], 'c4']);
});

test('a first catch-up shows what has come of it, and stores nothing before it is complete', () => {
  const one = new State('alice');
  one.beginSync();
  one.page(page(2, [entry(1, 1)], { reset: true, isCompleted: false }));
  assert.deepEqual(listed(one), ['C2Cbob']);
  assert.deepEqual(one.snapshot(), { cursor: null, version: 0, rows: [] });
});

test('an own answer takes its place among the versions', () => {
  const one = state();
  const answer = { version: 6, synced: true, results: [{ conversationID: 'C2Cbob', code: 0, upTo: 5 }] };
  assert.deepEqual(one.answered('conversation.delete', {}, answer), []);
  assert.deepEqual([listed(one), one.want()], [['C2Cbob'], 'missing']);
  one.push(updated(5, entry(5, 0)));
  assert.deepEqual([listed(one), one.version], [[], 6]);
});

test('an own deletion that nobody is told of is not lost with a catch-up that is cut off', () => {
  const one = state();
  one.beginSync();
  const answer = { version: 4, synced: false, results: [{ conversationID: 'C2Cbob', code: 0, upTo: 5 }] };
  one.answered('conversation.delete', {}, answer);
  one.disconnected();
  assert.deepEqual(listed(one), []);
});

test('an own deletion that nobody is told of outlives a catch-up that began before it', () => {
  const one = state();
  one.beginSync();
  const answer = { version: 4, synced: false, results: [{ conversationID: 'C2Cbob', code: 0, upTo: 5 }] };
  one.answered('conversation.delete', {}, answer);
  one.page(page(5, [entry(5, 0)]));
  assert.deepEqual(listed(one), []);
});

test('a conversation never heard of is shown, and asked for', () => {
  const one = state();
  const push = { method: 'message.received', params: { message: { ...message(40), conversationID: 'C2Cdan' } } };
  assert.deepEqual(kinds(one.push(push)), ['message']);
  assert.deepEqual([listed(one).sort(), one.want()], [['C2Cbob', 'C2Cdan'], 'sync']);
});

test('a hint asks for a catch-up', () => {
  const one = state();
  one.push({ method: 'sync.hint', params: { head: 4 } });
  assert.equal(one.want(), 'sync');
});

test('a pong shows that something was lost, or gives a newer cursor', () => {
  const one = state();
  one.pong({ head: 5, cursor: 'c5', serverTime: 0 });
  assert.deepEqual([one.want(), one.cursor], ['missing', 'c4']);
  one.push(deleted(5, 5));
  one.pong({ head: 5, cursor: 'c5+', serverTime: 0 });
  assert.deepEqual([one.want(), one.cursor], ['nothing', 'c5+']);
});

test('a pong during a catch-up does not move the cursor', () => {
  const one = state();
  one.beginSync();
  one.pong({ head: 4, cursor: 'later', serverTime: 0 });
  assert.equal(one.cursor, 'c4');
});

test('what was deleted while away is news only where it was listed', () => {
  const one = state();
  one.beginSync();
  const tombstone = (conversationID, historyCleared) => ({ conversationID, type: 'C2C', deleted: true, upTo: 5,
    historyCleared, historyFloor: historyCleared ? 5 : 0, lastSeq: 5, readUpTo: 5, membership: 'active' });
  const { news } = one.page(page(7, [tombstone('C2Cbob', false), tombstone('C2Cnever', true)]));
  assert.deepEqual(news[0], { kind: 'deleted', conversationIDList: ['C2Cbob'], historyCleared: false, origin: null,
    time: null });
  assert.deepEqual(kinds(news), ['deleted', 'caughtUp']);
});

test('a count that only the server knows is asked for, and pushes that overtake the answer win', () => {
  const one = state();
  one.push(updated(5, entry(8, 4)));
  one.push(deleted(6, 6));
  assert.equal(one.doubtful, 'C2Cbob');
  one.beginSync();
  one.push(updated(7, entry(8, 0, { isPinned: true })));
  one.push(received(9));
  one.told('C2Cbob', entry(8, 2, { hiddenUpTo: 6 }));
  const row = one.row('C2Cbob');
  assert.deepEqual([row.isPinned, unreadCount(row), one.version, one.doubtful], [true, 1, 7, undefined]);
});

test('a state is stored and taken up again as it was', () => {
  const one = state();
  one.push(received(6));
  const again = new State('alice', JSON.parse(JSON.stringify(one.snapshot())));
  assert.deepEqual(again.snapshot(), one.snapshot());
  assert.equal(again.beginSync(), 'c4');
  again.page(page(4, []));
  again.push(received(7));
  assert.equal(unreadCount(again.row('C2Cbob')), 3);
});

test('a thousand pushes beyond a gap cost no more, and are asked for', () => {
  const one = state();
  for (let version = 6; version < 1106; version += 1) one.push(deleted(version, 5));
  assert.equal(one.want(), 'sync');
});
