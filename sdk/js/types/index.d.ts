// What the package gives its users. Held against the code by test/types/surface.ts.

/** Where a device keeps what it knows: Web Storage's interface, at once or by promise. */
export interface Storage {
  getItem(key: string): string | null | undefined | Promise<string | null | undefined>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

export type Platform = 'Android' | 'iPhone' | 'iPad' | 'Windows' | 'Mac' | 'Linux' | 'Web';

export interface CreateOptions {
  SDKAppID: number;
  /** The server's: `wss://host/ws`. */
  url: string;
  /** Default: `localStorage` on a page (`sessionStorage` with `tabs: 'each'`), elsewhere `memory`. */
  storage?: 'memory' | 'localStorage' | 'sessionStorage' | 'indexedDB' | Storage;
  /** `one` (default): a browser's tabs are one device, and the newest one has it. `each`: each is a device. */
  tabs?: 'one' | 'each';
  /** Default: made at the first start, and kept in `storage`. At most 64 bytes. */
  deviceID?: string;
  /** Default: `Web` on a page, elsewhere the system's. */
  platform?: Platform;
  /** Milliseconds for an answer to what is not kept; 15000 if absent. */
  timeout?: number;
}

export interface Result<T> { code: 0; data: T }

export interface Failure { conversationID: string; code: number; message: string }

export interface LastMessage {
  /** In seconds, 0 if there is none. */
  lastTime: number; lastSequence: number; fromAccount: string; messageForShow: string; payload: any; type: string;
  isRevoked: boolean; cloudCustomData: string; onlineOnlyFlag: boolean; nick: string; nameCard: string;
  version: number; isPeerRead: boolean; revoker: string | null;
}

export interface GroupProfile { groupID: string; name: string; type: string }

export interface Conversation {
  conversationID: string;
  /** `C2C`, `GROUP` or `@TIM#SYSTEM`. */
  type: string;
  /** A group's type. */
  subType: string;
  /** The userID or groupID it is with. */
  toAccount: string;
  unreadCount: number;
  lastMessage: LastMessage;
  groupProfile?: GroupProfile;
  userProfile?: { userID: string; nick: string; avatar: string };
  groupAtInfoList: any[];
  remark: string;
  isPinned: boolean;
  messageRemindType: string;
  markList: number[];
  customData: string;
  conversationGroupList: string[];
  draftText: string;
  peerReadTime: number;
  /** Not one of the Web SDK's: whether one is still in the group; `active` for others. */
  membership: 'active' | 'quit' | 'kicked' | 'dissolved';
}

export interface Message {
  ID: string;
  type: string;
  /** Null once revoked. */
  payload: any;
  conversationID: string;
  conversationType: string;
  to: string;
  from: string;
  flow: 'in' | 'out';
  /** In seconds. */
  time: number;
  clientTime: number;
  sequence: number;
  status: 'unSend' | 'success' | 'fail';
  isRevoked: boolean;
  revoker: string;
  priority: string;
  nick: string; avatar: string; nameCard: string; cloudCustomData: string; atUserList: string[];
  isPeerRead: boolean; isDeleted: boolean; isModified: boolean; needReadReceipt: boolean;
}

export interface GroupMember {
  userID: string; role: string; joinTime: number; nick: string; avatar: string; nameCard: string; muteUntil: number;
}

export interface Friend {
  userID: string; profile: { userID: string; nick: string; avatar: string }; timeStamp: number; source: string;
  remark: string; groupList: string[]; friendCustomField: any[];
}

export interface Deleted {
  conversationIDList: string[];
  /** Whether what was said went too. */
  clearHistoryMessage: boolean;
  /** The device that did it; null: the app's back end, or it happened while this device was away. */
  origin: { deviceID: string; platform: Platform } | null;
  /** Milliseconds since 1970; null if it happened while this device was away. */
  time: number | null;
}

/** What each event carries as `data`. */
export interface EventData {
  sdkStateReady: undefined;
  sdkStateNotReady: undefined;
  onMessageReceived: Message[];
  onMessageRevoked: Message[];
  onConversationListUpdated: Conversation[];
  onConversationDeleted: Deleted;
  onTotalUnreadMessageCountUpdated: number;
  onGroupListUpdated: GroupProfile[];
  onFriendListUpdated: Friend[];
  kickedOut: { type: 'multipleAccount' | 'multipleDevice' | 'userSigExpired' | 'REST_API_Kick' };
  error: { code: number; message: string };
  netStateChange: { state: 'connected' | 'connecting' | 'disconnected' };
}

export interface Event<Name extends keyof EventData = any> {
  name: Name;
  data: EventData[Name];
  /** With the conversation list: whether it is complete, and in step with the server. */
  isSyncCompleted?: boolean;
}

/** What every method rejects with. */
export class ChatError extends Error {
  constructor(code: number, message: string, data?: any);
  code: number;
  data: any;
}

export interface ConversationFilter {
  type?: string; hasUnreadCount?: boolean; hasGroupAtInfo?: boolean; groupName?: string; markType?: number;
}

type To = { to: string; conversationType: string; priority?: string; cloudCustomData?: string };

export interface ChatSDK {
  readonly EVENT: Events;
  readonly TYPES: Types;

