// Which device this is, and where it keeps what it knows.

import { IndexedDBStorage } from './storage/indexeddb.js';
import { MemoryStorage } from './storage/memory.js';
import { randomID } from './random.js';

/** @typedef {import('../types/index.d.ts').Storage} Storage */
/** @typedef {import('../types/index.d.ts').CreateOptions} CreateOptions */

/** @returns {import('./wire.d.ts').Platform} */
export function platform() {
  if (typeof document !== 'undefined') return 'Web';
  /** @type {Record<string, import('./wire.d.ts').Platform>} */
  const names = { darwin: 'Mac', win32: 'Windows' };
  const { process } = /** @type {any} */ (globalThis);
  return names[process?.platform] ?? 'Linux';
}

/**
 * One of the browser's storages; undefined where there is none, or where it may not be used.
 * @param {'localStorage' | 'sessionStorage'} name
 * @returns {Storage | undefined}
 */
function browsers(name) {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
}

/**
 * @param {CreateOptions} options
 * @returns {Storage}
 */
export function storageOf({ storage, tabs }) {
  if (typeof storage === 'object') return storage;
  const usual = typeof document === 'undefined' ? 'memory' : tabs === 'each' ? 'sessionStorage' : 'localStorage';
  const name = storage ?? usual;
  if (name === 'indexedDB') return new IndexedDBStorage();
  return (name !== 'memory' && browsers(name)) || new MemoryStorage();
}

/**
 * The device's ID, kept where its tabs share it or not, and the hold that this tab has on it.
 * @param {CreateOptions} options
 * @param {Storage} storage
 * @param {() => void} displaced another tab has taken it over
 * @returns {Promise<{deviceID: string, release: () => void}>}
 */
export async function claimDevice({ SDKAppID, deviceID, tabs }, storage, displaced) {
  const key = `chatsync/${SDKAppID}/device`;
  const keeper = tabs === 'each' ? (browsers('sessionStorage') ?? storage) : storage;
  let id = deviceID ?? (await keeper.getItem(key)) ?? '';
  let release = id ? await hold(SDKAppID, id, tabs === 'each' && !deviceID, displaced) : null;
  if (!release) {
    // The first start here; or this tab was made by duplicating another, its session's storage with it.
    id = randomID();
    await keeper.setItem(key, id);
    release = (await hold(SDKAppID, id, false, displaced)) ?? (() => {});
  }
  return { deviceID: id, release };
}

/**
 * One tab at a time is a device, and the newer displaces the older: a lock tells it at once, also offline. Where
 * there are no locks (no page, or one without TLS), the server's displacement does.
 * @param {number} SDKAppID
 * @param {string} deviceID
 * @param {boolean} isPolite leaves it to who has it
 * @param {() => void} displaced
 * @returns {Promise<(() => void) | null>} null: somebody has it
 */
function hold(SDKAppID, deviceID, isPolite, displaced) {
  const { navigator, document } = /** @type {any} */ (globalThis);
  if (!document || !navigator?.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    const options = isPolite ? { ifAvailable: true } : { steal: true };
    let isReleased = false;
    navigator.locks
      .request(`chatsync/${SDKAppID}/${deviceID}`, options, (/** @type {any} */ lock) => {
        if (!lock) return resolve(null);
        return new Promise((release) => {
          resolve(() => {
            isReleased = true;
            release(undefined);
          });
        });
      })
      .catch(() => {
        if (!isReleased) displaced();
      });
  });
}
