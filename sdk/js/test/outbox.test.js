import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChatError } from '../src/errors.js';
import { Lost, Outbox } from '../src/outbox.js';

/** An outbox whose calls are answered by hand. */
function outbox() {
  const sent = [];
  const seen = { answered: [], failed: [], changed: 0 };
  const box = new Outbox({
    send: (method, params) => new Promise((resolve, reject) => sent.push({ method, params, resolve, reject })),
    answered: (method, params, answer) => seen.answered.push([method, answer]),
    failed: (error) => seen.failed.push(error.code),
    changed: () => { seen.changed += 1; },
  });
  const keep = (method, conversationID, requestID) =>
    box.add(method, { conversationID, requestID }, { isKept: true, timeout: 0 });
  return { box, sent, seen, keep };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const names = (sent) => sent.map(({ method, params }) => `${method} ${params.requestID}`);

test('a kept call waits for a connection, goes again after a loss, and is answered once', async () => {
  const { box, sent, seen, keep } = outbox();
  const call = keep('pin', 'a', 'r1');
  assert.equal(seen.changed, 1);
  assert.deepEqual(sent, []);
  box.open();
  box.close();
  sent[0].reject(new Lost());
  await turn();
  box.open();
  assert.deepEqual(names(sent), ['pin r1', 'pin r1']);
  sent[1].resolve('done');
  assert.equal(await call, 'done');
  assert.deepEqual(seen.answered, [['pin', 'done']]);
  assert.deepEqual(box.kept(), []);
});

test('calls about one conversation go one after the other, others beside them', async () => {
  const { box, sent, keep } = outbox();
  box.open();
  const calls = [keep('delete', 'a', 1), keep('restore', 'a', 2), keep('delete', 'b', 3)];
  assert.deepEqual(names(sent), ['delete 1', 'delete 3']);
  sent[0].resolve(1);
  await calls[0];
  await turn();
  assert.deepEqual(names(sent), ['delete 1', 'delete 3', 'restore 2']);
});

test('what the server could not commit is tried again, in its place', async (t) => {
  const { box, sent, keep } = outbox();
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  box.open();
  const call = keep('delete', 'a', 1);
  keep('restore', 'a', 2);
  sent[0].reject(new ChatError(50004, 'try again'));
  await turn();
  assert.deepEqual(names(sent), ['delete 1']);
  t.mock.timers.tick(30_000);
  assert.deepEqual(names(sent), ['delete 1', 'delete 1']);
  sent[1].reject(new ChatError(2996, 'too many', { retryAfter: 70_000 }));
  await turn();
  t.mock.timers.tick(69_999);
  assert.equal(sent.length, 2);
  t.mock.timers.tick(1);
  assert.equal(sent.length, 3);
  sent[2].resolve('done');
  assert.equal(await call, 'done');
});

test('a refusal is told, and is over', async () => {
  const { box, sent, seen, keep } = outbox();
  box.open();
  const call = keep('delete', 'a', 1);
  sent[0].reject(new ChatError(2500, 'not found'));
  await assert.rejects(call, { code: 2500 });
  assert.deepEqual([box.kept(), seen.changed], [[], 2]);
});

test('what an earlier run left is told by an event if it is refused', async () => {
  const { box, sent, seen } = outbox();
  box.load([{ method: 'delete', params: { requestID: 1 } }]);
  box.open();
  sent[0].reject(new ChatError(2500, 'not found'));
  await turn();
  assert.deepEqual(seen.failed, [2500]);
});

test('what is not kept is given up in time; a late answer still counts', async (t) => {
  const { box, sent, seen } = outbox();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const unsent = box.add('send', { requestID: 1 }, { isKept: false, timeout: 100 });
  t.mock.timers.tick(100);
  await assert.rejects(unsent, (error) => error.code === 2801 && error.data.requestID === 1);
  box.open();
  assert.deepEqual(sent, []);
  const slow = box.add('send', { requestID: 2 }, { isKept: false, timeout: 100 });
  t.mock.timers.tick(100);
  await assert.rejects(slow, { code: 2801 });
  sent[0].resolve('late');
  await turn();
  assert.deepEqual(seen.answered, [['send', 'late']]);
});

test('an end rejects all that wait', async () => {
  const { box, keep } = outbox();
  const calls = [keep('delete', 'a', 1), box.add('list', {}, { isKept: false, timeout: 1000 })];
  box.end((isKept) => new ChatError(2999, 'over', { isKept }));
  const outcomes = await Promise.allSettled(calls);
  assert.deepEqual(outcomes.map(({ reason }) => reason.data.isKept), [true, false]);
});

test('not more than a thousand are kept', async () => {
  const { box, keep } = outbox();
  for (let number = 0; number < 1000; number += 1) keep('pin', 'a', number).catch(() => {});
  await assert.rejects(keep('pin', 'a', 1000), { code: 2996 });
  box.end(() => new ChatError(2999, 'over'));
});