  login(options: { userID: string; userSig: string }):
    Promise<Result<{ actionStatus: string; errorCode: number; errorInfo: string; repeatLogin: boolean }>>;
  logout(): Promise<Result<{}>>;
  destroy(): Promise<void>;
  isReady(): boolean;
  /** Empty if nobody is logged in. */
  getLoginUser(): string;
  /** Milliseconds since 1970, by the server's clock. */
  getServerTime(): number;
  /** 0 all, 1 info, 2 warnings (default), 3 errors, 4 nothing. */
  setLogLevel(level: number): void;
  on<Name extends keyof EventData>(name: Name, handler: (event: Event<Name>) => void, context?: any): void;
  off<Name extends keyof EventData>(name: Name, handler: (event: Event<Name>) => void): void;

  deleteConversation(conversationID: string): Promise<Result<{ conversationID: string }>>;
  deleteConversation(options: { conversationIDList: string[]; clearHistoryMessage?: boolean }):
    Promise<Result<{ conversationIDList: string[]; failureConversationIDList: Failure[] }>>;
  restoreConversation(conversationIDs: string | string[]):
    Promise<Result<{ conversationIDList: string[]; failureConversationIDList: Failure[] }>>;
  getConversationList(options?: string[] | ConversationFilter):
    Promise<Result<{ conversationList: Conversation[]; isSyncCompleted: boolean }>>;
  getConversationProfile(conversationID: string): Promise<Result<{ conversation: Conversation }>>;
  setMessageRead(options: { conversationID: string }): Promise<Result<{}>>;
  setAllMessageRead(options?: { scope?: string }): Promise<Result<{}>>;
  pinConversation(options: { conversationID: string; isPinned: boolean }): Promise<Result<{ conversationID: string }>>;
  clearHistoryMessage(conversationID: string): Promise<Result<{ conversationID: string }>>;
  getTotalUnreadMessageCount(): number;
  setConversationDraft(options: { conversationID: string; draftText: string }):
    Promise<Result<{ code: 0; conversation: Conversation }>>;

  createTextMessage(options: To & { payload: { text: string } }): Message;
  createCustomMessage(options: To & { payload: { data?: string; description?: string; extension?: string } }): Message;
  sendMessage(message: Message): Promise<Result<{ message: Message }>>;
  getMessageList(options: { conversationID: string; nextReqMessageID?: string; count?: number }):
    Promise<Result<{ messageList: Message[]; nextReqMessageID: string; isCompleted: boolean }>>;
  revokeMessage(message: Message): Promise<Result<{ message: Message }>>;

