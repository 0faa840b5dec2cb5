// For Node.js before 22, which has no WebSocket of its own. Browsers never load this file.

import { useWebSocket } from './socket.js';

if (!globalThis.WebSocket) useWebSocket(async () => (await import('ws')).WebSocket);

export { default } from './index.js';
export * from './index.js';
