// What a device holds and how it stays right, apart from any I/O or clock.
//
// - Pushes and own answers about conversations carry a version: the next one is applied, older ones are ignored,
//   later ones wait for those missing. Entries of a conversation's log carry a seq and follow the same rule.
// - While a catch-up is under way, what else comes is held back and then judged by the same rules, so that an
//   answer can't overwrite what is newer than it.

import { append, isListed, newRow, remove, revoke, take } from './row.js';

/**
 * @typedef {import('./row.js').Row} Row
 * @typedef {import('./wire.d.ts').Message} Message
 * @typedef {import('./wire.d.ts').Entry} Entry
 * @typedef {import('./wire.d.ts').Origin} Origin
 */

/** Most that is held back or waits. Beyond it is dropped, and a catch-up brings what it said. */
const MOST_WAITING = 1000;

/**
 * One operation on the account's conversations. `version` null: not counted, since the other devices aren't told.
 * @typedef {object} Change
 * @property {number | null} version
 * @property {{conversationID: string, upTo: number}[]} [deleted]
 * @property {boolean} [historyCleared]
 * @property {Entry[]} [entries] how what it touched is now
 * @property {Origin | null} [origin] null: the app's back end
 * @property {number} [time]
 * @property {boolean} isOwn made by this device
 */

/**
 * An entry of a conversation's log.
 * @typedef {object} LogEntry
 * @property {string} conversationID
 * @property {number} seq
 * @property {Message} [message]
 * @property {{ID: string, revokedSeq: number, revoker: string}} [revoked]
 * @property {boolean} isOwn made by this device
 */

/**
 * Something that was applied and that the application may want to hear of.
 * @typedef {{kind: 'deleted', conversationIDList: string[], historyCleared: boolean, origin: Origin | null,
 *            time: number | null}
 *   | {kind: 'message', message: Message}
 *   | {kind: 'revoked', conversationID: string, seq: number, revokedSeq: number, ID: string, revoker: string,
 *      isOwn: boolean}
 *   | {kind: 'membership', conversationID: string}
 *   | {kind: 'caughtUp', missed: Map<string, number>}} News
 */

/** What is stored of the state: always the list together with the cursor that it belongs to. */
/** @typedef {{cursor: string | null, version: number, rows: Row[]}} Snapshot */

export class State {
  #userID;
  #version = 0;
  /** @type {string | null} */
  #cursor = null;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** Changes beyond a gap, by version. @type {Map<number, Change>} */
  #early = new Map();
  /** Counts what was applied: the same number, the same list. */
  #revision = 0;
  /** Log entries beyond a gap, by conversation and seq. @type {Map<string, Map<number, LogEntry>>} */
  #earlyEntries = new Map();
  #earlyCount = 0;
  /** The newest version that the server is known to have. */
  #head = 0;
  /** Something is known to be missing. */
  #unsure = false;
  /** Conversations whose unread number only the server can tell. @type {Set<string>} */
  #doubtful = new Set();
  /**
   * A catch-up under way; `fresh`: the list that replaces the one at hand.
   * @type {null | {fresh: Map<string, Row> | null, held: (Change | LogEntry)[], deleted: Map<string, boolean>,
   *                before: Map<string, number>}}
   */
  #syncing = null;

  /**
   * @param {string} userID
   * @param {Snapshot | null} [snapshot]
   */
  constructor(userID, snapshot) {
    this.#userID = userID;
    if (snapshot) {
      this.#cursor = snapshot.cursor;
      this.#version = this.#head = snapshot.version;
      this.#rows = new Map(snapshot.rows.map((row) => [row.conversationID, row]));
    }
  }

