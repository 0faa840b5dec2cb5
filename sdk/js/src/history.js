// What was said, as far as it was read or came by itself: to be looked at again without a connection. Only of
// conversations that the application has opened. Pure.

import { isShown } from './messages.js';

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
   * The entry at `seq` says that the one at `revokedSeq` was revoked; returns that one, if it is known.
   * @param {string} conversationID
   * @param {number} seq
   * @param {number} revokedSeq
   */
  revoke(conversationID, seq, revokedSeq) {
    const message = this.#logs.get(conversationID)?.get(revokedSeq);
    const mark = { ID: '', conversationID, seq, from: '', time: 0, type: 'revoke', payload: null, isRevoked: false };
    this.add({ ...mark, isControl: true });
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
    const from = before ? [...log.values()].find(({ ID }) => ID === before)?.seq : lastSeq + 1;
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
