// The demo under a name of its own, without TLS: what a browser takes for a page of somewhere else.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { calm, openPage, startBrowser } from './lib/browser.js';
import { Demo } from './lib/demo.js';
import { Server } from './lib/server.js';

const HOST = 'demo.example';

let browser, server;
before(async () => { browser = await startBrowser(`--host-resolver-rules=MAP ${HOST} 127.0.0.1`); });
after(() => browser?.close());
afterEach(() => server?.stop());

/** A port that was free a moment ago: the origin has to be known before the server starts. */
function freePort() {
  return new Promise((resolve) => {
    const listener = createServer().listen(0, '127.0.0.1', () => {
      const { port } = listener.address();
      listener.close(() => resolve(port));
    });
  });
}

test('a name that only leads here gets nothing', async () => {
  server = await Server.start();
  const page = await openPage(browser);
  const { port } = new URL(server.url);
  const response = await page.goto(`http://${HOST}:${port}/demo/`);
  assert.equal(response.status(), 404);
  await page.context().close();
});

test('with demo.serve = "always" it is there for everybody, without TLS too', async () => {
  const port = await freePort();
  server = await Server.start({
    CHATSYNC__DEMO__SERVE: 'always',
    CHATSYNC__SERVER__LISTEN: `127.0.0.1:${port}`,
    CHATSYNC__SERVER__ALLOWED_ORIGINS: `http://${HOST}:${port}`,
  });
  server.url = `http://${HOST}:${port}`;
  const demo = await Demo.open(browser, server);
  assert.equal(await demo.page.evaluate(() => globalThis.isSecureContext), false);
  await demo.page.getByText('All visitors of this demo share this switch.').waitFor();
  await demo.page.locator('#try').click();
  await demo.follow(['phone', 'laptop', 'browser'], ['Bob', 'Sunday hike', 'System notices']);

  // The same visit in another tab: without locks it is the server that tells the first one.
  const page = await demo.page.context().newPage();
  await page.goto(demo.page.url());
  await new Demo(page).ready();
  await demo.page.getByText('These users are open in another tab').waitFor();
  // A browser says that it heeds this header with TLS only.
  calm(demo.page, /Cross-Origin-Opener-Policy/);
  await demo.close();
});
