// A network that can fail: a TCP proxy before the server.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

export class Proxy {
  #server;
  #pairs = new Set();
  /** False: what a client sends does not arrive. */
  toServer = true;
  /** False: what the server sends does not arrive. */
  toClient = true;
  /** False: no connection is made. */
  isUp = true;

  static async start(server) {
    const proxy = new Proxy();
    const { hostname, port } = new URL(server.url);
    proxy.#server = createServer((client) => {
      if (!proxy.isUp) {
        client.destroy();
        return;
      }
      const upstream = connect(Number(port), hostname);
      const pair = { client, upstream };
      proxy.#pairs.add(pair);
      client.on('data', (data) => proxy.toServer && upstream.write(data));
      upstream.on('data', (data) => proxy.toClient && client.write(data));
      const end = () => {
        client.destroy();
        upstream.destroy();
        proxy.#pairs.delete(pair);
      };
      for (const socket of [client, upstream]) socket.on('close', end).on('error', end);
    });
    // A test that failed must not keep the process from ending.
    proxy.#server.listen(0, '127.0.0.1').unref();
    await once(proxy.#server, 'listening');
    proxy.socket = `ws://127.0.0.1:${proxy.#server.address().port}/ws`;
    return proxy;
  }

  /** Cuts what is connected. */
  cut() {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** No network from now on. */
  down() {
    this.isUp = false;
    this.cut();
  }

  /** The network is back, and whole. */
  up() {
    this.isUp = this.toServer = this.toClient = true;
  }

  async stop() {
    this.down();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
