// What a program asks of messages.

import { TYPES } from './constants.js';
import { checked } from './conversations.js';
import { CODE, ChatError, ok } from './errors.js';
import { draft, isShown, message } from './messages.js';
import { randomID } from './random.js';

/** @typedef {import('./client.js').Client} Client */
/** @typedef {import('../types/index.d.ts').Message} Message */

/** Own messages remembered, so that a catch-up doesn't bring them as news. */
const MOST_OWN = 1000;

/**
 * @param {Client} client
 * @param {{to: string, conversationType: string, payload: {text: string}, priority?: string}} options
 */
export function createTextMessage(client, options) {
  return draft(options, TYPES.MSG_TEXT, client.getLoginUser(), randomID(), client.getServerTime());
}

/**
 * @param {Client} client
 * @param {{to: string, conversationType: string, priority?: string,
 *          payload: {data?: string, description?: string, extension?: string}}} options
 */
export function createCustomMessage(client, options) {
  return draft(options, TYPES.MSG_CUSTOM, client.getLoginUser(), randomID(), client.getServerTime());
}

/**
 * @param {Client} client
 * @param {Message} sent from one of the `create…Message`s; it is filled in
 */
export async function sendMessage(client, sent) {
  const session = client.ready('sendMessage');
  if (!sent?.ID || !sent.conversationID || !sent.type) {
    throw new ChatError(CODE.MESSAGE_INSTANCE_REQUIRED, 'A message made by a create method is required.');
  }
  if (sent.status === 'success') throw new ChatError(CODE.INVALID_OPERATION, 'The message has been sent.');
  const { ID, conversationID, type, payload } = sent;
  try {
    const answer = await session.operate('message.send', { conversationID, type, payload }, { requestID: ID });
    client.history.add(answer.message);
    client.own.add(answer.message.ID);
    if (client.own.size > MOST_OWN) client.own.delete(String(client.own.values().next().value));
    const { priority } = sent;
    return ok({ message: Object.assign(sent, message(answer.message, session.userID), { priority }) });
  } catch (error) {
    sent.status = 'fail';
    throw error;
  }
}

/**
 * @param {Client} client
 * @param {{conversationID: string, nextReqMessageID?: string, count?: number}} options
 */
export async function getMessageList(client, { conversationID, nextReqMessageID, count = 15 }) {
  const session = client.ready('getMessageList');
  checked(conversationID);
  client.history.open(conversationID);
  /** @type {import('./wire.d.ts').MessageList} */
  let page;
  let messageList;
  let next = nextReqMessageID;
  do {
    const params = { conversationID, nextReqMessageID: next || undefined, count };
    // Without a connection, what is known.
    const { history } = client;
    const known = session.isConnected ? null : history.page(client.row(session, conversationID), next, count);
    const end = next ? (history.get(conversationID, next)?.seq ?? 0) : (session.row(conversationID)?.lastSeq ?? 0) + 1;
    page = known ?? (await session.ask('message.list', params));
    history.addPage(conversationID, page.messageList, page.messageList[0]?.seq ?? end, end);
    messageList = page.messageList.filter(isShown).map((wire) => message(wire, session.userID));
    next = page.nextReqMessageID;
    // A page may hold nothing but what says that others were revoked.
  } while (messageList.length === 0 && !page.isCompleted);
  return ok({ messageList, nextReqMessageID: page.nextReqMessageID, isCompleted: page.isCompleted });
}

/**
 * @param {Client} client
 * @param {Message} sent
 */
export async function revokeMessage(client, sent) {
  const session = client.ready('revokeMessage');
  if (!sent?.ID || !sent.conversationID) {
    throw new ChatError(CODE.MESSAGE_INSTANCE_REQUIRED, 'A message is required.');
  }
  const { ID, conversationID } = sent;
  await session.operate('message.revoke', { ID, conversationID });
  return ok({ message: Object.assign(sent, { isRevoked: true, revoker: session.userID, payload: null }) });
}
