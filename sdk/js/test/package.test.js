// What is published: its size, what is in it, and that it works where it is installed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

const ROOT = new URL('..', import.meta.url).pathname;
const MOST_BYTES = 15 * 1024;

let folder, contents;
const run = (program, words, cwd = folder) =>
  execFileSync(program, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'chatsync-package-'));
  // `prepack` builds it.
  [contents] = JSON.parse(run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], ROOT));
  run('mkdir', ['-p', 'node_modules']);
  run('tar', ['-xzf', contents.filename]);
  run('mv', ['package', 'node_modules/chatsync']);
  for (const name of ['ws', '@types', 'undici-types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name, text) => writeFileSync(join(folder, name), text);
const USE = "if (typeof chat.create !== 'function' || chat.EVENT.SDK_READY !== 'sdkStateReady') throw 1;\n"
  + "const one = chat.create({ SDKAppID: 1, url: 'ws://127.0.0.1:1/ws' });\nconsole.log(one.isReady());\n";

test('the file for a page is at most 15 KB on its way, and whole', () => {
  const file = readFileSync(join(folder, 'node_modules/chatsync/dist/chatsync.min.js'));
  const size = gzipSync(file, { level: 9 }).length;
  assert.ok(size <= MOST_BYTES, `${size} bytes`);
  const chatsync = new Function(`${file}; return chatsync;`)();
  assert.equal(typeof chatsync.create, 'function');
  assert.doesNotMatch(String(file), /\brequire\(|from\s*["']ws["']|import\(/);
});

test('what a browser loads from src imports nothing but its own files', () => {
  const loaded = new Set();
  const load = (url) => {
    if (loaded.has(url.href)) return;
    loaded.add(url.href);
    const text = readFileSync(url, 'utf8');
    assert.doesNotMatch(text.replace(/\/\*[\s\S]*?\*\//g, ''), /import\(/, url.href);
    for (const [, name] of text.matchAll(/(?:^import |\bfrom )'([^']+)';/gm)) {
      assert.match(name, /^\.\//, `${url.href} imports ${name}`);
      load(new URL(name, url));
    }
  };
  load(new URL('../src/index.js', import.meta.url));
  assert.ok(loaded.size >= 15, `${loaded.size} files`);
  assert.ok(![...loaded].some((href) => href.endsWith('node.js')));
});

test('the package holds what is needed to use it, and no tests', () => {
  const names = contents.files.map(({ path }) => path);
  for (const name of ['package.json', 'README.md', 'dist/index.js', 'dist/index.cjs', 'dist/index.d.cts',
    'dist/node.js', 'dist/node.cjs', 'dist/chatsync.min.js', 'types/index.d.ts', 'src/index.js']) {
    assert.ok(names.includes(name), name);
  }
  assert.deepEqual(names.filter((name) => /test|scripts|node_modules/.test(name)), []);
});

test('it is imported and required in Node.js', () => {
  write('use.mjs', `import chat, { create } from 'chatsync';\nif (create !== chat.create) throw 1;\n${USE}`);
  write('use.cjs', `const chat = require('chatsync');\nif (chat.default.create !== chat.create) throw 1;\n${USE}`);
  assert.equal(run('node', ['use.mjs']), 'false\n');
  assert.equal(run('node', ['use.cjs']), 'false\n');
});

test('TypeScript finds its declarations, from modules of both kinds, and holds programs to them', () => {
  const right = "chat.on(chat.EVENT.CONVERSATION_DELETED, ({ data }) => data.origin?.deviceID.toUpperCase());\n"
    + "export const gone: Promise<string> = chat.deleteConversation('C2Ca').then(({ data }) => data.conversationID);\n"
    + "export const failed: Promise<number[]> = chat.deleteConversation({ conversationIDList: ['C2Ca'] })\n"
    + '  .then(({ data }) => data.failureConversationIDList.map(({ code }) => code));\n';
  const make = "const chat = TencentCloudChat.create({ SDKAppID: 1, url: 'wss://host/ws' });\n";
  write('module.mts', `import TencentCloudChat from 'chatsync';\n${make}${right}`);
  write('common.cts', `import TencentCloudChat = require('chatsync');\n${make}${right}`);
  write('wrong.mts', `import chatsync from 'chatsync';\nchatsync.create({ SDKAppID: '1', url: 'wss://host/ws' });\n`);
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  run(tsc, [...options, 'module.mts', 'common.cts']);
  assert.throws(() => run(tsc, [...options, 'wrong.mts']), ({ stdout }) => /TS2322/.test(stdout));
});

test('the declarations are those of the code', () => {
  // The check itself is `npm run typecheck`, which reads this file.
  assert.ok(readdirSync(join(ROOT, 'test/types')).includes('surface.ts'));
});
