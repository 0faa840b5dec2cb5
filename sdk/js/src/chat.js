// The public surface: the Web SDK's methods, their results and their errors.

import { EVENT, TYPES } from './constants.js';
import { concerned, conversation, conversationList, filtered, isConversationID, overlaid, totalUnread, typeOf }
  from './conversations.js';
import { claimDevice, platform, storageOf } from './device.js';
import { Emitter } from './emitter.js';
import { CODE, ChatError, invalid } from './errors.js';
import { added, friend, member } from './groups.js';
import { Log } from './log.js';
import { draft, isShown, message } from './messages.js';
import { randomID } from './random.js';
import { newRow } from './row.js';
import { Session } from './session.js';
import { MemoryStorage } from './storage/memory.js';
import { Store } from './store.js';

/**
 * @typedef {import('../types/index.d.ts').CreateOptions} CreateOptions
 * @typedef {import('../types/index.d.ts').Message} Message
 */

/** Most conversations in one call. */
const MOST_CONVERSATIONS = 100;
/** For an answer to a call that is not kept, in milliseconds. */
const TIMEOUT = 15_000;
/** Own messages remembered, so that a catch-up doesn't bring them as news. */
const MOST_OWN = 1000;

/** @type {Record<string, string[]>} */
const READ_ALL = {
  [TYPES.READ_ALL_C2C_MSG]: [TYPES.CONV_C2C],
  [TYPES.READ_ALL_GROUP_MSG]: [TYPES.CONV_GROUP],
  [TYPES.READ_ALL_MSG]: [TYPES.CONV_C2C, TYPES.CONV_GROUP, TYPES.CONV_SYSTEM],
};

/** Why a device that was kicked out is not ready. @type {Record<string, number>} */
const KICKED_OUT = {
  multipleDevice: CODE.KICKED_OUT_MULT_DEVICE,
  multipleAccount: CODE.KICKED_OUT_MULT_ACCOUNT,
  userSigExpired: CODE.KICKED_OUT_USERSIG_EXPIRED,
  REST_API_Kick: CODE.KICKED_OUT_REST_API,
};

/** @type {Record<number, string>} */
const SENTENCES = {
  2500: 'conversation not found',
  2503: 'invalid conversation ID',
  20016: 'the time in which this could be undone has passed',
};

/** @template T @param {T} data @returns {import('../types/index.d.ts').Result<T>} */
const ok = (data) => ({ code: 0, data });

export class Chat {
  EVENT = EVENT;
  TYPES = TYPES;
  #options;
  #storage;
  #log = new Log();
  #emitter = new Emitter(this.#log);
  /** @type {Session | null} */
  #session = null;
  /** @type {Store | null} */
  #store = null;
  #release = () => {};
  /** @type {{userID: string, resolve: (answer: any) => void, reject: (error: ChatError) => void} | null} */
  #login = null;
  /** Counts the logins, so that one that was overtaken notices. */
  #logins = 0;
  /** Why calls are refused while there is no session. @type {number} */
  #reason = CODE.NOT_READY;
  #isDestroyed = false;
  #isChangeDue = false;
  #unread = 0;
  /** @type {Map<string, string>} */
  #drafts = new Map();
  /** Conversations whose messages the application has asked for. @type {Set<string>} */
  #opened = new Set();
  /** @type {Set<string>} */
  #own = new Set();

