/** Levels as in the Web SDK: 0 all, 1 what one wants to see in production, 2 warnings, 3 errors, 4 nothing. */
export class Log {
  level = 2;

  /** @param {...any} what */
  debug(...what) {
    if (this.level <= 0) console.debug('chatsync:', ...what);
  }

  /** @param {...any} what */
  info(...what) {
    if (this.level <= 1) console.info('chatsync:', ...what);
  }

  /** @param {...any} what */
  warn(...what) {
    if (this.level <= 2) console.warn('chatsync:', ...what);
  }

  /** @param {...any} what */
  error(...what) {
    if (this.level <= 3) console.error('chatsync:', ...what);
  }
}
