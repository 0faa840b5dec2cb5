// One application's client: who is logged in, and what the application is told.

import { EVENT, TYPES } from './constants.js';
import { concerned, conversation, conversationList, overlaid, totalUnread } from './conversations.js';
import { claimDevice, platform, storageOf } from './device.js';
import { Emitter } from './emitter.js';
import { CODE, ChatError, invalid, ok } from './errors.js';
import { History } from './history.js';
import { Log } from './log.js';
import { isShown, message } from './messages.js';
import { newRow } from './row.js';
import { Session } from './session.js';
import { MemoryStorage } from './storage/memory.js';
import { Store } from './store.js';

/** @typedef {import('../types/index.d.ts').CreateOptions} CreateOptions */

/** Messages before those that were missed, looked at for having been revoked meanwhile. */
const REVOCABLE = 15;
/** For an answer to a call that is not kept, in milliseconds. */
const TIMEOUT = 15_000;

/** Why a device that was kicked out is not ready. @type {Record<string, number>} */
const KICKED_OUT = {
  multipleDevice: CODE.KICKED_OUT_MULT_DEVICE,
  multipleAccount: CODE.KICKED_OUT_MULT_ACCOUNT,
  userSigExpired: CODE.KICKED_OUT_USERSIG_EXPIRED,
  REST_API_Kick: CODE.KICKED_OUT_REST_API,
};

export class Client {
  #options;
  #storage;
  log = new Log();
  #emitter = new Emitter(this.log);
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
  drafts = new Map();
  history = new History();
  /** @type {Set<string>} */
  own = new Set();

