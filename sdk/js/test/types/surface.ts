// Read by `npm run typecheck` alone: the code does what the hand-written declarations say.

import type * as Declared from '../../types/index.d.ts';
import type { CALLS, OWN } from '../../src/chat.js';
import type { Client } from '../../src/client.js';
import chatsync, { EVENT, TYPES, ChatError, create } from '../../src/index.js';

type Bound<Call> = Call extends (client: Client, ...rest: infer Rest) => infer Answer ? (...rest: Rest) => Answer : never;
type Made = { [Name in keyof typeof CALLS]: Bound<(typeof CALLS)[Name]> } & Pick<Client, (typeof OWN)[number]>;

/** Overloads apart, which a function in JavaScript can't have. */
type Plain = Omit<Declared.ChatSDK, 'deleteConversation' | 'EVENT' | 'TYPES' | 'on' | 'off'>;

declare const made: Made;
export const plain: Plain = made;
export const events: Declared.Events = EVENT;
export const types: Declared.Types = TYPES;
export const error: Declared.ChatError = new ChatError(1, 'message');
export const same: typeof Declared.create = create;
export const whole: typeof Declared.default = chatsync;

/** Nothing public is undeclared, and nothing declared is missing. */
type Methods = Exclude<keyof Declared.ChatSDK, 'EVENT' | 'TYPES'>;
export const undeclared: Exclude<keyof Made, Methods> extends never ? true : never = true;
export const missing: Exclude<Methods, keyof Made> extends never ? true : never = true;