  /** @returns {Snapshot} */
  snapshot() {
    return { cursor: this.#cursor, version: this.#version, rows: [...this.#rows.values()] };
  }

  /** The newest version applied. */
  get version() {
    return this.#version;
  }

  /** Where to resume from; null: there is nothing to resume. */
  get cursor() {
    return this.#cursor;
  }

  get revision() {
    return this.#revision;
  }

  get isSyncing() {
    return this.#syncing !== null;
  }

  /** All that is known, listed or not; during a first catch-up what has come of it. */
  rows() {
    const rows = this.#rows.size === 0 && this.#syncing?.fresh ? this.#syncing.fresh : this.#rows;
    return [...rows.values()];
  }

  /** @param {string} id */
  row(id) {
    return this.#rows.get(id) ?? this.#syncing?.fresh?.get(id);
  }

  /**
   * What is needed to get right: nothing, a catch-up now, or one unless the missing comes within a moment.
   * @returns {'nothing' | 'missing' | 'sync'}
   */
  want() {
    if (this.#syncing) return 'nothing';
    if (this.#unsure) return 'sync';
    const isBehind = this.#head > this.#version || this.#early.size > 0 || this.#earlyCount > 0;
    return isBehind ? 'missing' : 'nothing';
  }

  /** A conversation to ask the server for, if there is one and nothing else is asked. */
  get doubtful() {
    return this.#syncing ? undefined : this.#doubtful.values().next().value;
  }

  /** Begins a catch-up; returns where from, null: from nothing. */
  beginSync() {
    this.#syncing = { fresh: null, held: [], deleted: new Map(), before: new Map() };
    this.#unsure = false;
    return this.#cursor;
  }

  /** The connection is gone: what was under way comes with the next catch-up. */
  disconnected() {
    this.#syncing = null;
    this.#forgetEarly();
  }

  /**
   * Takes one page of a catch-up.
   * @param {import('./wire.d.ts').Page} page
   * @returns {{next: string} | {news: News[]}} the cursor to ask the next page with, or what is new
   */
  page(page) {
    this.#revision += 1;
    const syncing = this.#syncing ?? { fresh: null, held: [], deleted: new Map(), before: new Map() };
    this.#syncing = syncing;
    // Also between two pages: the store may have been replaced meanwhile, and only what comes from now on counts.
    if (page.reset) syncing.fresh = new Map();
    for (const entry of page.conversationList) {
      const before = this.#rows.get(entry.conversationID);
      if (before && !syncing.before.has(entry.conversationID)) {
        syncing.before.set(entry.conversationID, before.lastSeq);
      }
      const wasListed = before !== undefined && isListed(before);
      take(rowOf(syncing.fresh ?? this.#rows, entry.conversationID), entry);
      if ('deleted' in entry && wasListed) syncing.deleted.set(entry.conversationID, entry.historyCleared);
    }
    if (!page.isCompleted) return { next: page.cursor };

    this.#syncing = null;
    if (syncing.fresh) {
      this.#rows = syncing.fresh;
      this.#version = page.version;
    } else {
      this.#version = Math.max(this.#version, page.version);
    }
    this.#cursor = page.cursor;
    /** @type {News[]} */
    const news = [];
    for (const historyCleared of [true, false]) {
      const conversationIDList = [...syncing.deleted].filter(([, is]) => is === historyCleared).map(([id]) => id);
      if (conversationIDList.length > 0) {
        news.push({ kind: 'deleted', conversationIDList, historyCleared, origin: null, time: null });
      }
    }
    news.push({ kind: 'caughtUp', missed: syncing.before });

    // What waited before this began was committed before it was read: the answer covers it, and where it says
    // less (a control entry in a hidden conversation) nothing is missed. To wait on would never end.
    const waited = [...this.#earlyEntries.values()].flatMap((entries) => [...entries.values()]);
    this.#forgetEarly();
    this.#head = this.#version;
    waited.sort((a, b) => a.seq - b.seq);
    for (const entry of waited) {
      const row = this.#rows.get(entry.conversationID);
      if (!row || entry.seq > row.lastSeq) this.#append(entry, news);
    }
    for (const item of syncing.held) this.#judge(item, news);
    return { news };
  }

  /**
   * Takes a push; those about the connection are not the state's.
   * @param {import('./wire.d.ts').Push} push
   * @returns {News[]}
   */
  push({ method, params }) {
    switch (method) {
      case 'conversation.deleted':
        return this.#arrived({
          version: params.version,
          deleted: params.conversationList,
          historyCleared: params.historyCleared,
          origin: params.origin ?? null,
          time: params.time,
          isOwn: false,
        });
      case 'conversation.updated':
        return this.#arrived({ version: params.version, entries: params.conversationList, isOwn: false });
      case 'message.received': {
        const { message } = params;
        return this.#arrived({
          conversationID: message.conversationID, seq: message.seq, message, isOwn: false,
        });
      }
      case 'message.revoked': {
        const { conversationID, seq, ...revoked } = params;
        return this.#arrived({ conversationID, seq, revoked, isOwn: false });
      }
      case 'sync.hint':
        this.#head = Math.max(this.#head, params.head);
        this.#unsure = true;
        return [];
      default:
        return [];
    }
  }

  /**
   * Takes the answer to a call of this device's own: it says what it did, and no push does.
   * @param {string} method
   * @param {any} params
   * @param {any} answer
   * @returns {News[]}
   */
  answered(method, params, answer) {
    switch (method) {
      case 'conversation.delete': {
        /** @type {import('./wire.d.ts').DeletionResult[]} */
        const results = answer.results;
        const deleted = results
          .filter(({ code }) => code === 0)
          .map(({ conversationID, upTo }) => ({ conversationID, upTo: upTo ?? 0 }));
        if (deleted.length === 0) return [];
        const historyCleared = params.clearHistoryMessage !== false;
        const version = answer.synced ? answer.version : null;
        return this.#arrived({ version, deleted, historyCleared, isOwn: true });
      }
      case 'message.send': {
        const { message } = answer;
        return this.#arrived({
          conversationID: message.conversationID, seq: message.seq, message, isOwn: true,
        });
      }
      case 'message.revoke': {
        const { conversationID, seq, ID, revokedSeq } = answer;
        const revoked = { ID, revokedSeq, revoker: this.#userID };
        return this.#arrived({ conversationID, seq, revoked, isOwn: true });
      }
      default: {
        const entries = answer.conversationList ?? [];
        if (entries.length === 0) return [];
        return this.#arrived({ version: answer.version ?? null, entries, isOwn: true });
      }
    }
  }

  /**
   * Takes what the server says of a conversation that was asked for, `beginSync` before it: like a catch-up it may
   * be older than the pushes that overtook it.
   * @param {string} conversationID
   * @param {Entry | null} entry null: it is not listed, and counts nothing
   * @returns {News[]}
   */
  told(conversationID, entry) {
    this.#revision += 1;
    this.#doubtful.delete(conversationID);
    const held = this.#syncing?.held ?? [];
    this.#syncing = null;
    const row = rowOf(this.#rows, conversationID);
    /** @type {News[]} */
    const news = [{ kind: 'caughtUp', missed: new Map([[conversationID, row.lastSeq]]) }];
    if (entry) take(row, entry);
    for (const item of held) this.#judge(item, news);
    return news;
  }

  /**
   * Takes a pong: it may show that a push was lost, or that all is well up to its cursor.
   * @param {import('./wire.d.ts').Pong} pong
   */
  pong(pong) {
    this.#head = Math.max(this.#head, pong.head);
    if (pong.head === this.#version && !this.#syncing && this.want() === 'nothing') this.#cursor = pong.cursor;
  }

  /**
   * @param {Change | LogEntry} item
   * @returns {News[]}
   */
  #arrived(item) {
    /** @type {News[]} */
    const news = [];
    if (!this.#syncing) {
      this.#judge(item, news);
      return news;
    }
    // No catch-up tells of it, so it must not be lost with this one; to hide twice is to hide once.
    if ('version' in item && item.version === null) this.#apply(item, news);
    if (this.#syncing.held.length < MOST_WAITING) this.#syncing.held.push(item);
    else this.#unsure = true;
    return news;
  }

  /**
   * The gap rule.
   * @param {Change | LogEntry} item
   * @param {News[]} news
   */
  #judge(item, news) {
    if (this.#early.size + this.#earlyCount >= MOST_WAITING) {
      this.#forgetEarly();
      this.#unsure = true;
    }
    if ('version' in item) {
      if (item.version === null) {
        this.#apply(item, news);
      } else if (item.version > this.#version) {
        this.#early.set(item.version, item);
        this.#settle(news);
      }
      return;
    }
    const row = this.#rows.get(item.conversationID);
    if (!row) {
      // Never heard of, or deleted before this device's first list: its past is not missed, but how many of its
      // messages are unread only the server knows.
      if (item.seq > 1) this.#unsure = true;
      this.#append(item, news);
    } else if (item.seq > row.lastSeq) {
      const waiting = this.#earlyEntries.get(item.conversationID) ?? new Map();
      if (!waiting.has(item.seq)) this.#earlyCount += 1;
      this.#earlyEntries.set(item.conversationID, waiting.set(item.seq, item));
      this.#settleEntries(row, news);
    }
  }

  /** Applies the changes that no gap precedes any more. @param {News[]} news */
  #settle(news) {
    for (let next; (next = this.#early.get(this.#version + 1)); ) {
      this.#version += 1;
      this.#early.delete(this.#version);
      this.#apply(next, news);
    }
  }

  /** Likewise for the entries of one conversation's log. @param {Row} row @param {News[]} news */
  #settleEntries(row, news) {
    const waiting = this.#earlyEntries.get(row.conversationID);
    if (!waiting) return;
    for (let next; (next = waiting.get(row.lastSeq + 1)); ) {
      waiting.delete(next.seq);
      this.#earlyCount -= 1;
      this.#append(next, news);
    }
    if (waiting.size === 0) this.#earlyEntries.delete(row.conversationID);
  }

  #forgetEarly() {
    this.#early.clear();
    this.#earlyEntries.clear();
    this.#earlyCount = 0;
  }