  /** @param {CreateOptions} options */
  constructor(options) {
    if (!Number.isInteger(options?.SDKAppID)) throw new ChatError(CODE.NO_SDKAPPID, 'No SDKAppID');
    if (!/^wss?:\/\//.test(options.url ?? '')) throw invalid('url', 'must be the server\'s: wss://host/ws');
    this.#options = options;
    this.#storage = storageOf(options);
    globalThis.addEventListener?.('pagehide', this.#leaving);
  }

  // Login and lifecycle.

  /** @param {{userID: string, userSig: string}} options */
  login({ userID, userSig } = /** @type {any} */ ({})) {
    if (this.#isDestroyed) return Promise.reject(this.#notReady('login'));
    if (!userID || typeof userID !== 'string') return Promise.reject(new ChatError(CODE.NO_IDENTIFIER, 'No userID'));
    if (!userSig || typeof userSig !== 'string') return Promise.reject(new ChatError(CODE.NO_USERSIG, 'No userSig'));
    if (this.#login) return Promise.reject(new ChatError(CODE.REPEAT_LOGIN, 'Repeated login.'));
    if (this.#session?.isReady && this.#session.userID === userID) {
      const errorInfo = 'logged in already';
      return Promise.resolve(ok({ actionStatus: 'OK', errorCode: 0, errorInfo, repeatLogin: true }));
    }
    return new Promise((resolve, reject) => {
      const patience = this.#options.timeout ?? TIMEOUT;
      const timer = setTimeout(() => {
        this.#login = null;
        reject(new ChatError(CODE.NETWORK_TIMEOUT, 'no login in time; the SDK goes on trying', { userID }));
      }, patience);
      this.#login = {
        userID,
        resolve: (answer) => {
          clearTimeout(timer);
          this.#login = null;
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          this.#login = null;
          reject(error);
        },
      };
      this.#begin(userID, userSig).catch((error) => this.#login?.reject(error));
    });
  }

  async logout() {
    if (!this.#session) throw new ChatError(CODE.USER_NOT_LOGGED_IN, 'The user has not logged in.');
    await this.#end(CODE.LOGGED_OUT, 'logged out', 'forget');
    return ok({});
  }

  /** Ends this instance for good. What is stored stays: the next start goes on from it. */
  async destroy() {
    this.#isDestroyed = true;
    await this.#end(CODE.NOT_READY, 'the SDK was destroyed', 'keep');
    this.#emitter.clear();
    globalThis.removeEventListener?.('pagehide', this.#leaving);
  }

  isReady() {
    return this.#session?.isReady ?? false;
  }

  getLoginUser() {
    return this.#session?.userID ?? '';
  }

  /** Milliseconds since 1970, by the server's clock. */
  getServerTime() {
    return this.#session?.serverTime ?? Date.now();
  }

  /** @param {number} level 0 all, 1 info, 2 warnings, 3 errors, 4 nothing */
  setLogLevel(level) {
    this.#log.level = level;
  }

  /** @param {string} name @param {(event: any) => void} handler @param {any} [context] */
  on(name, handler, context) {
    this.#emitter.on(name, handler, context);
  }

  /** @param {string} name @param {(event: any) => void} handler */
  off(name, handler) {
    this.#emitter.off(name, handler);
  }

  // Conversations.

  /** @param {string | {conversationIDList: string[], clearHistoryMessage?: boolean}} options */
  async deleteConversation(options) {
    const session = this.#ready('deleteConversation');
    const isOne = typeof options === 'string';
    if (!isOne && (options === null || typeof options !== 'object')) throw invalid('options', 'must be an ID or an object');
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

  /** Undoes deletions. Not one of the Web SDK's. @param {string | string[]} ids */
  async restoreConversation(ids) {
    const session = this.#ready('restoreConversation');
    const conversationIDList = several(typeof ids === 'string' ? [ids] : ids);
    const answer = await session.operate('conversation.restore', { conversationIDList }, { isKept: true });
    const { succeeded, failed } = outcome(answer);
    if (succeeded.length === 0) {
      throw new ChatError(failed[0].code, failed[0].message, { failureConversationIDList: failed });
    }
    return ok({ conversationIDList: succeeded, failureConversationIDList: failed });
  }

  /** @param {Parameters<typeof filtered>[1]} [options] */
  async getConversationList(options) {
    const session = this.#ready('getConversationList');
    const list = filtered(this.#list(session), options);
    return ok({ conversationList: list, isSyncCompleted: session.isSyncCompleted });
  }

  /** @param {string} conversationID */
  async getConversationProfile(conversationID) {
    const session = this.#ready('getConversationProfile');
    const row = session.row(checked(conversationID));
    if (!row && typeOf(conversationID) !== TYPES.CONV_C2C) throw notFound();
    return ok({ conversation: this.#conversation(session, conversationID) });
  }

  /** @param {{conversationID: string}} options */
  async setMessageRead({ conversationID }) {
    const session = this.#ready('setMessageRead');
    await this.#read(session, checked(conversationID));
    return ok({});
  }

  /** @param {{scope?: string}} [options] */
  async setAllMessageRead({ scope = TYPES.READ_ALL_MSG } = {}) {
    const session = this.#ready('setAllMessageRead');
    const types = READ_ALL[scope];
    if (!types) throw invalid('scope', 'must be one of TYPES.READ_ALL_*');
    const unread = this.#list(session).filter(({ type, unreadCount }) => unreadCount > 0 && types.includes(type));
    await Promise.all(unread.map(({ conversationID }) => this.#read(session, conversationID)));
    return ok({});
  }

  /** @param {{conversationID: string, isPinned: boolean}} options */
  async pinConversation({ conversationID, isPinned }) {
    const session = this.#ready('pinConversation');
    checked(conversationID);
    if (typeof isPinned !== 'boolean') throw invalid('isPinned', 'must be true or false');
    if (this.#conversation(session, conversationID).isPinned !== isPinned) {
      await session.operate('conversation.pin', { conversationID, isPinned }, { isKept: true });
    }
    return ok({ conversationID });
  }

  /** @param {string} conversationID */
  async clearHistoryMessage(conversationID) {
    const session = this.#ready('clearHistoryMessage');
    const upTo = session.row(checked(conversationID))?.lastSeq;
    await session.operate('conversation.clearHistory', { conversationID, upTo }, { isKept: true });
    return ok({ conversationID });
  }

  /** @returns {number} at once: the sum over all conversations but system notices */
  getTotalUnreadMessageCount() {
    return this.#session ? totalUnread(this.#list(this.#session)) : 0;
  }

  /** In memory only. @param {{conversationID: string, draftText: string}} options */
  async setConversationDraft({ conversationID, draftText }) {
    const session = this.#ready('setConversationDraft');
    if (!session.row(checked(conversationID))) throw notFound();
    if (draftText) this.#drafts.set(conversationID, String(draftText));
    else this.#drafts.delete(conversationID);
    this.#changed();
    return ok({ code: /** @type {const} */ (0), conversation: this.#conversation(session, conversationID) });
  }

  // Messages.

  /** @param {{to: string, conversationType: string, payload: {text: string}, priority?: string}} options */
  createTextMessage(options) {
    return draft(options, TYPES.MSG_TEXT, this.getLoginUser(), randomID(), this.getServerTime());
  }

  /**
   * @param {{to: string, conversationType: string, priority?: string,
   *          payload: {data?: string, description?: string, extension?: string}}} options
   */
  createCustomMessage(options) {
    return draft(options, TYPES.MSG_CUSTOM, this.getLoginUser(), randomID(), this.getServerTime());
  }

  /** @param {Message} sent from one of the `create…Message`s; it is filled in */
  async sendMessage(sent) {
    const session = this.#ready('sendMessage');
    if (!sent?.ID || !sent.conversationID || !sent.type) {
      throw new ChatError(CODE.MESSAGE_INSTANCE_REQUIRED, 'A message made by a create method is required.');
    }
    if (sent.status === 'success') throw new ChatError(CODE.INVALID_OPERATION, 'The message has been sent.');
    const { ID, conversationID, type, payload } = sent;
    try {
      const answer = await session.operate('message.send', { conversationID, type, payload }, { requestID: ID });
      this.#own.add(answer.message.ID);
      if (this.#own.size > MOST_OWN) this.#own.delete(String(this.#own.values().next().value));
      const { priority } = sent;
      return ok({ message: Object.assign(sent, message(answer.message, session.userID), { priority }) });
    } catch (error) {
      sent.status = 'fail';
      throw error;
    }
  }

  /** @param {{conversationID: string, nextReqMessageID?: string, count?: number}} options */
  async getMessageList({ conversationID, nextReqMessageID, count = 15 }) {
    const session = this.#ready('getMessageList');
    checked(conversationID);
    this.#opened.add(conversationID);
    /** @type {import('./wire.d.ts').MessageList} */
    let page;
    let messageList;
    let next = nextReqMessageID;
    do {
      const params = { conversationID, nextReqMessageID: next || undefined, count };
      page = await session.ask('message.list', params);
      messageList = page.messageList.filter(isShown).map((wire) => message(wire, session.userID));
      next = page.nextReqMessageID;
      // A page may hold nothing but what says that others were revoked.
    } while (messageList.length === 0 && !page.isCompleted);
    return ok({ messageList, nextReqMessageID: page.nextReqMessageID, isCompleted: page.isCompleted });
  }

  /** @param {Message} sent */
  async revokeMessage(sent) {
    const session = this.#ready('revokeMessage');
    if (!sent?.ID || !sent.conversationID) {
      throw new ChatError(CODE.MESSAGE_INSTANCE_REQUIRED, 'A message is required.');
    }
    const { ID, conversationID } = sent;
    await session.operate('message.revoke', { ID, conversationID });
    return ok({ message: Object.assign(sent, { isRevoked: true, revoker: session.userID, payload: null }) });
  }

  // Groups.

  /**
   * @param {{name: string, type?: string, groupID?: string, memberList?: {userID: string, role?: string}[]}} options
   */
  async createGroup({ name, type, groupID, memberList }) {
    const session = this.#ready('createGroup');
    const members = memberList?.map(({ userID, role }) => ({ userID, role }));
    const answer = await session.operate('group.create', { name, type, groupID, memberList: members });
    const { group, userIDList = [] } = answer;
    return ok({ group, successUserIDList: userIDList, overLimitUserIDList: [] });
  }

  /** @param {{groupID: string}} options */
  async joinGroup({ groupID }) {
    const { group, version } = await this.#ready('joinGroup').operate('group.join', { groupID });
    const status = version === undefined ? TYPES.JOIN_STATUS_ALREADY_IN_GROUP : TYPES.JOIN_STATUS_SUCCESS;
    return ok({ status, group });
  }

  /** @param {string} groupID */
  async quitGroup(groupID) {
    await this.#ready('quitGroup').operate('group.quit', { groupID });
    return ok({ groupID });
  }

  /** @param {string} groupID */
  async dismissGroup(groupID) {
    await this.#ready('dismissGroup').operate('group.dismiss', { groupID });
    return ok({ groupID });
  }

  /** @param {{groupID: string, userIDList: string[]}} options */
  async addGroupMember({ groupID, userIDList }) {
    const answer = await this.#ready('addGroupMember').operate('group.addMember', { groupID, userIDList });
    return ok(added(answer, userIDList));
  }

  /** @param {{groupID: string, userIDList: string[], reason?: string}} options */
  async deleteGroupMember({ groupID, userIDList, reason }) {
    const params = { groupID, userIDList, reason };
    const answer = await this.#ready('deleteGroupMember').operate('group.deleteMember', params);
    return ok({ group: answer.group, userIDList: answer.userIDList ?? [] });
  }

  async getGroupList() {
    const { groupList } = await this.#ready('getGroupList').ask('group.list', {});
    return ok({ groupList });
  }

  /** @param {{groupID: string, count?: number, offset?: number}} options */
  async getGroupMemberList({ groupID, count = 15, offset = 0 }) {
    const session = this.#ready('getGroupMemberList');
    const { memberList } = await session.ask('group.memberList', { groupID, count, offset });
    const isLast = memberList.length < count;
    return ok({ memberList: memberList.map(member), offset: isLast ? 0 : offset + memberList.length });
  }

  // Friends.

  /** @param {{to: string}} options */
  async addFriend({ to }) {
    await this.#ready('addFriend').operate('friend.add', { to });
    this.#friendsChanged();
    return ok({ userID: to, code: 0, message: '' });
  }

  /** @param {{userIDList: string[]}} options */
  async deleteFriend({ userIDList }) {
    const { friendList } = await this.#ready('deleteFriend').operate('friend.delete', { userIDList });
    this.#friendsChanged();
    return ok({ successUserIDList: friendList, failureUserIDList: [] });
  }

  async getFriendList() {
    const { friendList } = await this.#ready('getFriendList').ask('friend.list', {});
    return ok(friendList.map(friend));
  }

  // Inside.

  #leaving = () => this.#store?.flush();

  /** @param {string} userID @param {string} userSig */
  async #begin(userID, userSig) {
    const isOther = this.#session !== null && this.#session.userID !== userID;
    const ended = this.#end(CODE.LOGGING_IN, 'another login', isOther ? 'forget' : 'keep', false);
    const login = this.#logins;
    await ended;
    const { url, SDKAppID, timeout = TIMEOUT } = this.#options;
    const displaced = () => this.#kicked(login, TYPES.KICKED_OUT_MULT_ACCOUNT);
    let claim, store, kept;
    try {
      claim = await claimDevice(this.#options, this.#storage, displaced);
      store = new Store(this.#storage, `chatsync/${SDKAppID}/${userID}/${claim.deviceID}`, this.#log);
      kept = await store.load();
    } catch (error) {
      // A browser may forbid its storage: then nothing outlives the page, and the rest works.
      this.#log.warn('what is stored can\'t be used:', error);
      this.#storage = new MemoryStorage();
      claim = await claimDevice(this.#options, this.#storage, displaced);
      store = new Store(this.#storage, `chatsync/${SDKAppID}/${userID}/${claim.deviceID}`, this.#log);
      kept = await store.load();
    }
    if (login !== this.#logins) {
      claim.release();
      return;
    }
    const account = {
      url, SDKAppID, userID, userSig, timeout, deviceID: claim.deviceID,
      platform: this.#options.platform ?? platform(),
    };
    this.#release = claim.release;
    this.#store = store;
    this.#session = new Session(account, store, kept, {
      ready: () => this.#isNowReady(),
      news: (news) => this.#news(news),
      changed: () => this.#changed(),
      net: (state) => this.#emitter.emit(EVENT.NET_STATE_CHANGE, { data: { state } }),
      error: (error) => this.#error(error),
      ended: (reason, error) => this.#ended(login, reason, error),
    }, this.#log);
    if (this.#session.hasList) this.#changed();
    this.#session.start();
  }

  #isNowReady() {
    this.#emitter.emit(EVENT.SDK_READY);
    this.#login?.resolve(ok({ actionStatus: 'OK', errorCode: 0, errorInfo: '', repeatLogin: false }));
  }

  /**
   * Ends the session, if there is one, and a login under way.
   * @param {number} code what calls are refused with from now on
   * @param {string} why
   * @param {import('./session.js').Leave} leave
   * @param {boolean} [isLoginOver]
   */
  async #end(code, why, leave, isLoginOver = true) {
    this.#logins += 1;
    this.#reason = code;
    if (isLoginOver) this.#login?.reject(new ChatError(code, why));
    const session = this.#session;
    if (!session) return;
    const release = this.#release;
    this.#session = this.#store = null;
    this.#release = () => {};
    this.#drafts.clear();
    this.#opened.clear();
    this.#own.clear();
    this.#unread = 0;
    if (session.isReady) this.#emitter.emit(EVENT.SDK_NOT_READY);
    const isForgotten = leave === 'forget';
    try {
      await session.end(
        (isKept) => new ChatError(code, `${why} before the call was answered`, { isKept: isKept && !isForgotten }),
        leave,
      );
    } catch (error) {
      this.#log.error('what is stored could not be put in order:', error);
    }
    release();
  }

  /** @param {number} login @param {string | null} reason @param {ChatError} error */
  #ended(login, reason, error) {
    if (login !== this.#logins) return;
    const isFirst = this.#login !== null;
    this.#login?.reject(error);
    if (reason !== null && !isFirst) {
      this.#kicked(login, reason);
      return;
    }
    this.#end(CODE.LOGIN_FAILED, error.message, 'keep');
    if (!isFirst) this.#error(error);
  }

  /** @param {number} login @param {string} type */
  #kicked(login, type) {
    if (login !== this.#logins || !this.#session) return;
    // Whoever displaced this one may share its storage, and has it now.
    const leave = type === TYPES.KICKED_OUT_MULT_ACCOUNT ? 'leave' : 'keep';
    this.#end(KICKED_OUT[type] ?? CODE.LOGIN_FAILED, `kicked out: ${type}`, leave);
    this.#emitter.emit(EVENT.KICKED_OUT, { data: { type } });
  }

  /** The session, if calls can be made. @param {string} api */
  #ready(api) {
    if (this.#session?.hasList) return this.#session;
    const error = this.#notReady(api);
    this.#error(error);
    throw error;
  }

  /** @param {string} api */
  #notReady(api) {
    return new ChatError(this.#reason, `${api} needs the SDK to be ready: log in, and wait for SDK_READY`);
  }

  /** @param {ChatError} error */
  #error(error) {
    this.#emitter.emit(EVENT.ERROR, { data: { code: error.code, message: error.message } });
  }

  /** @param {Session} session */
  #list(session) {
    return conversationList(session.rows, session.pending, this.#drafts);
  }

  /** @param {Session} session @param {string} id */
  #conversation(session, id) {
    const pending = session.pending.filter((call) => concerned(call).includes(id));
    return conversation(overlaid(session.row(id) ?? newRow(id), pending), this.#drafts.get(id));
  }

  /** @param {Session} session @param {string} conversationID */
  async #read(session, conversationID) {
    const row = session.row(conversationID);
    if (row && this.#conversation(session, conversationID).unreadCount === 0) return;
    await session.operate('conversation.read', { conversationID, upTo: row?.lastSeq }, { isKept: true });
  }

  /** The list changed: told once for all that happens now. */
  #changed() {
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    queueMicrotask(() => {
      this.#isChangeDue = false;
      const session = this.#session;
      if (!session?.hasList && !session?.rows.length) return;
      const list = this.#list(session);
      this.#emitter.emit(EVENT.CONVERSATION_LIST_UPDATED, { data: list, isSyncCompleted: session.isSyncCompleted });
      const unread = totalUnread(list);
      if (unread === this.#unread) return;
      this.#unread = unread;
      this.#emitter.emit(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, { data: unread });
    });
  }

  /** @param {import('./sync.js').News[]} news */
  #news(news) {
    const session = this.#session;
    if (!session) return;
    const received = [];
    let isGroupChanged = false;
    for (const piece of news) {
      switch (piece.kind) {
        case 'message':
          if (isShown(piece.message)) received.push(message(piece.message, session.userID));
          break;
        case 'revoked': {
          const { conversationID, seq, ID, revoker } = piece;
          const wire = { ID, conversationID, seq, from: '', time: 0, type: '', payload: null, isRevoked: true,
            isControl: false };
          const data = [{ ...message(wire, session.userID), revoker }];
          this.#emitter.emit(EVENT.MESSAGE_REVOKED, { data });
          break;
        }
        case 'deleted': {
          const { conversationIDList, historyCleared, origin, time } = piece;
          const data = { conversationIDList, clearHistoryMessage: historyCleared, origin, time };
          this.#emitter.emit(EVENT.CONVERSATION_DELETED, { data });
          break;
        }
        case 'membership':
          isGroupChanged = true;
          break;
        case 'caughtUp':
          this.#missed(session, piece.missed);
          break;
        default:
      }
    }
    if (received.length > 0) this.#emitter.emit(EVENT.MESSAGE_RECEIVED, { data: received });
    if (isGroupChanged) this.#groupsChanged(session);
  }

  /**
   * A catch-up brings the newest message of a conversation; of those the application shows, the others too.
   * @param {Session} session
   * @param {Map<string, number>} before up to where each was known
   */
  async #missed(session, before) {
    for (const [conversationID, seq] of before) {
      const count = Math.min(100, (session.row(conversationID)?.lastSeq ?? 0) - seq);
      if (!this.#opened.has(conversationID) || count <= 0) continue;
      try {
        /** @type {import('./wire.d.ts').MessageList} */
        const { messageList } = await session.ask('message.list', { conversationID, count });
        const data = messageList
          .filter((wire) => wire.seq > seq && isShown(wire) && !this.#own.has(wire.ID))
          .map((wire) => message(wire, session.userID));
        if (data.length > 0) this.#emitter.emit(EVENT.MESSAGE_RECEIVED, { data });
      } catch (error) {
        this.#log.warn(`messages of ${conversationID} that were missed could not be read`, error);
      }
    }
  }

  /** @param {Session} session */
  async #groupsChanged(session) {
    try {
      const { groupList } = await session.ask('group.list', {});
      this.#emitter.emit(EVENT.GROUP_LIST_UPDATED, { data: groupList });
    } catch (error) {
      this.#log.warn('the list of groups could not be read', error);
    }
  }

  async #friendsChanged() {
    try {
      const { data } = await this.getFriendList();
      this.#emitter.emit(EVENT.FRIEND_LIST_UPDATED, { data });
    } catch (error) {
      this.#log.warn('the list of friends could not be read', error);
    }
  }
}

/** @returns {ChatError} */
function notFound() {
  return new ChatError(CODE.CONVERSATION_NOT_FOUND, SENTENCES[2500]);
}

/** @param {string} id */
function checked(id) {
  if (!isConversationID(id)) throw new ChatError(CODE.INVALID_CONVERSATION_ID, SENTENCES[2503], { conversationID: id });
  return id;
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
