import { Chat } from './chat.js';
import { EVENT, TYPES } from './constants.js';

export const VERSION = '0.1.0';

/**
 * A client of one app; each call makes another.
 * @param {import('../types/index.d.ts').CreateOptions} options
 */
export function create(options) {
  return new Chat(options);
}

export { EVENT, TYPES };
export { ChatError } from './errors.js';

export default { create, EVENT, TYPES, VERSION };
