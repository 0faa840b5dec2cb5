// The conversation list as the application sees it. Pure.
//
// What the application did and the server has not answered yet is laid over what is known, so that it is seen at
// once, also offline; if it is refused the layer goes, and nothing has to be taken back.

import { TYPES } from './constants.js';
import { CODE, ChatError, SENTENCES } from './errors.js';
import { clear, isListed, read, remove, unreadCount } from './row.js';

/**
 * @typedef {import('./row.js').Row} Row
 * @typedef {import('./wire.d.ts').Message} WireMessage
 * @typedef {import('../types/index.d.ts').Conversation} Conversation
 * @typedef {{method: string, params: any}} Pending
 */

/** @param {unknown} id */
export function isConversationID(id) {
  return typeof id === 'string' && (id === TYPES.CONV_SYSTEM || id.startsWith('C2C') || id.startsWith('GROUP'));
}

/** @param {string} id */
export function checked(id) {
  if (!isConversationID(id)) throw new ChatError(CODE.INVALID_CONVERSATION_ID, SENTENCES[2503], { conversationID: id });
  return id;
}

/**
 * The IDs that a call is about.
 * @param {Pending} pending
 * @returns {string[]}
 */
export function concerned({ params }) {
  return params.conversationIDList ?? (params.conversationID ? [params.conversationID] : []);
}

/**
 * @param {Row} row
 * @param {Pending[]} pending what is under way about it, in its order
 * @returns {Row}
 */
export function overlaid(row, pending) {
  let over = row;
  for (const { method, params } of pending) {
    if (over === row) over = { ...row };
    const upTo = method === 'conversation.delete' ? params.upTo?.[row.conversationID] : params.upTo;
    switch (method) {
      case 'conversation.delete':
        if (upTo !== undefined) remove(over, upTo, params.clearHistoryMessage !== false);
        break;
      case 'conversation.restore':
        over = { ...row };
        break;
      case 'conversation.clearHistory':
        clear(over, upTo);
        read(over, upTo);
        break;
      case 'conversation.read':
        read(over, upTo);
        break;
      case 'conversation.pin':
        over.isPinned = params.isPinned;
        break;
      default:
    }
  }
  return over;
}

/**
 * The listed conversations in the order of the Web SDK: pinned ones first, then by newest message.
 * @param {Row[]} rows
 * @param {Pending[]} pending
 * @param {Map<string, string>} drafts
 * @returns {Conversation[]}
 */
export function conversationList(rows, pending, drafts) {
  /** @type {Map<string, Pending[]>} */
  const about = new Map();
  for (const call of pending) {
    for (const id of concerned(call)) about.set(id, [...(about.get(id) ?? []), call]);
  }
  return rows
    .map((row) => overlaid(row, about.get(row.conversationID) ?? []))
    .filter(isListed)
    .sort(
      (a, b) =>
        Number(b.isPinned) - Number(a.isPinned) ||
        (b.lastMessage?.time ?? 0) - (a.lastMessage?.time ?? 0) ||
        (a.conversationID < b.conversationID ? -1 : 1),
    )
    .map((row) => conversation(row, drafts.get(row.conversationID)));
}

/**
 * @param {Conversation[]} list
 * @param {undefined | string[] | {type?: string, hasUnreadCount?: boolean, hasGroupAtInfo?: boolean,
 *         groupName?: string, markType?: number}} options
 */
export function filtered(list, options) {
  if (options === undefined || options === null) return list;
  if (Array.isArray(options)) return list.filter(({ conversationID }) => options.includes(conversationID));
  const { type, hasUnreadCount, hasGroupAtInfo, groupName, markType } = options;
  // No conversation has a mark, a group of conversations, or an @ of its own here.
  if (hasGroupAtInfo || groupName || markType) return [];
  return list.filter(
    (one) =>
      (!type || one.type === type) && (hasUnreadCount === undefined || one.unreadCount > 0 === hasUnreadCount),
  );
}

/**
 * As the Web SDK counts: system notices left out.
 * @param {Conversation[]} list
 */
export function totalUnread(list) {
  return list.reduce((sum, one) => sum + (one.type === TYPES.CONV_SYSTEM ? 0 : one.unreadCount), 0);
}

/**
 * @param {Row} row
 * @param {string} [draftText]
 * @returns {Conversation}
 */
export function conversation(row, draftText = '') {
  const { conversationID } = row;
  const type = typeOf(conversationID);
  const to = peerOf(conversationID);
  return {
    conversationID,
    type,
    subType: row.groupProfile?.type ?? '',
    toAccount: to,
    unreadCount: unreadCount(row),
    lastMessage: lastMessage(row.lastMessage),
    groupProfile: type === TYPES.CONV_GROUP ? (row.groupProfile ?? { groupID: to, name: '', type: '' }) : undefined,
    userProfile: type === TYPES.CONV_C2C ? { userID: to, nick: '', avatar: '' } : undefined,
    groupAtInfoList: [],
    remark: '',
    isPinned: row.isPinned,
    messageRemindType: '',
    markList: [],
    customData: '',
    conversationGroupList: [],
    draftText,
    peerReadTime: 0,
    membership: row.membership,
  };
}

/** @param {string} conversationID */
export function typeOf(conversationID) {
  if (conversationID.startsWith('GROUP')) return TYPES.CONV_GROUP;
  return conversationID.startsWith('C2C') ? TYPES.CONV_C2C : TYPES.CONV_SYSTEM;
}

/**
 * The userID or groupID that it is with.
 * @param {string} conversationID
 */
export function peerOf(conversationID) {
  return conversationID.replace(/^(C2C|GROUP)/, '');
}

/**
 * @param {WireMessage | null} message
 * @returns {Conversation['lastMessage']}
 */
function lastMessage(message) {
  return {
    lastTime: message ? Math.floor(message.time / 1000) : 0,
    lastSequence: message?.seq ?? 0,
    fromAccount: message?.from ?? '',
    messageForShow: message && !message.isRevoked ? forShow(message) : '',
    payload: message?.payload ?? null,
    type: message?.type ?? '',
    isRevoked: message?.isRevoked ?? false,
    cloudCustomData: '',
    onlineOnlyFlag: false,
    nick: '',
    nameCard: '',
    version: 0,
    isPeerRead: false,
    revoker: null,
  };
}

/** @type {Record<string, string>} */
const SHOWN = {
  [TYPES.MSG_IMAGE]: '[Image]',
  [TYPES.MSG_AUDIO]: '[Audio]',
  [TYPES.MSG_FILE]: '[File]',
  [TYPES.MSG_FACE]: '[Face]',
  [TYPES.MSG_VIDEO]: '[Video]',
  [TYPES.MSG_LOCATION]: '[Location]',
  [TYPES.MSG_MERGER]: '[Chat History]',
  [TYPES.MSG_CUSTOM]: '[Custom Message]',
  [TYPES.MSG_GRP_SYS_NOTICE]: '[Group System Notice]',
};

/** @param {WireMessage} message */
function forShow({ type, payload }) {
  return type === TYPES.MSG_TEXT ? String(payload?.text ?? '') : (SHOWN[type] ?? '');
}
