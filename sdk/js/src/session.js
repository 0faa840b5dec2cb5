// One account logged in on this device: over as many connections as it takes. It ties the state, what is stored,
// the calls that wait and the connection together, and tells what happened.

import { CODE, ChatError } from './errors.js';
import { Connection } from './connection.js';
import { Outbox } from './outbox.js';
import { State } from './sync.js';
import { randomID } from './random.js';

/** Between two pings, each with what was applied, in milliseconds. */
const PING = 25_000;
/** After something was applied, for more of it before it is acknowledged. */
const ACK = 2_000;
/** For the missing to come by itself. */
const PATIENCE = 700;
/**
 * Displaced this soon after its login, a device tries once more: it may have been its own ghost, a login of an earlier
 * connection or page that was long under way. Of two that both insist, the newer one wins.
 */
const GHOST = 10_000;
/** For a goodbye. */
const GOODBYE = 2_000;

/**
 * What a session's owner is told.
 * @typedef {object} Owner
 * @property {(isSyncCompleted: boolean) => void} ready the list is complete, for the first time
 * @property {(news: import('./sync.js').News[]) => void} news
 * @property {() => void} changed the list may look different
 * @property {(state: 'connecting' | 'connected' | 'disconnected') => void} net
 * @property {(error: ChatError) => void} error
 * @property {(reason: string | null, error: ChatError) => void} ended for good: kicked out for a reason of TYPES, or
 *   refused
 */

/**
 * @typedef {object} Account
 * @property {string} url
 * @property {number} SDKAppID
 * @property {string} userID
 * @property {string} userSig
 * @property {string} deviceID
 * @property {import('./wire.d.ts').Platform} platform
 * @property {number} timeout
 */

/** What becomes of what is stored: nothing, it is removed, or it is somebody else's from now on. */
/** @typedef {'keep' | 'forget' | 'leave'} Leave */

/** What a close code means when no push said more. @type {Record<number, string>} */
const REASONS = { 4401: 'userSigExpired', 4501: 'REST_API_Kick', 4509: 'multipleAccount' };

export class Session {
  #account;
  #store;
  #owner;
  #log;
  #state;
  #outbox;
  #connection;
  /** The server's clock less this device's, in milliseconds. */
  #clockAhead = 0;
  #isLoggedIn = false;
  /** All pages of a catch-up have come, at least once. */
  #isReady = false;
  #isOver = false;
  /** @type {string | null} */
  #kickedOut = null;
  /** @type {ChatError | null} */
  #refused = null;
  /** @type {number | null} */
  #acked = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gapTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pingTimer;
  #pingAt = 0;
  #loggedInAt = 0;
  #isContested = false;
  /** What of the state was told. */
  #revision = 0;

