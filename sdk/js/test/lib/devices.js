// Devices of accounts, on a real server.

import { once } from 'node:events';
import chatsync from '../../src/node.js';
import { MemoryStorage } from '../../src/storage/memory.js';
import { APP, Server } from '../../../../tests/browser/lib/server.js';

export { APP, MemoryStorage, Server, chatsync, once };
export const { EVENT, TYPES } = chatsync;

/** UserSigs, each made once: making one is a process. */
const userSigs = new Map();
export function userSig(server, userID) {
  const key = `${server.url} ${userID}`;
  if (!userSigs.has(key)) userSigs.set(key, server.userSig(userID));
  return userSigs.get(key);
}

const open = new Set();

/** A device, logged in and ready. */
export async function device(server, userID, options = {}) {
  const chat = create(server, options);
  await chat.login({ userID, userSig: userSig(server, userID) });
  return chat;
}

/** A device that has not logged in; `events` has all that it is told. */
export function create(server, options = {}) {
  const chat = chatsync.create({ SDKAppID: APP, url: server.socket, ...options });
  chat.setLogLevel(Number(process.env.LOG_LEVEL ?? 3));
  chat.events = [];
  for (const name of Object.values(EVENT)) chat.on(name, (event) => chat.events.push(event));
  open.add(chat);
  return chat;
}

/** To call after each test: nothing goes on. */
export async function destroyAll() {
  await Promise.all([...open].map((chat) => chat.destroy()));
  open.clear();
}

/** What a test looks again after. Not `ERROR`: looking at a device that isn't ready raises one. */
const LOOK = Object.values(EVENT).filter((name) => name !== EVENT.ERROR);

/** Waits until `condition` gives something, which is returned; looks after each event of the device. */
export function until(chat, what, condition, seconds = 10) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`not within ${seconds} seconds: ${what}`));
    }, seconds * 1000);
    const look = async () => {
      try {
        const found = await condition();
        if (!found) return;
        resolve(found);
      } catch (error) {
        reject(error);
      }
      stop();
    };
    // Not everything that a test waits for is an event.
    const again = setInterval(look, 100);
    const stop = () => {
      clearTimeout(timer);
      clearInterval(again);
      for (const name of LOOK) chat.off(name, look);
    };
    for (const name of LOOK) chat.on(name, look);
    look();
  });
}

/** The next event of that name. */
export function next(chat, name) {
  const seen = chat.events.length;
  return until(chat, name, () => chat.events.slice(seen).find((event) => event.name === name));
}

export async function send(chat, to, text, conversationType = 'C2C') {
  const message = chat.createTextMessage({ to, conversationType, payload: { text } });
  return (await chat.sendMessage(message)).data.message;
}

/** The IDs in the list. */
export async function listed(chat, options) {
  const { data } = await chat.getConversationList(options);
  return data.conversationList.map(({ conversationID }) => conversationID);
}

export function lists(chat, id) {
  return until(chat, `${id} in the list`, async () => (await listed(chat)).includes(id));
}

export function listsNot(chat, id) {
  return until(chat, `${id} not in the list`, async () => !(await listed(chat)).includes(id));
}
