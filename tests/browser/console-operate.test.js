import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { APP, Server } from './lib/server.js';
import { calm, startBrowser } from './lib/browser.js';
import { enter, path, row, session } from './lib/console.js';
import { Devices } from './lib/console-devices.js';

const SCRIPT = '<img src=x onerror=alert(1)><script>alert(2)</script>';
/** Reads "evil.exe" from the right, and has a character of no width. */
const REVERSED = 'live\u202Eexe.txt\u200b';
const LONG = 'x'.repeat(64);

let server, browser, as, devices, phone, laptop;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), startBrowser()]);
  server.syncDeletions(true);
  [as, devices] = await Promise.all([session(browser, server), Devices.start(browser, server)]);
  phone = await devices.login('alice', 'alice-phone');
  laptop = await devices.login('alice', 'alice-laptop', { platform: 'Mac' });
  for (const peer of ['bob', 'carol', SCRIPT, REVERSED, LONG]) await phone.say(`C2C${peer}`, 'a secret sentence');
});
after(async () => { await browser?.close(); await server?.stop(); });

/** A page on which nothing may run but its own: a dialog of the browser's is a failure. */
async function guarded(at) {
  const page = await enter(browser, server, { as, at });
  page.on('dialog', (dialog) => {
    page.complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return page;
}

const card = (page, name) => page.getByRole('region', { name, exact: true });

test('users are found by the start of their ID, page by page', async () => {
  const page = await guarded(path('apps', APP, 'users'));
  await row(page, 'alice').getByText('2 online').waitFor();
  await page.getByLabel('User ID starts with').fill('bo');
  await page.keyboard.press('Enter');
  await row(page, 'alice').waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('rowheader').count(), 1);
  assert.match(page.url(), /\?prefix=bo$/);
  await page.getByLabel('User ID starts with').fill('nobody');
  await page.keyboard.press('Enter');
  await page.getByText('No user ID starts with that').waitFor();
  await page.goBack();
  await row(page, 'bob').waitFor();
  assert.equal(await page.getByLabel('User ID starts with').inputValue(), 'bo');
  await page.getByRole('link', { name: 'bob' }).click();
  await page.getByRole('heading', { name: 'bob', level: 1 }).waitFor();
  calm(page);
  await page.context().close();
});

test('a long list is shown page by page', async () => {
  const memberList = Array.from({ length: 60 }, (_, n) => ({ userID: `member-${100 + n}` }));
  await phone.call('group.create', { groupID: 'crowd', name: 'crowd', memberList });
  const page = await guarded(`${path('apps', APP, 'users')}?prefix=member-`);
  await row(page, 'member-100').waitFor();
  assert.equal(await page.getByRole('rowheader').count(), 50);
  await page.getByRole('button', { name: 'Next page' }).click();
  await row(page, 'member-159').waitFor();
  assert.equal(await page.getByRole('rowheader').count(), 10);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'All users');
  await page.getByRole('button', { name: 'First page' }).click();
  await row(page, 'member-100').waitFor();
  calm(page);
  await page.context().close();
});

test('IDs with markup, direction marks or great length are text, whole and in their place', async () => {
  const page = await guarded(path('apps', APP, 'users'));
  await page.getByRole('link', { name: SCRIPT }).waitFor();
  await page.getByRole('link', { name: 'liveU+202Eexe.txtU+200B' }).waitFor();
  await page.getByLabel('User ID starts with').fill('xxx');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: LONG }).waitFor();
  for (const user of [SCRIPT, REVERSED, LONG]) {
    await page.goto(`${server.url}/console/${path('apps', APP, 'users', user)}`);
    await card(page, 'Conversations').getByText('C2Calice').waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
  }
  await page.goto(`${server.url}/console/${path('apps', APP, 'users', 'alice')}`);
  await card(page, 'Conversations').getByText(`C2C${SCRIPT}`).waitFor();
  assert.ok(!(await page.content()).includes('a secret sentence'), 'what was said is not shown');
  calm(page);
  await page.context().close();
});

test('a group whose ID is markup is text as well', async () => {
  const groupID = '<b onclick=alert(3)>g</b>';
  await phone.call('group.create', { groupID, name: SCRIPT, memberList: [] });
  await phone.say(`GROUP${groupID}`, 'hello');
  await phone.delete(`GROUP${groupID}`);
  const page = await guarded(path('apps', APP, 'users', 'alice'));
  await card(page, 'Conversations').getByText(`GROUP${groupID}`).waitFor();
  await card(page, 'Deletions').getByRole('link').first().click();
  await page.getByRole('heading', { name: /^Deletion / }).waitFor();
  await card(page, 'Conversations').getByText(`GROUP${groupID}`).waitFor();
  await page.goto(`${server.url}/console/${path('audit')}?action=conversation.delete`);
  await page.getByText('Show').first().click();
  await page.getByText(groupID).first().waitFor();
  calm(page);
  await page.context().close();
});

