// One conversation as a device keeps it: floors, newest message, unread. Deleted ones are kept too, for when a
// message brings them back. A row is plain data, so that it can be stored; no I/O, no clock.

/** @typedef {import('./wire.d.ts').Message} Message */

/**
 * @typedef {object} Row
 * @property {string} conversationID
 * @property {Message | null} lastMessage the newest message, unless it was cleared
 * @property {boolean} isPinned
 * @property {import('./wire.d.ts').Membership} membership
 * @property {import('./wire.d.ts').GroupProfile} [groupProfile]
 * @property {number} readUpTo
 * @property {number} lastSeq newest entry of which all before are known: what the gap rule counts from
 * @property {number} newest seq of the newest message, control entries left out
 * @property {number} hidden listed iff `newest` is above it
 * @property {number} floor what was said at or below it is gone
 * @property {number} sent seq of the newest message of the account's own
 * @property {number} told unread messages up to `toldAt`, counted by the server
 * @property {number} toldAt
 * @property {number[]} since seqs of unread messages that came after `toldAt`
 */

/**
 * @param {string} conversationID
 * @returns {Row}
 */
export function newRow(conversationID) {
  return {
    conversationID,
    lastMessage: null,
    isPinned: false,
    membership: 'active',
    readUpTo: 0,
    lastSeq: 0,
    newest: 0,
    hidden: 0,
    floor: 0,
    sent: 0,
    told: 0,
    toldAt: 0,
    since: [],
  };
}

/** @param {Row} row */
export const isListed = (row) => row.newest > row.hidden;

/** @param {Row} row */
export const unreadCount = (row) => (isListed(row) ? row.told + row.since.length : 0);

/**
 * The log's next entry.
 * @param {Row} row
 * @param {Message} message
 * @param {boolean} isOwn written by this account
 */
export function append(row, message, isOwn) {
  row.lastSeq = message.seq;
  if (message.isControl) return;
  row.newest = message.seq;
  row.lastMessage = message;
  if (isOwn) {
    // One has read what one answers.
    row.sent = message.seq;
    read(row, message.seq);
  } else if (message.seq > row.readUpTo) {
    row.since.push(message.seq);
  }
}

/**
 * The log's next entry says that message `id` was revoked.
 * @param {Row} row
 * @param {number} seq
 * @param {string} id
 */
export function revoke(row, seq, id) {
  row.lastSeq = seq;
  if (row.lastMessage?.ID === id) row.lastMessage = { ...row.lastMessage, isRevoked: true, payload: null };
}

/**
 * Deleted up to here. A message above it was not seen by whoever deleted, and stays.
 * @param {Row} row
 * @param {number} upTo
 * @param {boolean} historyCleared
 * @returns {boolean} whether the unread number is still known
 */
export function remove(row, upTo, historyCleared) {
  row.hidden = Math.max(row.hidden, upTo);
  row.isPinned = false;
  if (historyCleared) clear(row, Math.max(row.floor, upTo));
  return read(row, upTo);
}

/**
 * What was said up to here is gone.
 * @param {Row} row
 * @param {number} floor
 */
export function clear(row, floor) {
  row.floor = floor;
  if (row.lastMessage && row.lastMessage.seq <= floor) row.lastMessage = null;
}

/**
 * @param {Row} row
 * @param {number} upTo
 * @returns {boolean} whether the unread number is still known; if not, only the server can tell it
 */
export function read(row, upTo) {
  if (upTo <= row.readUpTo) return true;
  row.readUpTo = upTo;
  row.since = row.since.filter((seq) => seq > upTo);
  if (upTo >= row.toldAt) row.told = 0;
  return row.told === 0;
}

/**
 * Takes over how the server says it is. What came after that was read stays.
 * @param {Row} row
 * @param {import('./wire.d.ts').Entry} entry
 */
export function take(row, entry) {
  if ('deleted' in entry) bury(row, entry);
  else if ('unlisted' in entry) note(row, entry);
  else list(row, entry);
  row.membership = entry.membership;
  if (entry.groupProfile) row.groupProfile = entry.groupProfile;
}

/**
 * @param {Row} row
 * @param {import('./wire.d.ts').Listed} entry
 */
function list(row, entry) {
  row.hidden = entry.hiddenUpTo;
  row.isPinned = entry.isPinned;
  row.readUpTo = entry.readUpTo;
  row.told = entry.unreadCount;
  row.toldAt = entry.lastSeq;
  row.since = row.since.filter((seq) => seq > entry.lastSeq);
  if (entry.lastSeq >= row.lastSeq) {
    row.lastSeq = entry.lastSeq;
    row.newest = entry.lastMessageSeq;
    row.lastMessage = entry.lastMessage;
  }
  clear(row, entry.historyFloor);
  // Answered after that was read: the entry does not count it, and no other will come for it.
  if (row.sent > entry.lastSeq) read(row, row.sent);
}

/**
 * A deletion made while the device was away.
 * @param {Row} row
 * @param {import('./wire.d.ts').Tombstone} entry
 */
function bury(row, entry) {
  row.lastSeq = Math.max(row.lastSeq, entry.lastSeq);
  // Not the larger of the two: an undone deletion may have gone further than the one that stands.
  row.hidden = entry.upTo;
  row.isPinned = false;
  clear(row, entry.historyFloor);
  read(row, entry.readUpTo);
  row.told = 0;
  row.since = row.since.filter((seq) => seq > entry.lastSeq);
}

/**
 * News that neither list nor hide.
 * @param {Row} row
 * @param {import('./wire.d.ts').Unlisted} entry
 */
function note(row, entry) {
  row.isPinned = entry.isPinned;
  row.lastSeq = Math.max(row.lastSeq, entry.lastSeq);
  read(row, entry.readUpTo);
}
