// One device: a client of its own on the SDK, with its own deviceID, storage and connection. No page in here.

import { create, EVENT, TYPES } from './sdk/index.js';
import { addressOf, isPlugged, plug, unplug } from './network.js';
import { userIDOf } from './cast.js';

/** Milliseconds after which a login that found no server is left to the SDK, which goes on trying. */
const NETWORK_TIMEOUT = 2801;
const QUIET = 4;

/** Whether an error's number is the server's; below are the SDK's own. */
export const isRefusal = (code) => code >= 10_000;

/** Web Storage under a name of its own, so that no device sees another's. */
function ownStorage(name) {
  return {
    getItem: (key) => localStorage.getItem(`${name}/${key}`),
    setItem: (key, value) => localStorage.setItem(`${name}/${key}`, value),
    removeItem: (key) => localStorage.removeItem(`${name}/${key}`),
  };
}

/**
 * Events: `change` (its list, or a conversation in it), `state`, `message` (`detail`: the message), `displaced`
 * (another tab is this device now), `failed` (`detail`: the error; it will not come back by itself).
 */
export class Device extends EventTarget {
  /** The conversations it lists, in its order. */
  list = [];
  /** connecting, online (and caught up), or offline */
  state = 'connecting';
  /** Whether it has a list, be it an older one of its own storage. */
  hasList = false;
  #chat;
  #address;
  #refresh;
  /** What was read of each conversation, for when there is no connection. */
  #messages = new Map();

  /**
   * @param {{key: string, person: string, platform: string, suffix: string, app: number, isKept?: boolean}} options
   * @param {() => Promise<string>} refresh a new UserSig
   */
  constructor({ key, person, platform, suffix, app, isKept = true }, refresh) {
    super();
    this.key = key;
    this.person = person;
    this.platform = platform;
    this.userID = userIDOf(person, suffix);
    this.#address = `${key}-${suffix}`;
    this.#refresh = refresh;
    this.#chat = create({
      SDKAppID: app,
      url: addressOf(this.#address),
      deviceID: this.#address,
      platform,
      storage: isKept ? ownStorage(`chatsync-demo/${suffix}/${key}`) : 'memory',
    });
    this.#chat.setLogLevel(QUIET);
    this.#listen();
  }

  get isPlugged() {
    return isPlugged(this.#address);
  }

  get isOnline() {
    return this.state === 'online';
  }

  conversation(id) {
    return this.list.find(({ conversationID }) => conversationID === id);
  }

  lists(id) {
    return this.conversation(id) !== undefined;
  }

  /** Logs in; resolves when its list is complete, or when it is offline. */
  async start(userSig) {
    try {
      await this.#chat.login({ userID: this.userID, userSig });
    } catch (error) {
      if (error.code !== NETWORK_TIMEOUT) throw error;
    }
  }

  /** Ends the client; what it stored stays. */
  stop() {
    return this.#chat.destroy();
  }

  /** Pulls the cable, or puts it back. */
  setPlugged(on) {
    if (on) {
      this.#setState('connecting');
      plug(this.#address);
    } else {
      unplug(this.#address);
      this.#setState('offline');
    }
  }

  async remove(conversationIDList, clearHistoryMessage) {
    for (const id of conversationIDList) this.#messages.delete(id);
    const { data } = await this.#chat.deleteConversation({ conversationIDList, clearHistoryMessage });
    return data;
  }

  async restore(conversationIDList) {
    for (const id of conversationIDList) this.#messages.delete(id);
    const { data } = await this.#chat.restoreConversation(conversationIDList);
    return data;
  }

  /** → the message as it was stored */
  async send(conversationID, text) {
    const isGroup = conversationID.startsWith('GROUP');
    const message = this.#chat.createTextMessage({
      to: conversationID.replace(/^(C2C|GROUP)/, ''),
      conversationType: isGroup ? TYPES.CONV_GROUP : TYPES.CONV_C2C,
      payload: { text },
    });
    const { data } = await this.#chat.sendMessage(message);
    this.#append(data.message);
    return data.message;
  }

  /** The newest messages; without a connection those that were read before, or null. */
  async messages(conversationID) {
    if (!this.isOnline) return this.#messages.get(conversationID) ?? null;
    const { data } = await this.#chat.getMessageList({ conversationID });
    this.#messages.set(conversationID, data.messageList);
    return data.messageList;
  }

  read(conversationID) {
    return this.#chat.setMessageRead({ conversationID });
  }

  createGroup(groupID, name, people) {
    return this.#chat.createGroup({
      groupID,
      name,
      type: TYPES.GRP_PUBLIC,
      memberList: people.map((userID) => ({ userID })),
    });
  }

  quit(conversationID) {
    return this.#chat.quitGroup(conversationID.slice('GROUP'.length));
  }

  #listen() {
    this.#chat.on(EVENT.CONVERSATION_LIST_UPDATED, ({ data, isSyncCompleted }) => {
      this.list = data;
      this.hasList = true;
      this.#tell('change');
      if (isSyncCompleted && this.isPlugged) this.#setState('online');
    });
    this.#chat.on(EVENT.MESSAGE_RECEIVED, ({ data }) => data.forEach((message) => this.#append(message)));
    this.#chat.on(EVENT.NET_STATE_CHANGE, ({ data }) => {
      // Connected is not yet caught up: the list says when it is.
      if (data.state !== TYPES.NET_STATE_CONNECTED) this.#setState(this.isPlugged ? 'connecting' : 'offline');
    });
    this.#chat.on(EVENT.KICKED_OUT, ({ data }) => this.#kickedOut(data.type));
  }

  async #kickedOut(type) {
    this.#setState('connecting');
    try {
      if (type !== TYPES.KICKED_OUT_USERSIG_EXPIRED) throw new Error(type);
      await this.start(await this.#refresh());
    } catch (error) {
      const isDisplaced = type === TYPES.KICKED_OUT_MULT_ACCOUNT || type === TYPES.KICKED_OUT_MULT_DEVICE;
      this.#tell(isDisplaced ? 'displaced' : 'failed', error);
    }
  }

  #append(message) {
    const known = this.#messages.get(message.conversationID);
    if (known && !known.some(({ ID }) => ID === message.ID)) known.push(message);
    this.#tell('message', message);
  }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.#tell('state');
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
