// How a connection takes the ways in which a server ends it: against a server that does each on demand.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { ceiling } from '../src/backoff.js';
import { EVENT, create, destroyAll, next, until } from './lib/devices.js';

let server, logins, onLogin, asked, answers;
const page = { version: 1, cursor: 'c', reset: true, conversationList: [], isCompleted: true };
const answer = { ...page, instanceID: 'i', serverTime: 1_790_000_000_000, features: {} };

beforeEach(async () => {
  logins = 0;
  onLogin = () => {};
  asked = [];
  answers = {};
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'chatsync.v1' });
  server.on('connection', (socket) => {
    socket.on('message', (text) => {
      const { id, method, params } = JSON.parse(text);
      const say = (frame) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...frame }));
      if (method !== 'login') {
        asked.push({ method, params, at: Date.now() });
        const result = answers[method]?.(params);
        if (result) say({ id, result });
        return;
      }
      logins += 1;
      if (onLogin({ id, socket, say }) !== false) say({ id, result: answer });
    });
  });
  await once(server, 'listening');
});
afterEach(async () => {
  await destroyAll();
  for (const client of server.clients) client.terminate();
  server.close();
});

const device = (options) => create({ socket: `ws://127.0.0.1:${server.address().port}` }, options);
const credentials = { userID: 'alice', userSig: 'sig' };
const closeAll = (code) => { for (const client of server.clients) client.close(code); };

for (const code of [1000, 1001, 1011, 1012, 1013, 4408, 4409, 4410, 4499]) {
  test(`closed with ${code}: it comes back`, async () => {
    const chat = device();
    await chat.login(credentials);
    closeAll(code);
    await until(chat, 'back', () => logins === 2);
    assert.equal(chat.isReady(), true);
    assert.equal(chat.events.some(({ name }) => name === EVENT.KICKED_OUT), false);
  });
}

for (const [code, type, reason] of [
  [4401, 'userSigExpired', 3004],
  [4501, 'REST_API_Kick', 3006],
]) {
  test(`closed with ${code}: kicked out, and it stays away`, async () => {
    const chat = device();
    await chat.login(credentials);
    const kicked = next(chat, EVENT.KICKED_OUT);
    const waits = assert.rejects(chat.getGroupList(), { code: reason });
    closeAll(code);
    assert.deepEqual((await kicked).data, { type });
    await waits;
    assert.equal(chat.isReady(), false);
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(logins, 1);
  });
}

test('displaced right after its login, it tries once more: a ghost of its own may have done it', async () => {
  const chat = device();
  await chat.login(credentials);
  closeAll(4509);
  await until(chat, 'back', () => logins === 2 && chat.isReady());
  const kicked = next(chat, EVENT.KICKED_OUT);
  closeAll(4509);
  assert.deepEqual((await kicked).data, { type: 'multipleAccount' });
  await assert.rejects(chat.getGroupList(), { code: 3003 });
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(logins, 2);
});

test('what the push said counts more than the code', async () => {
  const chat = device();
  await chat.login(credentials);
  const kicked = next(chat, EVENT.KICKED_OUT);
  for (const client of server.clients) {
    client.send(JSON.stringify({ jsonrpc: '2.0', method: 'kickedOut', params: { type: 'multipleDevice' } }));
  }
  closeAll(4509);
  assert.deepEqual((await kicked).data, { type: 'multipleDevice' });
});

test('a login that is refused for now is tried again', async () => {
  onLogin = ({ id, socket, say }) => {
    if (logins > 1) return true;
    say({ id, error: { code: 50004, message: 'try again' } });
    socket.close(1013);
    return false;
  };
  const chat = device();
  await chat.login(credentials);
  assert.equal(logins, 2);
});

test('a login that is refused for good is told, and not tried again', async () => {
  onLogin = ({ id, socket, say }) => {
    say({ id, error: { code: 60016, message: 'the app is disabled' } });
    socket.close(4500);
    return false;
  };
  const chat = device();
  await assert.rejects(chat.login(credentials), { code: 60016, message: 'the app is disabled' });
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(logins, 1);
});

test('what is not the protocol ends the connection, not the program', async () => {
  const chat = device();
  await chat.login(credentials);
  for (const client of server.clients) client.send('{');
  await until(chat, 'back', () => logins === 2);
});

test('a server that says when to come back is believed, within reason', async () => {
  const chat = device();
  await chat.login(credentials);
  const before = Date.now();
  for (const client of server.clients) {
    client.send(JSON.stringify({ jsonrpc: '2.0', method: 'server.draining', params: { retryAfter: 900 } }));
  }
  closeAll(1012);
  await until(chat, 'back', () => logins === 2);
  assert.ok(Date.now() - before >= 890, `${Date.now() - before} ms`);
});

const push = (method, params) => {
  for (const client of server.clients) client.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
};
const syncs = () => asked.filter(({ method }) => method === 'conversation.sync');
const updated = (version) => push('conversation.updated', { version, conversationList: [], time: 1 });

test('a gap is waited on for 0.7 s, and then asked for from the cursor', async () => {
  answers['conversation.sync'] = () => ({ ...page, version: 3, cursor: 'd', reset: false });
  const chat = device();
  await chat.login(credentials);
  const before = Date.now();
  updated(3);
  await until(chat, 'asked', () => syncs().length === 1);
  assert.deepEqual(syncs()[0].params, { cursor: 'c' });
  assert.ok(syncs()[0].at - before >= 690, `${syncs()[0].at - before} ms`);
  // Caught up with: the next version is the next.
  updated(4);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(syncs().length, 1);
});

test('a gap that fills by itself is not asked for', async () => {
  const chat = device();
  await chat.login(credentials);
  updated(3);
  updated(2);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(syncs().length, 0);
});

test('a hint is followed at once, page by page', async () => {
  answers['conversation.sync'] = ({ cursor }) => ({
    ...page, reset: false, cursor: `${cursor}+`, version: 9, isCompleted: cursor === 'c++',
  });
  const chat = device();
  await chat.login(credentials);
  push('sync.hint', { head: 9 });
  await until(chat, 'asked', () => syncs().length === 3);
  assert.deepEqual(syncs().map(({ params }) => params.cursor), ['c', 'c+', 'c++']);
});

test('what was applied is acknowledged, and a pong that knows of more makes the client ask', async () => {
  answers.ping = () => ({ head: 5, cursor: 'e', serverTime: 1_790_000_000_000 });
  answers['conversation.sync'] = () => ({ ...page, version: 5, cursor: 'd', reset: false });
  const chat = device();
  await chat.login(credentials);
  updated(2);
  await until(chat, 'asked', () => syncs().length === 1);
  assert.deepEqual(asked[0].params, { ack: 2 });
  await until(chat, 'acknowledged', () => asked.some(({ params }) => params.ack === 5));
});

test('waits grow to a ceiling', () => {
  assert.deepEqual([0, 1, 2, 3, 5, 6, 99].map(ceiling), [500, 1000, 2000, 4000, 16_000, 30_000, 30_000]);
});
