// The public surface: the Web SDK's methods, of one client.

import * as conversationCalls from './conversation-calls.js';
import * as groupCalls from './group-calls.js';
import * as messageCalls from './message-calls.js';
import { Client } from './client.js';
import { EVENT, TYPES } from './constants.js';

/** Functions of a client and of what the program gives. */
export const CALLS = { ...conversationCalls, ...messageCalls, ...groupCalls };
/** Methods of the client. */
export const OWN = /** @type {const} */ (
  ['login', 'logout', 'destroy', 'isReady', 'getLoginUser', 'getServerTime', 'setLogLevel', 'on', 'off']
);

/**
 * @param {import('../types/index.d.ts').CreateOptions} options
 * @returns {import('../types/index.d.ts').ChatSDK}
 */
export function create(options) {
  const client = new Client(options);
  // Bound, so that a program may hand them around.
  const calls = Object.entries(CALLS).map(([name, call]) => [
    name, (/** @type {any} */ options = {}) => call(client, options),
  ]);
  const own = OWN.map((name) => [name, /** @type {Function} */ (client[name]).bind(client)]);
  return Object.assign({ EVENT, TYPES }, Object.fromEntries([...calls, ...own]));
}
