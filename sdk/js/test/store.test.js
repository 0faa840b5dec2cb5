import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../src/log.js';
import { MemoryStorage } from '../src/storage/memory.js';
import { Store } from '../src/store.js';

const log = new Log();
log.level = 4;

/** A storage whose writings are carried out by hand. */
function slow() {
  const writes = [];
  const items = new MemoryStorage();
  return {
    writes,
    items,
    getItem: (key) => items.getItem(key),
    setItem: (key, value) => new Promise((resolve, reject) => {
      const done = () => {
        items.setItem(key, value);
        resolve();
      };
      writes.push({ key, value, done, fail: () => reject(new Error('full')) });
    }),
    removeItem: (key) => items.removeItem(key),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('an answered call leaves only after the list that holds its effect was written', async () => {
  const storage = slow();
  const store = new Store(storage, 'p', log);
  let [list, calls] = ['before', ['a']];
  store.follow(() => list, () => calls);
  [list, calls] = ['after', []];
  store.listChanged(true);
  store.flush();
  assert.deepEqual(storage.writes.map(({ key, value }) => [key, value]), [['p/list', '"after"']]);
  // What is answered while that is written is not in it, and stays for the next round.
  [list, calls] = ['later', ['b']];
  store.listChanged(true);
  storage.writes[0].done();
  await turn();
  assert.deepEqual([storage.writes[1].key, storage.writes[1].value], ['p/calls', '[]']);
  storage.writes[1].done();
  await turn();
  assert.deepEqual([storage.writes[2].key, storage.writes[2].value], ['p/list', '"later"']);
  storage.writes[2].done();
  await turn();
  storage.writes[3].done();
  await store.flush();
  assert.equal(storage.items.getItem('p/calls'), '["b"]');
});

test('a call that was made is written before anything else happens', () => {
  const storage = new MemoryStorage();
  const store = new Store(storage, 'p', log);
  store.follow(() => 'list', () => ['made']);
  store.callsChanged();
  assert.equal(storage.getItem('p/calls'), '["made"]');
});

test('a list that can\'t be written leaves no older one behind', async () => {
  for (const isLater of [false, true]) {
    const storage = slow();
    storage.items.setItem('p/list', '"old"');
    if (!isLater) storage.setItem = () => { throw new Error('full'); };
    const store = new Store(storage, 'p', log);
    store.listChanged();
    const written = store.flush();
    storage.writes[0]?.fail();
    await written;
    assert.equal(storage.items.getItem('p/list'), null);
  }
});

test('after its end nothing is written, and forgetting removes all', async () => {
  const storage = new MemoryStorage();
  const store = new Store(storage, 'p', log);
  store.follow(() => 'list', () => ['made']);
  store.listChanged(true);
  await store.flush();
  assert.equal(storage.getItem('p/list'), '"list"');
  await store.clear();
  store.callsChanged();
  assert.deepEqual([storage.getItem('p/list'), storage.getItem('p/calls')], [null, null]);
});