  /** @param {CreateOptions} options */
  constructor(options) {
    if (!Number.isInteger(options?.SDKAppID)) throw new ChatError(CODE.NO_SDKAPPID, 'No SDKAppID');
    if (!/^wss?:\/\//.test(options.url ?? '')) throw invalid('url', 'must be the server\'s: wss://host/ws');
    this.#options = options;
    this.#storage = storageOf(options);
    globalThis.addEventListener?.('pagehide', this.#leaving);
  }

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
    if (!this.#session && !this.#login) throw new ChatError(CODE.USER_NOT_LOGGED_IN, 'The user has not logged in.');
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

  /** @param {string} name @param {(event: any) => void} handler @param {any} [context] */
  on(name, handler, context) {
    this.#emitter.on(name, handler, context);
  }

  /** @param {string} name @param {(event: any) => void} handler */
  off(name, handler) {
    this.#emitter.off(name, handler);
  }

  /** @param {number} level 0 all, 1 info, 2 warnings, 3 errors, 4 nothing */
  setLogLevel(level) {
    this.log.level = level;
  }

  /** @param {string} name @param {object} [more] */
  emit(name, more) {
    this.#emitter.emit(name, more);
  }

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
      store = new Store(this.#storage, `chatsync/${SDKAppID}/${userID}/${claim.deviceID}`, this.log);
      kept = await store.load();
    } catch (error) {
      // A browser may forbid its storage: then nothing outlives the page, and the rest works.
      this.log.warn('what is stored can\'t be used:', error);
      this.#storage = new MemoryStorage();
      claim = await claimDevice(this.#options, this.#storage, displaced);
      store = new Store(this.#storage, `chatsync/${SDKAppID}/${userID}/${claim.deviceID}`, this.log);
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
      changed: () => this.changed(),
      net: (state) => this.emit(EVENT.NET_STATE_CHANGE, { data: { state } }),
      error: (error) => this.#error(error),
      ended: (reason, error) => this.#ended(login, reason, error),
    }, this.log);
    if (this.#session.hasList) this.changed();
    this.#session.start();
  }

  /** The login under way or done; null: none. */
  get session() {
    return this.#session;
  }

  #isNowReady() {
    this.emit(EVENT.SDK_READY);
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
    this.drafts.clear();
    this.history.clear();
    this.own.clear();
    this.#unread = 0;
    if (session.isReady) this.emit(EVENT.SDK_NOT_READY);
    const isForgotten = leave === 'forget';
    try {
      await session.end(
        (isKept) => new ChatError(code, `${why} before the call was answered`, { isKept: isKept && !isForgotten }),
        leave,
      );
    } catch (error) {
      this.log.error('what is stored could not be put in order:', error);
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
    this.emit(EVENT.KICKED_OUT, { data: { type } });
  }

  /** The session, if calls can be made. @param {string} api */
  ready(api) {
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
    this.emit(EVENT.ERROR, { data: { code: error.code, message: error.message } });
  }

  /** @param {Session} session */
  list(session) {
    return conversationList(session.rows, session.pending, this.drafts);
  }

  /** @param {Session} session @param {string} id */
  conversation(session, id) {
    return conversation(this.row(session, id), this.drafts.get(id));
  }

  /** With what was done here and is not answered yet. @param {Session} session @param {string} id */
  row(session, id) {
    const pending = session.pending.filter((call) => concerned(call).includes(id));
    return overlaid(session.row(id) ?? newRow(id), pending);
  }

  /** The list changed: told once for all that happens now. */
  changed() {
    if (this.#isChangeDue) return;
    this.#isChangeDue = true;
    queueMicrotask(() => {
      this.#isChangeDue = false;
      const session = this.#session;
      if (!session?.hasList && !session?.rows.length) return;
      const list = this.list(session);
      this.emit(EVENT.CONVERSATION_LIST_UPDATED, { data: list, isSyncCompleted: session.isSyncCompleted });
      const unread = totalUnread(list);
      if (unread === this.#unread) return;
      this.#unread = unread;
      this.emit(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, { data: unread });
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
          this.history.add(piece.message);
          if (isShown(piece.message)) received.push(message(piece.message, session.userID));
          break;
        case 'revoked':
          // In the order in which it was: one may be of a message just received.
          if (received.length > 0) this.emit(EVENT.MESSAGE_RECEIVED, { data: received.splice(0) });
          this.#revoked(session, piece);
          break;
        case 'deleted': {
          const { conversationIDList, historyCleared, origin, time } = piece;
          const data = { conversationIDList, clearHistoryMessage: historyCleared, origin, time };
          this.emit(EVENT.CONVERSATION_DELETED, { data });
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
    if (received.length > 0) this.emit(EVENT.MESSAGE_RECEIVED, { data: received });
    if (isGroupChanged) this.#groupsChanged(session);
  }

  /** @param {Session} session @param {Extract<import('./sync.js').News, {kind: 'revoked'}>} news */
  #revoked(session, { conversationID, seq, revokedSeq, ID, revoker, isOwn }) {
    const { from = '', time = 0, type = '' } = this.history.revoke(conversationID, seq, revokedSeq) ?? {};
    if (isOwn) return;
    const wire = { ID, conversationID, seq: revokedSeq, from, time, type, payload: null, isRevoked: true,
      isControl: false };
    this.emit(EVENT.MESSAGE_REVOKED, { data: [{ ...message(wire, session.userID), revoker }] });
  }

  /**
   * A catch-up brings the newest message of a conversation; of those the application shows, the others too.
   * @param {Session} session
   * @param {Map<string, number>} before up to where each was known
   */
  async #missed(session, before) {
    for (const [conversationID, seq] of before) {
      const { lastSeq = 0 } = session.row(conversationID) ?? {};
      if (!this.history.isOpen(conversationID) || lastSeq <= seq) continue;
      const count = Math.min(100, lastSeq - seq + REVOCABLE);
      try {
        /** @type {import('./wire.d.ts').MessageList} */
        const { messageList } = await session.ask('message.list', { conversationID, count });
        // Of those known before, some may have been revoked meanwhile.
        const revoked = messageList.filter((wire) =>
          wire.isRevoked && this.history.get(conversationID, wire.seq)?.isRevoked === false);
        const isWhole = messageList.length < count || messageList[0].seq <= seq;
        this.history.addPage(conversationID, messageList, isWhole ? seq + 1 : messageList[0].seq, lastSeq + 1);
        const data = messageList
          .filter((wire) => wire.seq > seq && isShown(wire) && !this.own.has(wire.ID))
          .map((wire) => message(wire, session.userID));
        if (data.length > 0) this.emit(EVENT.MESSAGE_RECEIVED, { data });
        for (const wire of revoked) this.emit(EVENT.MESSAGE_REVOKED, { data: [message(wire, session.userID)] });
      } catch (error) {
        this.log.warn(`messages of ${conversationID} that were missed could not be read`, error);
      }
    }
  }

  /** @param {Session} session */
  async #groupsChanged(session) {
    try {
      const { groupList } = await session.ask('group.list', {});
      this.emit(EVENT.GROUP_LIST_UPDATED, { data: groupList });
    } catch (error) {
      this.log.warn('the list of groups could not be read', error);
    }
  }
}
