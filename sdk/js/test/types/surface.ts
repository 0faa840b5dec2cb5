// Read by `npm run typecheck` alone: the code does what the hand-written declarations say.

import type * as Declared from '../../types/index.d.ts';
import { Chat } from '../../src/chat.js';
import chatsync, { EVENT, TYPES, ChatError, create } from '../../src/index.js';

type Methods = { [Name in keyof Declared.ChatSDK]: Declared.ChatSDK[Name] extends (...args: any) => any ? Name : never }[
  keyof Declared.ChatSDK];

/** Overloads apart, which a JavaScript method can't have. */
type Plain = Omit<Declared.ChatSDK, 'deleteConversation' | 'EVENT' | 'TYPES' | 'on' | 'off'>;

export const plain: Plain = new Chat({ SDKAppID: 1, url: 'wss://host/ws' });
export const events: Declared.Events = EVENT;
export const types: Declared.Types = TYPES;
export const error: Declared.ChatError = new ChatError(1, 'message');
export const made: Plain = create({ SDKAppID: 1, url: 'wss://host/ws' });
export const same: Plain = chatsync.create({ SDKAppID: 1, url: 'wss://host/ws' });

/** Nothing public is undeclared, and nothing declared is missing. */
type Public = Exclude<keyof Chat, 'EVENT' | 'TYPES'>;
export const undeclared: Exclude<Public, Methods> extends never ? true : never = true;
export const missing: Exclude<Methods, Public> extends never ? true : never = true;
