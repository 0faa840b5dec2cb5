// Three devices of one account and their peers do things at random, over networks that fail. When it is quiet, every
// device must show the same, and what a device that logs in fresh is shown.
//
// SEED=… repeats a run; CASES and STEPS say how much.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MemoryStorage, Server, create, destroyAll, device, until, userSig } from './lib/devices.js';
import { Proxy } from './lib/proxy.js';

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const CASES = Number(process.env.CASES ?? 100);
const STEPS = Number(process.env.STEPS ?? 30);
/** Cases at a time: most of each is waiting. */
const ABREAST = 25;

/** A generator of random numbers, the same for the same seed (Mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

let server;
before(async () => {
  server = await Server.start({
    CHATSYNC__LIMITS__PAGE: '3',
    CHATSYNC__LIMITS__ANONYMOUS_PER_ADDRESS: '100000',
    CHATSYNC__LIMITS__QUEUE_FRAMES: '8',
  });
  server.syncDeletions(true);
});
after(async () => {
  await destroyAll();
  await server?.stop();
});

/** What a device shows. */
async function shown(chat) {
  const { conversationList } = (await chat.getConversationList()).data;
  return conversationList.map(({ conversationID, unreadCount, isPinned, membership, lastMessage }) => ({
    conversationID, unreadCount, isPinned, membership,
    last: lastMessage.lastSequence,
    // A revoke is not told to who has left the group, though what was revoked is gone for them too.
    ...(membership === 'active' && { text: lastMessage.messageForShow, isRevoked: lastMessage.isRevoked }),
  }));
}

