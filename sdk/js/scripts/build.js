// Makes dist/: what a package is installed for. The server's pages and the tests use src/ as it is.

import { copyFile, rm } from 'node:fs/promises';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
/** @satisfies {import('esbuild').BuildOptions} */
const common = { absWorkingDir: root, bundle: true, target: 'es2022', logLevel: /** @type {const} */ ('warning') };

await rm(`${root}dist`, { recursive: true, force: true });
await Promise.all([
  build({ ...common, entryPoints: ['src/index.js'], outfile: 'dist/index.js', format: 'esm', platform: 'neutral' }),
  build({ ...common, entryPoints: ['src/index.js'], outfile: 'dist/index.cjs', format: 'cjs', platform: 'neutral' }),
  build({ ...common, entryPoints: ['src/node.js'], outfile: 'dist/node.js', format: 'esm', platform: 'node', external: ['ws'] }),
  build({ ...common, entryPoints: ['src/node.js'], outfile: 'dist/node.cjs', format: 'cjs', platform: 'node', external: ['ws'] }),
  // One file for a page without modules: the global `chatsync`.
  build({
    ...common, entryPoints: ['src/index.js'], outfile: 'dist/chatsync.min.js', format: 'iife', globalName: 'chatsync',
    platform: 'browser', minify: true,
  }),
]);
// The same declarations for `require`: TypeScript tells them by the file's name.
await copyFile(`${root}types/index.d.ts`, `${root}dist/index.d.cts`);
