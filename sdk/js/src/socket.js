/** @type {() => Promise<any>} */
let load = async () => globalThis.WebSocket;

/** For runtimes without a WebSocket of their own. @param {() => Promise<any>} loader */
export function useWebSocket(loader) {
  load = loader;
}

/** @param {string} url @returns {Promise<WebSocket>} */
export async function openSocket(url) {
  const WebSocket = await load();
  return new WebSocket(url, ['chatsync.v1']);
}