test('a deletion’s page shows who has applied it, and takes it back on every device', async () => {
  const { version } = await phone.delete('C2Cbob', 'C2Ccarol');
  await phone.call('ping', { ack: version });
  await laptop.push('conversation.deleted', 'C2Ccarol');
  const page = await guarded(path('apps', APP, 'deletions'));
  await page.getByRole('rowheader').first().getByRole('link').click();
  const devicesCard = card(page, 'Applied by devices');
  await row(devicesCard, 'alice-phone').getByText('Made here').waitFor();
  await row(devicesCard, 'alice-laptop').getByText('Not yet').waitFor();
  await laptop.call('ping', { ack: version });
  await page.getByRole('button', { name: 'Refresh' }).click();
  await row(devicesCard, 'alice-laptop').getByText('Applied', { exact: true }).waitFor();
  await card(page, 'What happened').getByText('Sync Conversation Deletion Across Clients was on.').waitFor();
  await card(page, 'Restore').getByText(/2 conversations can be restored: 6 days left/).waitFor();

  await card(page, 'Restore').getByRole('button', { name: 'Restore' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
  await page.getByText('2 conversations are restored.').first().waitFor();
  await page.getByText('Nothing is left to restore').waitFor();
  const push = await laptop.push('conversation.updated', 'C2Ccarol');
  assert.deepEqual(push.conversationList.map(({ conversationID }) => conversationID).sort(), ['C2Cbob', 'C2Ccarol']);
  calm(page);
  await page.context().close();
});

test('a deletion made while the switch is off was told to nobody', async () => {
  server.syncDeletions(false);
  await phone.delete('C2Cbob');
  server.syncDeletions(true);
  const page = await guarded(`${path('apps', APP, 'deletions')}?user=alice`);
  await page.getByRole('rowheader').first().getByRole('link').click();
  await card(page, 'What happened').getByText('Sync Conversation Deletion Across Clients was off.').waitFor();
  await row(card(page, 'Applied by devices'), 'alice-laptop').getByText('Not told').waitFor();
  calm(page);
  await page.context().close();
});

test('a device is logged out from its user’s page, after a question', async () => {
  const tablet = await devices.login('alice', 'alice-tablet', { platform: 'iPad' });
  const page = await guarded(path('apps', APP, 'users', 'alice'));
  const device = row(card(page, 'Devices'), 'alice-tablet');
  await device.getByText('Online').waitFor();
  await device.getByText('127.0.0.1').waitFor();
  await device.getByRole('button', { name: 'Log out alice-tablet' }).click();
  await page.getByRole('dialog').getByText('alice-tablet').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
  await page.getByText('The device is logged out.').first().waitFor();
  assert.equal(await tablet.closed(), 4501);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await device.getByText('Online').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Refresh');
  calm(page);
  await page.context().close();
});

test('the audit log is searched, and downloaded as it was searched', async () => {
  const page = await guarded(path('audit'));
  await page.getByLabel('Action').fill('app.set');
  await page.getByLabel('Target').fill('sync-conversation-deletion');
  await page.keyboard.press('Enter');
  await page.waitForURL(/action=app\.set/);
  await row(page, 'conversation.delete').first().waitFor({ state: 'detached' });
  await page.getByRole('rowheader').first().waitFor();
  const shown = await page.getByRole('rowheader').count();
  const newest = page.getByRole('rowgroup').last().getByRole('row').first();
  assert.match(await newest.innerText(), /Setting changed[\s\S]*app\.set[\s\S]*sync-conversation-deletion[\s\S]*true/);

  const download = async (name) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
    return readFileSync(await file.path(), 'utf8').trimEnd().split('\n');
  };
  const lines = (await download('Download JSON lines')).map(JSON.parse);
  assert.equal(lines.length, shown);
  assert.ok(lines.every(({ action, target }) => action === 'app.set' && target === 'sync-conversation-deletion'));
  const csv = await download('Download CSV');
  assert.equal(csv.length, shown + 1);
  assert.deepEqual(csv[0].match(/\w+/g), ['id', 'time', 'app', 'actor', 'action', 'target', 'detail']);

  await page.getByLabel('From').fill('2020-01-01T00:00');
  await page.getByLabel('To').fill('2020-01-02T00:00');
  await page.keyboard.press('Enter');
  await page.getByText('No records').waitFor();
  await page.reload();
  assert.equal(await page.getByLabel('From').inputValue(), '2020-01-01T00:00');
  calm(page);
  await page.context().close();
});

test('the charts move with what happens', async () => {
  const page = await guarded(path('overview'));
  const chart = (name) => page.getByRole('figure', { name });
  await chart('Connections').locator('.line').first().waitFor({ timeout: 10_000 });
  const figure = (name) => page.locator('.tiles > div').filter({ hasText: name }).locator('dd');
  const before = Number(await figure('Connections').innerText());
  const more = await devices.login('dave', 'dave-phone');
  await page.waitForFunction(([least]) =>
    Number(document.querySelector('.tiles dd').textContent) > least, [before], { timeout: 10_000 });
  // Deletions, one after the other, until the chart has seen some.
  const line = chart('Deletions per second').getByRole('listitem').locator('strong');
  for (let tries = 0; tries < 40 && Number(await line.innerText()) === 0; tries += 1) {
    for (let times = 0; times < 5; times += 1) {
      await more.say('C2Calice', 'again');
      await more.delete('C2Calice');
    }
    await page.waitForTimeout(200);
  }
  assert.ok(Number(await line.innerText()) > 0);
  await chart('Connections').getByText('Show as a table').click();
  await chart('Connections').getByRole('rowheader').first().waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  calm(page);
  await page.context().close();
});