async function play(number) {
  const random = generator(SEED + number);
  const pick = (list) => list[random(list.length)];
  const userID = `u${number}`;
  const peers = [0, 1, 2, 3].map((peer) => `p${peer}-${number}`);
  const group = `g${number}`;
  const conversations = [...peers.map((peer) => `C2C${peer}`), `GROUP${group}`, '@TIM#SYSTEM'];
  const done = [];

  const proxies = await Promise.all([0, 1, 2].map(() => Proxy.start(server)));
  const storages = proxies.map(() => new MemoryStorage());
  const open = (which) =>
    create(server, { url: proxies[which].socket, deviceID: `d${which}`, storage: storages[which], timeout: 60_000 });
  const login = (chat) => chat.login({ userID, userSig: userSig(server, userID) });
  const devices = proxies.map((_, which) => open(which));
  await Promise.all(devices.map(login));
  const others = await Promise.all(peers.slice(0, 2).map((peer) => device(server, peer)));
  await others[0].createGroup({ groupID: group, name: group, type: 'Public', memberList: [{ userID }] });

  const calls = [];
  /** Refusals are as good as successes here: what counts is what is shown in the end. */
  const call = (what, promise) => {
    done.push(what);
    calls.push(promise.catch((error) => done.push(`  ${what}: ${error.code} ${error.message}`)));
  };
  for (let step = 0; step < STEPS; step += 1) {
    const which = random(3);
    const chat = devices[which];
    const id = pick(conversations);
    const peer = random(2);
    switch (random(13)) {
      case 0: case 1: {
        const conversationIDList = [id, pick(conversations)];
        const clearHistoryMessage = random(2) === 0;
        call(`d${which} deletes ${conversationIDList} ${clearHistoryMessage}`,
          chat.deleteConversation({ conversationIDList, clearHistoryMessage }));
        break;
      }
      case 2:
        call(`d${which} restores ${id}`, chat.restoreConversation(id));
        break;
      case 3:
        call(`d${which} reads ${id}`, chat.setMessageRead({ conversationID: id }));
        break;
      case 4:
        call(`d${which} pins ${id}`, chat.pinConversation({ conversationID: id, isPinned: random(2) === 0 }));
        break;
      case 5:
        call(`d${which} clears ${id}`, chat.clearHistoryMessage(id));
        break;
      case 6: {
        const isGroup = random(3) === 0;
        const options = { to: isGroup ? group : pick(peers), conversationType: isGroup ? 'GROUP' : 'C2C' };
        const message = chat.createTextMessage({ ...options, payload: { text: `${which} ${step}` } });
        call(`d${which} writes to ${message.conversationID}`, chat.sendMessage(message));
        break;
      }
      case 7: case 8: {
        const isGroup = random(3) === 0;
        const options = { to: isGroup ? group : userID, conversationType: isGroup ? 'GROUP' : 'C2C' };
        const message = others[peer].createTextMessage({ ...options, payload: { text: `peer ${step}` } });
        call(`p${peer} writes`, others[peer].sendMessage(message).then(async ({ data }) => {
          if (step % 4 === 0) await others[peer].revokeMessage(data.message);
        }));
        break;
      }
      case 9:
        call('in or out of the group', step % 2
          ? others[0].deleteGroupMember({ groupID: group, userIDList: [userID] })
          : others[0].addGroupMember({ groupID: group, userIDList: [userID] }));
        break;
      case 10:
        done.push(`d${which} is cut`);
        if (random(2) === 0) proxies[which].toClient = false;
        else proxies[which].toServer = false;
        await new Promise((resolve) => setTimeout(resolve, random(20)));
        proxies[which].cut();
        proxies[which].up();
        break;
      case 11:
        done.push(`d${which} is ${proxies[which].isUp ? 'off' : 'on'}line`);
        if (proxies[which].isUp) proxies[which].down();
        else proxies[which].up();
        break;
      default: {
        done.push(`d${which} is reloaded`);
        await chat.destroy();
        devices[which] = open(which);
        // Offline it says so in time, and goes on trying.
        login(devices[which]).catch((error) => done.push(`  d${which}: ${error.code} ${error.message}`));
        const started = devices[which];
        await until(started, 'a list', () => started.getConversationList().then(() => true, () => false));
      }
    }
    if (random(3) === 0) await new Promise((resolve) => setTimeout(resolve, random(15)));
  }
  for (const proxy of proxies) proxy.up();
  await Promise.all(calls);

  try {
    const fresh = await device(server, userID, { deviceID: 'fresh' });
    // The wait before a new connection grows with each that failed. And what was done before a reload has no promise
    // any more that could be waited for.
    await Promise.all(devices.map((chat, which) =>
      until(chat, `d${which} in step`, async () => {
        const calls = storages[which].getItem(`chatsync/1400000001/${userID}/d${which}/calls`);
        return (calls ?? '[]') === '[]' && (await chat.getConversationList()).data.isSyncCompleted;
      }, 40)));
    let truth;
    await until(fresh, `case ${number}: all devices alike`, async () => {
      truth = await shown(fresh);
      for (const chat of devices) {
        const own = await shown(chat);
        if (JSON.stringify(own) !== JSON.stringify(truth)) return false;
      }
      return true;
    }).catch(async (error) => {
      for (const [which, chat] of devices.entries()) {
        const { isSyncCompleted } = (await chat.getConversationList()).data;
        const tail = chat.events.slice(-12).map(({ name, data }) => `${name} ${JSON.stringify(data)?.slice(0, 60)}`);
        done.push(`d${which}: ${isSyncCompleted ? '' : 'not '}in step; ${tail.join('; ')}`);
        const key = `chatsync/1400000001/${userID}/d${which}`;
        done.push(...['list', 'calls'].map((item) => storages[which].getItem(`${key}/${item}`)));
      }
      for (const chat of devices) assert.deepEqual(await shown(chat), truth);
      throw error;
    });
    // And what the fresh one was told since is what another one is told now.
    const another = await device(server, userID, { deviceID: 'another' });
    assert.deepEqual(await shown(another), truth);
    assert.equal(another.getTotalUnreadMessageCount(), devices[0].getTotalUnreadMessageCount());
    await Promise.all([...devices, ...others, fresh, another].map((chat) => chat.destroy()));
  } catch (error) {
    error.message = `SEED=${SEED} case ${number}: ${error.message}\n${done.join('\n')}`;
    throw error;
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

test(`${CASES} times ${STEPS} random steps of three devices end alike (SEED=${SEED})`, async () => {
  for (let first = 0; first < CASES; first += ABREAST) {
    const numbers = [...Array(Math.min(ABREAST, CASES - first)).keys()].map((n) => first + n);
    await Promise.all(numbers.map(play));
  }
});
