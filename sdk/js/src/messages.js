// Messages as the application sees them. Pure.

import { TYPES } from './constants.js';
import { CODE, ChatError, invalid } from './errors.js';
import { peerOf, typeOf } from './conversations.js';

/**
 * @typedef {import('./wire.d.ts').Message} WireMessage
 * @typedef {import('../types/index.d.ts').Message} Message
 */

/** A control entry that only says that another one was revoked. */
export const REVOKE = 'revoke';

/** @param {WireMessage} message */
export const isShown = (message) => message.type !== REVOKE;

/**
 * @param {WireMessage} wire
 * @param {string} userID whose device this is
 * @returns {Message}
 */
export function message(wire, userID) {
  const { conversationID, from } = wire;
  const isOwn = from === userID;
  const time = Math.floor(wire.time / 1000);
  return {
    ID: wire.ID,
    type: wire.type,
    payload: wire.payload,
    conversationID,
    conversationType: typeOf(conversationID),
    to: !isOwn && conversationID.startsWith('C2C') ? userID : peerOf(conversationID),
    from,
    flow: isOwn ? 'out' : 'in',
    time,
    clientTime: time,
    sequence: wire.seq,
    status: 'success',
    isRevoked: wire.isRevoked,
    revoker: '',
    priority: TYPES.MSG_PRIORITY_NORMAL,
    nick: '',
    avatar: '',
    nameCard: '',
    cloudCustomData: '',
    atUserList: [],
    isPeerRead: false,
    isDeleted: false,
    isModified: false,
    needReadReceipt: false,
  };
}

/**
 * A message that was not sent yet. Its ID is also the requestID that it is sent with, so that sending the same one
 * again, after an error, is one message.
 * @param {any} options
 * @param {string} type
 * @param {string} userID
 * @param {string} ID
 * @param {number} now in milliseconds
 * @returns {Message}
 */
export function draft(options, type, userID, ID, now) {
  const { to, conversationType, payload, priority = TYPES.MSG_PRIORITY_NORMAL, cloudCustomData = '' } = options ?? {};
  if (typeof to !== 'string' || to === '') throw invalid('to', 'must be a userID or groupID');
  if (conversationType !== TYPES.CONV_C2C && conversationType !== TYPES.CONV_GROUP) {
    throw invalid('conversationType', 'must be "C2C" or "GROUP"');
  }
  if (payload === null || typeof payload !== 'object') throw invalid('payload', 'must be an object');
  if (type === TYPES.MSG_TEXT && typeof payload.text !== 'string') throw invalid('payload.text', 'must be a string');
  if (cloudCustomData !== '') {
    throw new ChatError(CODE.INVALID_OPERATION, 'cloudCustomData is not carried; put it into a custom message');
  }
  const time = Math.floor(now / 1000);
  const conversationID = conversationType + to;
  return {
    ...message({ ID, conversationID, seq: 0, from: userID, time: now, type, payload, isRevoked: false,
      isControl: false }, userID),
    time,
    priority,
    status: 'unSend',
  };
}
