// Devices of users: real WebSockets, opened by a page of the server's own and driven from the test.

import { APP } from './server.js';

export class Devices {
  #page;
  #server;
  #count = 0;

  static async start(browser, server) {
    const devices = new Devices();
    devices.#server = server;
    devices.#page = await browser.newPage();
    await devices.#page.goto(`${server.url}/livez`);
    await devices.#page.evaluate(install);
    return devices;
  }

  /** Logs a device in; `cursor` resumes. */
  async login(userID, deviceID, { platform = 'iPhone', cursor = null, app = APP } = {}) {
    this.#count += 1;
    const device = new Device(this.#page, this.#count);
    const params = { sdkAppID: app, userID, userSig: this.#server.userSig(userID, app), deviceID, platform, cursor };
    await this.#page.evaluate(([id, url]) => globalThis.connect(id, url), [device.id, this.#server.socket]);
    device.state = await device.call('login', params);
    return device;
  }
}

class Device {
  /** What the login answered. */
  state;
  #page;

  constructor(page, id) {
    this.#page = page;
    this.id = id;
  }

  call(method, params = {}) {
    return this.#page.evaluate((words) => globalThis.call(...words), [this.id, method, params]);
  }

  /** The first push of that method that holds this text, once it has come. */
  push(method, text = '') {
    return this.#page.evaluate((words) => globalThis.push(...words), [this.id, method, text]);
  }

  /** The pushes that have come so far. */
  async pushes(method) {
    const all = await this.#page.evaluate((id) => globalThis.sockets.get(id).pushes, this.id);
    return all.filter((push) => push.method === method);
  }

  /** The close code, once it is closed. */
  closed() {
    return this.#page.evaluate((id) => globalThis.sockets.get(id).closed, this.id);
  }

  say(conversationID, text) {
    return this.call('message.send', { conversationID, type: 'TIMTextElem', payload: { text } });
  }

  delete(...conversationIDList) {
    return this.call('conversation.delete', { conversationIDList, requestID: `request-${this.id}-${Math.random()}` });
  }

  close() {
    return this.#page.evaluate((id) => globalThis.sockets.get(id).socket.close(), this.id);
  }
}

/** Runs in the page. */
function install() {
  globalThis.sockets = new Map();
  globalThis.connect = (id, url) => new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'chatsync.v1');
    const entry = { socket, pushes: [], waiting: [], answers: new Map(), last: 0 };
    entry.closed = new Promise((closed) => {
      socket.onclose = ({ code }) => {
        closed(code);
        for (const answer of entry.answers.values()) answer({ error: { message: `closed with ${code}` } });
      };
    });
    globalThis.sockets.set(id, entry);
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error('no connection'));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.method) {
        entry.pushes.push(frame);
        entry.waiting.splice(0).forEach((look) => look());
      } else {
        entry.answers.get(frame.id)?.(frame);
      }
    };
  });
  globalThis.call = async (id, method, params) => {
    const entry = globalThis.sockets.get(id);
    entry.last += 1;
    const answered = new Promise((resolve) => entry.answers.set(entry.last, resolve));
    entry.socket.send(JSON.stringify({ jsonrpc: '2.0', id: entry.last, method, params }));
    const { result, error } = await answered;
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  };
  globalThis.push = async (id, method, text) => {
    const entry = globalThis.sockets.get(id);
    for (;;) {
      const found = entry.pushes.find((push) => push.method === method && JSON.stringify(push).includes(text));
      if (found) return found.params;
      await new Promise((resolve) => entry.waiting.push(resolve));
    }
  };
}
