// The wire's shapes, as docs/asyncapi.json has them.

export type Membership = 'active' | 'quit' | 'kicked' | 'dissolved';
export type Platform = 'Android' | 'iPhone' | 'iPad' | 'Windows' | 'Mac' | 'Linux' | 'Web';

export interface GroupProfile { groupID: string; name: string; type: string }
export interface Origin { deviceID: string; platform: Platform }

export interface Message {
  ID: string; conversationID: string; seq: number; from: string; time: number; type: string;
  payload: any; isRevoked: boolean; isControl: boolean;
}

export interface Listed {
  conversationID: string; type: string; unreadCount: number; isPinned: boolean; lastMessage: Message | null;
  lastSeq: number; lastMessageSeq: number; readUpTo: number; hiddenUpTo: number; historyFloor: number;
  membership: Membership; groupProfile?: GroupProfile; userProfile?: { userID: string };
}
export interface Tombstone {
  conversationID: string; type: string; deleted: true; upTo: number; historyCleared: boolean; historyFloor: number;
  lastSeq: number; readUpTo: number; membership: Membership; groupProfile?: GroupProfile;
}
export interface Unlisted {
  conversationID: string; type: string; unlisted: true; isPinned: boolean; lastSeq: number; readUpTo: number;
  membership: Membership; groupProfile?: GroupProfile;
}
export type Entry = Listed | Tombstone | Unlisted;

export interface Page {
  version: number; cursor: string; reset: boolean; conversationList: Entry[]; isCompleted: boolean;
}
export interface Login extends Page {
  instanceID: string; serverTime: number; features: { syncConversationDeletion: boolean };
}
export interface Pong { head: number; cursor: string; serverTime: number }

export interface DeletionResult { conversationID: string; code: number; upTo?: number }
export interface Deletion {
  version: number; synced: boolean; results: DeletionResult[]; conversationList?: Entry[];
}
export interface Changed { conversationID: string; version: number; upTo?: number; conversationList: Entry[] }
export interface Revoked { ID: string; conversationID: string; seq: number; revokedSeq: number; revoker?: string }
export interface Group {
  group: GroupProfile; version?: number; conversationList?: Entry[]; userIDList?: string[];
}
export interface MessageList { messageList: Message[]; nextReqMessageID: string; isCompleted: boolean }

export interface Push { method: string; params: any }
