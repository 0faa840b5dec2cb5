import { create } from './chat.js';
import { EVENT, TYPES } from './constants.js';

export const VERSION = '0.1.0';

export { create, EVENT, TYPES };
export { ChatError } from './errors.js';

export default { create, EVENT, TYPES, VERSION };
