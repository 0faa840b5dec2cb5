// Messages and conversations as the server would give them.

export const message = (seq, from = 'bob', more = {}) => ({
  ID: `m${seq}`, conversationID: 'C2Cbob', seq, from, time: seq * 1000, type: 'TIMTextElem',
  payload: { text: `text ${seq}` }, isRevoked: false, isControl: false, ...more,
});

export const entry = (lastSeq, unread, more = {}) => ({
  conversationID: 'C2Cbob', type: 'C2C', unreadCount: unread, isPinned: false, lastMessage: message(lastSeq), lastSeq,
  lastMessageSeq: lastSeq, readUpTo: lastSeq - unread, hiddenUpTo: 0, historyFloor: 0, membership: 'active', ...more,
});