  createGroup(options: {
    name: string; type?: string; groupID?: string; memberList?: { userID: string; role?: string }[];
  }): Promise<Result<{ group: GroupProfile; successUserIDList: string[]; overLimitUserIDList: string[] }>>;
  joinGroup(options: { groupID: string }): Promise<Result<{ status: string; group: GroupProfile }>>;
  quitGroup(groupID: string): Promise<Result<{ groupID: string }>>;
  dismissGroup(groupID: string): Promise<Result<{ groupID: string }>>;
  addGroupMember(options: { groupID: string; userIDList: string[] }): Promise<Result<{
    successUserIDList: string[]; failureUserIDList: string[]; existedUserIDList: string[]; group: GroupProfile;
  }>>;
  deleteGroupMember(options: { groupID: string; userIDList: string[]; reason?: string }):
    Promise<Result<{ group: GroupProfile; userIDList: string[] }>>;
  getGroupList(): Promise<Result<{ groupList: GroupProfile[] }>>;
  getGroupMemberList(options: { groupID: string; count?: number; offset?: number }):
    Promise<Result<{ memberList: GroupMember[]; offset: number }>>;

  addFriend(options: { to: string }): Promise<Result<{ userID: string; code: number; message: string }>>;
  deleteFriend(options: { userIDList: string[] }):
    Promise<Result<{ successUserIDList: { userID: string }[]; failureUserIDList: any[] }>>;
  getFriendList(): Promise<Result<Friend[]>>;
}

export interface Events {
  readonly SDK_READY: 'sdkStateReady';
  readonly SDK_NOT_READY: 'sdkStateNotReady';
  readonly MESSAGE_RECEIVED: 'onMessageReceived';
  readonly MESSAGE_REVOKED: 'onMessageRevoked';
  readonly CONVERSATION_LIST_UPDATED: 'onConversationListUpdated';
  readonly CONVERSATION_DELETED: 'onConversationDeleted';
  readonly TOTAL_UNREAD_MESSAGE_COUNT_UPDATED: 'onTotalUnreadMessageCountUpdated';
  readonly GROUP_LIST_UPDATED: 'onGroupListUpdated';
  readonly FRIEND_LIST_UPDATED: 'onFriendListUpdated';
  readonly KICKED_OUT: 'kickedOut';
  readonly ERROR: 'error';
  readonly NET_STATE_CHANGE: 'netStateChange';
}

export type Types = Readonly<Record<
  | 'CONV_C2C' | 'CONV_GROUP' | 'CONV_SYSTEM'
  | 'MSG_TEXT' | 'MSG_IMAGE' | 'MSG_AUDIO' | 'MSG_FILE' | 'MSG_FACE' | 'MSG_VIDEO' | 'MSG_LOCATION' | 'MSG_GRP_TIP'
  | 'MSG_GRP_SYS_NOTICE' | 'MSG_CUSTOM' | 'MSG_MERGER'
  | 'MSG_PRIORITY_HIGH' | 'MSG_PRIORITY_NORMAL' | 'MSG_PRIORITY_LOW' | 'MSG_PRIORITY_LOWEST'
  | 'GRP_WORK' | 'GRP_PUBLIC' | 'GRP_MEETING' | 'GRP_MBR_ROLE_OWNER' | 'GRP_MBR_ROLE_ADMIN' | 'GRP_MBR_ROLE_MEMBER'
  | 'JOIN_STATUS_SUCCESS' | 'JOIN_STATUS_ALREADY_IN_GROUP' | 'SNS_ADD_TYPE_BOTH' | 'SNS_DELETE_TYPE_BOTH'
  | 'KICKED_OUT_MULT_ACCOUNT' | 'KICKED_OUT_MULT_DEVICE' | 'KICKED_OUT_USERSIG_EXPIRED' | 'KICKED_OUT_REST_API'
  | 'NET_STATE_CONNECTED' | 'NET_STATE_CONNECTING' | 'NET_STATE_DISCONNECTED'
  | 'READ_ALL_C2C_MSG' | 'READ_ALL_GROUP_MSG' | 'READ_ALL_MSG', string>>
  & Readonly<Record<'GRP_TIP_MBR_JOIN' | 'GRP_TIP_MBR_QUIT' | 'GRP_TIP_MBR_KICKED_OUT', number>>;

/** A client of one app; each call makes another. */
export function create(options: CreateOptions): ChatSDK;
export const EVENT: Events;
export const TYPES: Types;
export const VERSION: string;

declare const chatsync: {
  readonly create: typeof create;
  readonly EVENT: Events;
  readonly TYPES: Types;
  readonly VERSION: string;
};
export default chatsync;
