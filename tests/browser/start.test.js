import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './lib/server.js';
import { accessible, calm, openPage, startBrowser } from './lib/browser.js';
import { NOBODY } from './lib/console.js';

let server, browser;
before(async () => { server = await Server.start(); browser = await startBrowser(); });
after(async () => { await browser?.close(); await server?.stop(); });

for (const place of ['console', 'demo']) {
  test(`${place} opens without its last slash`, async () => {
    const page = await openPage(browser);
    await page.goto(`${server.url}/${place}`);
    assert.equal(new URL(page.url()).pathname, `/${place}/`);
    assert.match(await page.title(), /chatsync/i);
    await accessible(page);
    calm(page, /favicon/, NOBODY);
    await page.context().close();
  });
}
