// What a program asks of conversations.

import { TYPES } from './constants.js';
import { checked, filtered, totalUnread, typeOf } from './conversations.js';
import { CODE, ChatError, SENTENCES, invalid, notFound, ok } from './errors.js';

/** @typedef {import('./client.js').Client} Client */

/** Most conversations in one call. */
const MOST_CONVERSATIONS = 100;

/** @type {Record<string, string[]>} */
const READ_ALL = {
  [TYPES.READ_ALL_C2C_MSG]: [TYPES.CONV_C2C],
  [TYPES.READ_ALL_GROUP_MSG]: [TYPES.CONV_GROUP],
  [TYPES.READ_ALL_MSG]: [TYPES.CONV_C2C, TYPES.CONV_GROUP, TYPES.CONV_SYSTEM],
};

/**
 * @param {Client} client
 * @param {string | {conversationIDList: string[], clearHistoryMessage?: boolean}} options
 */
export async function deleteConversation(client, options) {
  const session = client.ready('deleteConversation');
  const isOne = typeof options === 'string';
  if (!isOne && (options === null || typeof options !== 'object')) {
    throw invalid('options', 'must be an ID or an object');
  }
  const clearHistoryMessage = isOne ? undefined : options.clearHistoryMessage;
  if (clearHistoryMessage !== undefined && typeof clearHistoryMessage !== 'boolean') {
    throw invalid('clearHistoryMessage', 'must be true or false');
  }
  const conversationIDList = several(isOne ? [options] : options.conversationIDList);
  // Up to what is known here: what arrives meanwhile is not deleted unseen.
  const upTo = Object.fromEntries(
    conversationIDList.flatMap((id) => {
      const row = session.row(id);
      return row ? [[id, row.lastSeq]] : [];
    }),
  );
  const params = { conversationIDList, clearHistoryMessage: clearHistoryMessage ?? true, upTo };
  const answer = await session.operate('conversation.delete', params, { isKept: true });
  const { succeeded, failed } = outcome(answer);
  if (succeeded.length === 0) {
    throw new ChatError(CODE.CONVERSATION_NOT_FOUND, SENTENCES[2500], { failureConversationIDList: failed });
  }
  return ok(
    isOne
      ? { conversationID: options }
      : { conversationIDList: succeeded, failureConversationIDList: failed },
  );
}

/**
 * Undoes deletions. Not one of the Web SDK's.
 * @param {Client} client
 * @param {string | string[]} ids
 */
export async function restoreConversation(client, ids) {
  const session = client.ready('restoreConversation');
  const conversationIDList = several(typeof ids === 'string' ? [ids] : ids);
  const answer = await session.operate('conversation.restore', { conversationIDList }, { isKept: true });
  const { succeeded, failed } = outcome(answer);
  if (succeeded.length === 0) {
    throw new ChatError(failed[0].code, failed[0].message, { failureConversationIDList: failed });
  }
  return ok({ conversationIDList: succeeded, failureConversationIDList: failed });
}

/**
 * @param {Client} client
 * @param {Parameters<typeof filtered>[1]} [options]
 */
export async function getConversationList(client, options) {
  const session = client.ready('getConversationList');
  const list = filtered(client.list(session), options);
  return ok({ conversationList: list, isSyncCompleted: session.isSyncCompleted });
}

/**
 * @param {Client} client
 * @param {string} conversationID
 */
export async function getConversationProfile(client, conversationID) {
  const session = client.ready('getConversationProfile');
  const row = session.row(checked(conversationID));
  if (!row && typeOf(conversationID) !== TYPES.CONV_C2C) throw notFound();
  return ok({ conversation: client.conversation(session, conversationID) });
}

/**
 * @param {Client} client
 * @param {{conversationID: string}} options
 */
export async function setMessageRead(client, { conversationID }) {
  const session = client.ready('setMessageRead');
  await read(client, session, checked(conversationID));
  return ok({});
}

/**
 * @param {Client} client
 * @param {{scope?: string}} [options]
 */
export async function setAllMessageRead(client, { scope = TYPES.READ_ALL_MSG } = {}) {
  const session = client.ready('setAllMessageRead');
  const types = READ_ALL[scope];
  if (!types) throw invalid('scope', 'must be one of TYPES.READ_ALL_*');
  const unread = client.list(session).filter(({ type, unreadCount }) => unreadCount > 0 && types.includes(type));
  await Promise.all(unread.map(({ conversationID }) => read(client, session, conversationID)));
  return ok({});
}

/**
 * @param {Client} client
 * @param {{conversationID: string, isPinned: boolean}} options
 */
export async function pinConversation(client, { conversationID, isPinned }) {
  const session = client.ready('pinConversation');
  checked(conversationID);
  if (typeof isPinned !== 'boolean') throw invalid('isPinned', 'must be true or false');
  if (client.conversation(session, conversationID).isPinned !== isPinned) {
    await session.operate('conversation.pin', { conversationID, isPinned }, { isKept: true });
  }
  return ok({ conversationID });
}

/**
 * @param {Client} client
 * @param {string} conversationID
 */
export async function clearHistoryMessage(client, conversationID) {
  const session = client.ready('clearHistoryMessage');
  const upTo = session.row(checked(conversationID))?.lastSeq;
  await session.operate('conversation.clearHistory', { conversationID, upTo }, { isKept: true });
  return ok({ conversationID });
}

/**
 * @param {Client} client
 * @returns {number} at once: the sum over all conversations but system notices
 */
export function getTotalUnreadMessageCount(client) {
  return client.session ? totalUnread(client.list(client.session)) : 0;
}

/**
 * In memory only.
 * @param {Client} client
 * @param {{conversationID: string, draftText: string}} options
 */
export async function setConversationDraft(client, { conversationID, draftText }) {
  const session = client.ready('setConversationDraft');
  if (!session.row(checked(conversationID))) throw notFound();
  if (draftText) client.drafts.set(conversationID, String(draftText));
  else client.drafts.delete(conversationID);
  client.changed();
  return ok({ code: /** @type {const} */ (0), conversation: client.conversation(session, conversationID) });
}

/**
 * @param {Client} client
 * @param {import('./session.js').Session} session
 * @param {string} conversationID
 */
async function read(client, session, conversationID) {
  const row = session.row(conversationID);
  if (row && client.conversation(session, conversationID).unreadCount === 0) return;
  await session.operate('conversation.read', { conversationID, upTo: row?.lastSeq }, { isKept: true });
}

/** @param {unknown} ids @returns {string[]} each once */
function several(ids) {
  if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string')) {
    throw invalid('conversationIDList', 'must be a list of IDs');
  }
  const list = [...new Set(ids)];
  if (list.length < 1 || list.length > MOST_CONVERSATIONS) {
    throw invalid('conversationIDList', `must name 1 to ${MOST_CONVERSATIONS} conversations, names ${list.length}`);
  }
  return list;
}

/** @param {import('./wire.d.ts').Deletion} answer */
function outcome({ results }) {
  return {
    succeeded: results.filter(({ code }) => code === 0).map(({ conversationID }) => conversationID),
    failed: results
      .filter(({ code }) => code !== 0)
      .map(({ conversationID, code }) => ({ conversationID, code, message: SENTENCES[code] ?? 'failed' })),
  };
}