  /** @param {LogEntry} entry @param {News[]} news */
  #append(entry, news) {
    this.#revision += 1;
    const row = rowOf(this.#rows, entry.conversationID);
    if (entry.message) {
      append(row, entry.message, entry.message.from === this.#userID);
      if (!entry.isOwn) news.push({ kind: 'message', message: entry.message });
    } else if (entry.revoked) {
      revoke(row, entry.seq, entry.revoked.ID);
      const { ID, revokedSeq, revoker } = entry.revoked;
      const { conversationID, seq } = entry;
      news.push({ kind: 'revoked', conversationID, seq, revokedSeq, ID, revoker, isOwn: entry.isOwn });
    }
  }

  /** @param {Change} change @param {News[]} news */
  #apply(change, news) {
    this.#revision += 1;
    for (const { conversationID, upTo } of change.deleted ?? []) {
      const isKnown = remove(rowOf(this.#rows, conversationID), upTo, change.historyCleared === true);
      if (!isKnown) this.#doubtful.add(conversationID);
    }
    for (const entry of change.entries ?? []) {
      const row = rowOf(this.#rows, entry.conversationID);
      const before = row.membership;
      const isNew = row.groupProfile === undefined && entry.groupProfile !== undefined;
      take(row, entry);
      if (isNew || before !== row.membership) {
        news.push({ kind: 'membership', conversationID: entry.conversationID });
      }
    }
    if (change.deleted && !change.isOwn) {
      news.push({
        kind: 'deleted',
        conversationIDList: change.deleted.map(({ conversationID }) => conversationID),
        historyCleared: change.historyCleared === true,
        origin: change.origin ?? null,
        time: change.time ?? null,
      });
    }
  }
}

/**
 * @param {Map<string, Row>} rows
 * @param {string} id
 */
function rowOf(rows, id) {
  let row = rows.get(id);
  if (!row) rows.set(id, (row = newRow(id)));
  return row;
}
