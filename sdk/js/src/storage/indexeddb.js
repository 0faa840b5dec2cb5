const NAME = 'chatsync';
const STORE = 'items';

/** For lists that outgrow the 5 MB of localStorage. The interface is that of Web Storage, with promises. */
export class IndexedDBStorage {
  /** @type {Promise<IDBDatabase> | undefined} */
  #database;

  /** @param {string} key @returns {Promise<string | null>} */
  async getItem(key) {
    return (await this.#run('readonly', (store) => store.get(key))) ?? null;
  }

  /** @param {string} key @param {string} value */
  async setItem(key, value) {
    await this.#run('readwrite', (store) => store.put(value, key));
  }

  /** @param {string} key */
  async removeItem(key) {
    await this.#run('readwrite', (store) => store.delete(key));
  }

  #open() {
    this.#database ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => {
        const database = request.result;
        // Another tab may need to upgrade or delete it, and the browser may close it: the next use opens it again.
        database.onversionchange = () => database.close();
        database.onclose = () => (this.#database = undefined);
        resolve(database);
      };
      request.onerror = () => {
        this.#database = undefined;
        reject(request.error);
      };
    });
    return this.#database;
  }

  /**
   * One transaction; settles once it is complete.
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} use
   * @returns {Promise<any>}
   */
  async #run(mode, use) {
    const transaction = (await this.#open()).transaction(STORE, mode);
    const request = use(transaction.objectStore(STORE));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }
}
