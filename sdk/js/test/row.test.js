import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, isListed, newRow, read, remove, revoke, take, unreadCount } from '../src/row.js';
import { entry, message } from './lib/wire.js';

function row(lastSeq, unread) {
  const made = newRow('C2Cbob');
  take(made, entry(lastSeq, unread));
  return made;
}

test('a deletion hides, reads and unpins', () => {
  const one = row(5, 2);
  one.isPinned = true;
  assert.equal(remove(one, 5, true), true);
  assert.deepEqual([isListed(one), one.isPinned, one.lastMessage, unreadCount(one), one.readUpTo],
    [false, false, null, 0, 5]);
});

test('a message that came during the deletion stays listed', () => {
  const one = row(5, 2);
  append(one, message(6), false);
  assert.equal(remove(one, 5, true), true);
  assert.deepEqual([isListed(one), unreadCount(one), one.lastMessage.seq], [true, 1, 6]);
});

test('only a message brings a conversation back', () => {
  const one = row(5, 0);
  remove(one, 5, false);
  append(one, message(6, '', { isControl: true }), false);
  revoke(one, 7, 'm5');
  assert.deepEqual([isListed(one), one.lastSeq], [false, 7]);
  append(one, message(8), false);
  assert.deepEqual([isListed(one), unreadCount(one)], [true, 1]);
});

test('one has read what one answers', () => {
  const one = row(5, 3);
  append(one, message(6), false);
  append(one, message(7, 'alice'), true);
  assert.deepEqual([unreadCount(one), one.readUpTo], [0, 7]);
});

test('an entry that was made before one answered does not unread what was read by it', () => {
  const one = row(4, 0);
  append(one, message(5), false);
  append(one, message(6, 'alice'), true);
  take(one, entry(5, 1));
  assert.deepEqual([unreadCount(one), one.lastMessage.seq], [0, 6]);
});

test('reading part of what the server counted must be asked', () => {
  const one = row(5, 3);
  append(one, message(6), false);
  assert.equal(read(one, 3), false);
  assert.equal(read(one, 5), true);
  assert.equal(unreadCount(one), 1);
  assert.equal(read(one, 2), true);
  assert.equal(one.readUpTo, 5);
});

test('an older state does not take back a newer message', () => {
  const one = row(5, 0);
  append(one, message(6), false);
  take(one, entry(5, 1));
  assert.deepEqual([one.lastSeq, unreadCount(one), one.lastMessage.seq], [6, 2, 6]);
});

test('a restored conversation is listed again', () => {
  const one = row(5, 0);
  remove(one, 5, true);
  take(one, entry(5, 0));
  assert.equal(isListed(one) && one.lastMessage !== null, true);
});

test('a tombstone says how it is: hidden less far where a deletion was undone', () => {
  const one = row(9, 0);
  remove(one, 9, true);
  take(one, { conversationID: 'C2Cbob', type: 'C2C', deleted: true, upTo: 7, historyCleared: false, historyFloor: 3,
    lastSeq: 9, readUpTo: 9, membership: 'active' });
  assert.deepEqual([one.hidden, one.floor], [7, 3]);
});

test('what neither lists nor hides changes only the rest', () => {
  const [shown, hidden] = [row(5, 2), row(5, 2)];
  remove(hidden, 5, false);
  for (const one of [shown, hidden]) {
    take(one, { conversationID: 'C2Cbob', type: 'C2C', unlisted: true, isPinned: false, lastSeq: 6, readUpTo: 5,
      membership: 'quit' });
  }
  assert.deepEqual([isListed(shown), isListed(hidden), unreadCount(shown), shown.membership], [true, false, 0, 'quit']);
});

test('a revoked last message keeps its place and loses its words', () => {
  const one = row(5, 0);
  revoke(one, 6, 'm5');
  assert.deepEqual([one.lastMessage.isRevoked, one.lastMessage.payload, one.lastSeq], [true, null, 6]);
});
