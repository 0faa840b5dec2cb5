import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APP, Server } from './lib/server.js';
import { calm, startBrowser } from './lib/browser.js';
import { enter, path, row, session, signIn, viewer, visit } from './lib/console.js';
import { Devices } from './lib/console-devices.js';

let server, browser, as, devices;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), startBrowser()]);
  [as, devices] = await Promise.all([session(browser, server), Devices.start(browser, server)]);
});
after(async () => { await browser?.close(); await server?.stop(); });

const configuration = (app) => path('apps', app, 'configuration');

/** Presses a button of the open dialog, and waits until the dialog is gone. */
async function answer(page, name) {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name, exact: true }).click();
  // Not by its role: a dialog has none from when it closes until it is taken out of the page, a moment later.
  await page.locator('dialog').waitFor({ state: 'detached' });
}

/** Puts the secret of the open dialog away and returns it. */
async function keep(page) {
  const secret = await page.getByRole('dialog').locator('.secret').textContent();
  await answer(page, 'I have kept it');
  assert.ok(!(await page.content()).includes(secret), 'it is nowhere in the page any more');
  return secret;
}

test('an application is created, and its key is shown once', async () => {
  const permissions = ['clipboard-read', 'clipboard-write'];
  const page = await enter(browser, server, { as, at: path('apps'), permissions });
  await page.getByRole('button', { name: 'Create an application' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('SDKAppID').fill('many');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.locator('[aria-invalid="true"]').waitFor();
  await dialog.getByLabel('SDKAppID').fill('1400000077');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('dialog', { name: 'Application 1400000077 is created' }).waitFor();
  await dialog.getByText('This is shown once').waitFor();
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied.').first().waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const key = await keep(page);
  assert.equal(copied, key);
  assert.match(key, /^[0-9a-f]{64}$/);
  await row(page, '1400000077').getByText('Enabled').waitFor();
  // The key is the one that is asked for: the command line makes UserSigs from it.
  const device = await devices.login('alice', 'phone', { app: 1400000077 });
  assert.ok(device.state.instanceID);

  await page.reload();
  await row(page, '1400000077').waitFor();
  assert.ok(!(await page.content()).includes(key));
  assert.equal(await page.getByLabel('Application', { exact: true }).locator('option').count(), 2);
  calm(page, /400 \(Bad Request\)/);
  await page.context().close();
});

test('an ID that is taken is refused with a sentence', async () => {
  const page = await enter(browser, server, { as, at: path('apps') });
  await page.getByRole('button', { name: 'Create an application' }).click();
  await page.getByRole('dialog').getByLabel('SDKAppID').fill(String(APP));
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await page.getByRole('dialog').locator('.error:not([hidden])').waitFor();
  await answer(page, 'Cancel');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Create an application');
  calm(page, /409 \(Conflict\)/);
  await page.context().close();
});

test('a key is rotated: two are valid, then the oldest is retired and its clients are sent away', async () => {
  const page = await enter(browser, server, { as, at: configuration(APP) });
  const device = await devices.login('bob', 'phone');
  await page.getByText('One key is valid.').waitFor();
  await page.getByRole('button', { name: 'Make a new key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('dialog', { name: 'A new key is made' }).waitFor();
  assert.notEqual(await keep(page), server.secretKey);
  await page.getByText('2 keys are valid.').waitFor();
  await device.call('ping', { ack: 0 });

  await page.getByRole('button', { name: 'Retire the oldest' }).click();
  await answer(page, 'Retire it');
  await page.getByText('One key is valid.').waitFor();
  assert.equal(await device.closed(), 4401);
  calm(page);
  await page.context().close();
});

test('a disabled application ends its connections; enabled, it is served again', async () => {
  const page = await enter(browser, server, { as, at: configuration(APP) });
  const device = await devices.login('carol', 'phone');
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await page.getByRole('dialog').getByText('All its connections end at once').waitFor();
  await answer(page, 'Disable');
  await page.getByText('The application is disabled.').first().waitFor();
  assert.ok(await device.closed());
  await assert.rejects(devices.login('carol', 'phone'));
  await page.getByRole('button', { name: 'Enable', exact: true }).click();
  await answer(page, 'Enable');
  await page.getByRole('button', { name: 'Disable', exact: true }).waitFor();
  assert.ok((await devices.login('carol', 'phone')).state.instanceID);
  calm(page);
  await page.context().close();
});

test('the chosen application goes along through the pages', async () => {
  const page = await enter(browser, server, { as, at: path('apps', APP, 'users') });
  await page.getByLabel('Application', { exact: true }).selectOption('1400000077');
  await page.getByText('app 1400000077').waitFor();
  assert.equal(new URL(page.url()).hash, path('apps', 1400000077, 'users'));
  await page.getByRole('link', { name: 'Login and Message' }).click();
  await page.getByRole('heading', { name: 'Login and Message', level: 1 }).waitFor();
  await page.getByText('app 1400000077').waitFor();
  await page.context().close();
});

test('an operator is added, signs in, becomes an administrator, and is removed', async () => {
  const page = await enter(browser, server, { as, at: path('operators') });
  await page.getByRole('button', { name: 'Add an operator' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('olga');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('dialog', { name: 'olga is added' }).waitFor();
  const password = await keep(page);

  const hers = await visit(browser, server);
  await signIn(hers, { name: 'olga', password });
  await hers.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.equal(await hers.getByRole('link', { name: 'Operators' }).count(), 0);

  await row(page, 'olga').getByRole('button', { name: 'Role: olga' }).click();
  await dialog.getByLabel('Role').selectOption('administrator');
  await answer(page, 'Save');
  await row(page, 'olga').getByText('Administrator').waitFor();
  await hers.reload();
  await hers.getByRole('link', { name: 'Operators' }).waitFor();

  await row(page, 'olga').getByRole('button', { name: 'Remove: olga' }).click();
  await answer(page, 'Remove');
  await row(page, 'olga').waitFor({ state: 'detached' });
  await hers.getByText('Your session has ended').waitFor();

  // The last administrator can't be removed.
  await row(page, 'admin').getByRole('button', { name: 'Remove: admin' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await dialog.locator('.error:not([hidden])').waitFor();
  await answer(page, 'Cancel');
  calm(page, /409 \(Conflict\)/);
  for (const each of [page, hers]) await each.context().close();
});

test('one’s own password is changed, and the other sessions end', async () => {
  const watcher = await viewer(server, 'pat');
  const mine = await enter(browser, server, { as: await session(browser, server, watcher), at: path('account') });
  const other = await enter(browser, server, { as: await session(browser, server, watcher), at: path('account') });
  const form = mine.getByRole('region', { name: 'Change your password' });
  const fill = async (current, password, again) => {
    await form.getByLabel('Present password').fill(current);
    await form.getByLabel('New password', { exact: true }).fill(password);
    await form.getByLabel('New password, again').fill(again);
    await form.getByRole('button', { name: 'Change it' }).click();
  };
  await fill(watcher.password, 'short', 'short');
  await form.getByText('At least 10 characters.', { exact: true }).waitFor();
  await fill(watcher.password, 'a longer password', 'another password');
  await form.getByText('This differs from the first one.').waitFor();
  await fill('not my password', 'a longer password', 'a longer password');
  await form.getByText('This is not your password.').waitFor();
  await fill(watcher.password, 'a longer password', 'a longer password');
  await mine.getByText('Your password is changed.').first().waitFor();
  await other.getByText('Your session has ended').waitFor();
  await signIn(other, { name: 'pat', password: 'a longer password' });
  await other.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
  calm(mine, /401 \(Unauthorized\)/);
  for (const each of [mine, other]) await each.context().close();
});
