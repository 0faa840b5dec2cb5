/** Error numbers that the SDK itself gives; Tencent's where there is one. The server's pass through as they are. */
export const CODE = Object.freeze({
  NO_SDKAPPID: 2000,
  NO_IDENTIFIER: 2002,
  NO_USERSIG: 2003,
  USER_NOT_LOGGED_IN: 2024,
  REPEAT_LOGIN: 2025,
  MESSAGE_INSTANCE_REQUIRED: 2105,
  CONVERSATION_NOT_FOUND: 2500,
  INVALID_CONVERSATION_ID: 2503,
  NETWORK_ERROR: 2800,
  NETWORK_TIMEOUT: 2801,
  INVALID_OPERATION: 2905,
  OVER_FREQUENCY_LIMIT: 2996,
  NOT_READY: 2999,
  LOGGING_IN: 3000,
  LOGIN_FAILED: 3001,
  KICKED_OUT_MULT_DEVICE: 3002,
  KICKED_OUT_MULT_ACCOUNT: 3003,
  KICKED_OUT_USERSIG_EXPIRED: 3004,
  LOGGED_OUT: 3005,
  KICKED_OUT_REST_API: 3006,
  /** The server could not commit it: the same call is made again. */
  TRY_AGAIN: 50004,
  USERSIG_EXPIRED: 70001,
  /** JSON-RPC's number, which the server uses too. */
  INVALID_PARAMS: -32602,
  INTERNAL: -32603,
});

/** What every method rejects with, and what the `ERROR` event carries. */
export class ChatError extends Error {
  /**
   * @param {number} code
   * @param {string} message
   * @param {any} [data] what was wrong and where
   */
  constructor(code, message, data) {
    super(message);
    this.name = 'ChatError';
    this.code = code;
    this.data = data;
  }
}

/**
 * @param {string} field
 * @param {string} reason
 */
export function invalid(field, reason) {
  return new ChatError(CODE.INVALID_PARAMS, `Params validate failed. ${field}: ${reason}`, { field, reason });
}

/** @type {Record<number, string>} */
export const SENTENCES = {
  2500: 'conversation not found',
  2503: 'invalid conversation ID',
  20016: 'the time in which this could be undone has passed',
};

export function notFound() {
  return new ChatError(CODE.CONVERSATION_NOT_FOUND, SENTENCES[2500]);
}

/** @template T @param {T} data @returns {import('../types/index.d.ts').Result<T>} */
export const ok = (data) => ({ code: 0, data });
