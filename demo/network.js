// The cable of each device. The SDK opens its own WebSockets; here they can be pulled out and put back, which is
// what going offline is: the client knows nothing of it but that the connection is gone.

const Plain = globalThis.WebSocket;
/** @type {Map<string, Set<WebSocket>>} */
const open = new Map();
const unplugged = new Set();

/** The address that this device's connections go to; the server does not look at the query. */
export function addressOf(device) {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('device', device);
  return url.href;
}

class Cable extends Plain {
  constructor(url, protocols) {
    const device = new URL(url).searchParams.get('device');
    if (unplugged.has(device)) throw new Error(`${device} is offline`);
    super(url, protocols);
    const mine = open.get(device) ?? new Set();
    open.set(device, mine.add(this));
    this.addEventListener('close', () => mine.delete(this));
  }
}

globalThis.WebSocket = Cable;

export const isPlugged = (device) => !unplugged.has(device);

export function unplug(device) {
  unplugged.add(device);
  for (const socket of open.get(device) ?? []) socket.close();
}

export function plug(device) {
  unplugged.delete(device);
  // As a browser tells its pages when the network is back.
  globalThis.dispatchEvent(new Event('online'));
}
