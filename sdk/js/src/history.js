// What was said, as far as it was read or came by itself: to be looked at again without a connection. Only of
// conversations that the application has opened. Pure.

import { REVOKE, isShown } from './messages.js';

/** @typedef {import('./wire.d.ts').Message} Message */

/** Most entries kept of a conversation: the newest. */
const MOST = 1000;

export class History {
  /** Entries by seq. @type {Map<string, Map<number, Message>>} */
  #logs = new Map();

  /** @param {string} conversationID */
  open(conversationID) {
    if (!this.isOpen(conversationID)) this.#logs.set(conversationID, new Map());
  }

  /** @param {string} conversationID */
  isOpen(conversationID) {
    return this.#logs.has(conversationID);
  }

  clear() {
    this.#logs.clear();
  }

  /** @param {Message} message */
  add(message) {
    const log = this.#logs.get(message.conversationID);
    if (!log) return;
    log.set(message.seq, message);
    if (log.size > MOST) log.delete(Math.min(...log.keys()));
  }

  /**
   * What the server gave of the entries from `from` up to below `end`: those it left out are of no interest.
   * @param {string} conversationID
   * @param {Message[]} list
   * @param {number} from
   * @param {number} end
   */
  addPage(conversationID, list, from, end) {
    for (const message of list) this.add(message);
    const log = this.#logs.get(conversationID);
    for (let seq = Math.max(from, end - MOST); seq < end; seq += 1) {
      if (log && !log.has(seq)) this.add(nothing(conversationID, seq));
    }
  }

  /** @param {string} conversationID @param {number | string} seqOrID */
  get(conversationID, seqOrID) {
    const log = this.#logs.get(conversationID);
    if (typeof seqOrID === 'number') return log?.get(seqOrID);
    return [...(log?.values() ?? [])].find(({ ID }) => ID === seqOrID);
  }

  /**
   * The entry at `seq` says that the one at `revokedSeq` was revoked; returns that one, if it is known.
   * @param {string} conversationID
   * @param {number} seq
   * @param {number} revokedSeq
   */
  revoke(conversationID, seq, revokedSeq) {
    const message = this.get(conversationID, revokedSeq);
    this.add(nothing(conversationID, seq));
    if (message) this.add({ ...message, isRevoked: true, payload: null });
    return message;
  }

  /**
   * A page as the server would give it, as far back as nothing is missing; null: nothing is known.
   * @param {import('./row.js').Row} row
   * @param {string | undefined} before the ID of the oldest message there is already
   * @param {number} count
   * @returns {import('./wire.d.ts').MessageList | null}
   */
  page({ conversationID, lastSeq, floor }, before, count) {
    const log = this.#logs.get(conversationID);
    if (!log) return null;
    const from = before ? this.get(conversationID, before)?.seq : lastSeq + 1;
    if (from === undefined) return null;
    const messageList = [];
    let seq = from - 1;
    for (; seq > floor && messageList.length < count; seq -= 1) {
      const message = log.get(seq);
      if (!message) break;
      if (isShown(message)) messageList.unshift(message);
    }
    if (messageList.length === 0) return null;
    const isCompleted = seq <= floor;
    return { messageList, isCompleted, nextReqMessageID: isCompleted ? '' : messageList[0].ID };
  }
}

/**
 * The place of an entry that is not shown.
 * @param {string} conversationID
 * @param {number} seq
 * @returns {Message}
 */
function nothing(conversationID, seq) {
  const nobodys = { ID: '', from: '', time: 0, payload: null, isRevoked: false, isControl: true };
  return { ...nobodys, conversationID, seq, type: REVOKE };
}