  /**
   * @param {Account} account
   * @param {import('./store.js').Store} store
   * @param {{snapshot: import('./sync.js').Snapshot | null, calls: {method: string, params: any}[]}} kept
   * @param {Owner} owner
   * @param {import('./log.js').Log} log
   */
  constructor(account, store, kept, owner, log) {
    this.#account = account;
    this.#store = store;
    this.#owner = owner;
    this.#log = log;
    this.#state = new State(account.userID, kept.snapshot);
    this.#outbox = new Outbox({
      send: (method, params) => this.#connection.request(method, params),
      answered: (method, params, answer) => {
        this.#tell(this.#state.answered(method, params, answer));
        // Also where nothing changed: a layer over the list is gone.
        if ('requestID' in params) owner.changed();
        store.listChanged(true);
        this.#work();
      },
      failed: (error) => owner.error(error),
      changed: () => {
        store.callsChanged();
        owner.changed();
      },
    });
    this.#outbox.load(kept.calls);
    store.follow(() => this.#state.snapshot(), () => this.#outbox.kept());
    this.#connection = new Connection(
      account.url,
      {
        opened: () => this.#logIn(),
        push: (push) => this.#push(push),
        lost: () => this.#lost(),
        net: (state) => owner.net(state),
        ended: (code) => this.#ended(code),
      },
      log,
    );
  }

  get isReady() {
    return this.#isReady;
  }

  /** Whether there is a list to show, be it of an earlier run. */
  get hasList() {
    return this.#isReady || this.#state.cursor !== null;
  }

  get isSyncCompleted() {
    return this.#isReady && this.#isLoggedIn && !this.#state.isSyncing;
  }

  get isConnected() {
    return this.#isLoggedIn;
  }

  /** Milliseconds since 1970, by the server's clock. */
  get serverTime() {
    return Date.now() + this.#clockAhead;
  }

  get userID() {
    return this.#account.userID;
  }

  get rows() {
    return this.#state.rows();
  }

  /** @param {string} id */
  row(id) {
    return this.#state.row(id);
  }

  /** What was done here and is not answered yet. */
  get pending() {
    return this.#outbox.kept();
  }

  start() {
    this.#connection.start();
  }

  /**
   * An operation: one effect, however often it has to be sent.
   * @param {string} method
   * @param {any} params
   * @param {{isKept?: boolean, requestID?: string}} [how]
   */
  operate(method, params, { isKept = false, requestID = randomID() } = {}) {
    return this.#outbox.add(method, { ...params, requestID }, { isKept, timeout: this.#account.timeout });
  }

  /** A question. @param {string} method @param {any} params */
  ask(method, params) {
    return this.#outbox.add(method, params, { isKept: false, timeout: this.#account.timeout });
  }

  /**
   * Ends it; what waits is rejected.
   * @param {(isKept: boolean) => ChatError} why
   * @param {Leave} leave
   */
  async end(why, leave) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimers();
    if (leave === 'forget' && this.#isLoggedIn) {
      const goodbye = this.#connection.request('logout', {}, GOODBYE);
      // Whoever does not hear it sees the connection close.
      await Promise.race([goodbye.catch(() => {}), new Promise((resolve) => setTimeout(resolve, GOODBYE))]);
    }
    this.#connection.stop();
    if (leave === 'keep') await this.#store.flush();
    if (leave === 'forget') await this.#store.clear();
    else this.#store.close();
    this.#outbox.end(why);
  }

  async #logIn() {
    const { SDKAppID: sdkAppID, userID, userSig, deviceID, platform } = this.#account;
    const cursor = this.#state.beginSync();
    this.#refused = this.#kickedOut = null;
    /** @type {import('./wire.d.ts').Login} */
    let answer;
    try {
      answer = await this.#connection.request('login', { sdkAppID, userID, userSig, deviceID, platform, cursor });
    } catch (error) {
      if (error instanceof ChatError) this.#refused = error;
      throw error;
    }
    this.#clockAhead = answer.serverTime - Date.now();
    this.#isLoggedIn = true;
    this.#loggedInAt = Date.now();
    this.#acked = null;
    this.#owner.net('connected');
    const caughtUp = this.#page(answer);
    // While further pages come, calls can go: their answers are held back like pushes.
    this.#outbox.open();
    await caughtUp;
  }

  /**
   * Takes a page and asks for those after it.
   * @param {import('./wire.d.ts').Page} page
   */
  async #page(page) {
    for (let taken = this.#state.page(page); ; taken = this.#state.page(page)) {
      this.#store.listChanged();
      if ('news' in taken) {
        const isFirst = !this.#isReady;
        this.#isReady = true;
        if (isFirst) this.#owner.ready(true);
        this.#tell(taken.news);
        this.#work();
        return;
      }
      this.#owner.changed();
      page = await this.#connection.request('conversation.sync', { cursor: taken.next });
    }
  }

  async #sync() {
    clearTimeout(this.#gapTimer);
    this.#gapTimer = undefined;
    if (!this.#isLoggedIn || this.#state.isSyncing) return;
    const cursor = this.#state.beginSync();
    try {
      await this.#page(await this.#connection.request('conversation.sync', { cursor }));
    } catch (error) {
      this.#connection.fail(error);
    }
  }

  /** @param {import('./wire.d.ts').Push} push */
  #push(push) {
    if (push.method === 'kickedOut') this.#kickedOut = push.params.type;
    this.#tell(this.#state.push(push));
    this.#work();
  }

  /** @param {import('./sync.js').News[]} news */
  #tell(news) {
    if (news.length > 0) this.#owner.news(news);
    if (this.#revision === this.#state.revision) return;
    this.#revision = this.#state.revision;
    this.#store.listChanged();
    this.#owner.changed();
  }

  /** Does what the state asks for. */
  #work() {
    if (!this.#isLoggedIn || this.#isOver) return;
    const want = this.#state.want();
    if (want === 'sync') this.#sync();
    else if (want === 'missing') this.#gapTimer ??= setTimeout(() => this.#sync(), PATIENCE);
    else {
      clearTimeout(this.#gapTimer);
      this.#gapTimer = undefined;
    }
    const { doubtful } = this.#state;
    if (doubtful !== undefined) this.#ascertain(doubtful);
    this.#pingIn(this.#acked === this.#state.version ? PING : ACK);
  }

  /** How many messages are unread only the server knows. @param {string} conversationID */
  async #ascertain(conversationID) {
    this.#state.beginSync();
    let entry = null;
    try {
      entry = (await this.#connection.request('conversation.get', { conversationID })).conversation;
    } catch (error) {
      if (!(error instanceof ChatError && error.code === CODE.CONVERSATION_NOT_FOUND)) {
        this.#connection.fail(error);
        return;
      }
    }
    this.#tell(this.#state.told(conversationID, entry));
    this.#work();
  }

  /** @param {number} wait */
  #pingIn(wait) {
    const at = Date.now() + wait;
    if (this.#pingTimer !== undefined && this.#pingAt <= at) return;
    clearTimeout(this.#pingTimer);
    this.#pingAt = at;
    this.#pingTimer = setTimeout(() => this.#ping(), wait);
  }

  async #ping() {
    this.#pingTimer = undefined;
    const ack = this.#state.version;
    try {
      /** @type {import('./wire.d.ts').Pong} */
      const pong = await this.#connection.request('ping', { ack });
      this.#acked = ack;
      this.#clockAhead = pong.serverTime - Date.now();
      this.#state.pong(pong);
      this.#store.listChanged();
    } catch (error) {
      this.#log.debug('ping:', error);
    }
    this.#work();
  }

  #lost() {
    this.#isLoggedIn = false;
    this.#stopTimers();
    this.#outbox.close();
    this.#state.disconnected();
  }

  #stopTimers() {
    clearTimeout(this.#gapTimer);
    clearTimeout(this.#pingTimer);
    this.#gapTimer = this.#pingTimer = undefined;
  }

  /** @param {number} closeCode */
  #ended(closeCode) {
    const isContest = closeCode === 4509 && this.#kickedOut !== 'multipleDevice';
    if (isContest && !this.#isContested && Date.now() - this.#loggedInAt < GHOST) {
      this.#isContested = true;
      this.#connection.start();
      return;
    }
    const reason = closeCode === 4500 ? null : (this.#kickedOut ?? REASONS[closeCode] ?? null);
    const error = this.#refused ?? new ChatError(CODE.LOGIN_FAILED, `the server closed with ${closeCode}`);
    this.#owner.ended(reason, error);
  }
}
