// An operator who has come by way of the demo meets an app of their own in the console, not the demo's.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APP, Server } from './lib/server.js';
import { calm, openPage, startBrowser } from './lib/browser.js';
import { enter, path, row, session } from './lib/console.js';

let server, browser, as;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), startBrowser()]);
  as = await session(browser, server);
});
after(async () => { await browser?.close(); await server?.stop(); });

test('the console begins with a real application, and names the demo’s for what it is', async () => {
  const visitor = await openPage(browser);
  await visitor.goto(`${server.url}/demo/`);
  await visitor.getByRole('button', { name: 'Delete 3 conversations on the phone' }).click();
  await visitor.getByRole('log').getByText('Phone deleted 3 conversations').first().waitFor();

  const page = await enter(browser, server, { as, at: path('apps') });
  await row(page, '1399999999').getByText('Demo', { exact: true }).waitFor();
  const chooser = page.locator('#app');
  assert.equal(await chooser.inputValue(), String(APP));
  assert.deepEqual(await chooser.locator('option').allInnerTexts(), [String(APP), '1399999999 (demo)']);
  calm(page);
  for (const each of [visitor, page]) await each.context().close();
});
