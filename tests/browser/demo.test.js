// The demo, from opening it to what it is there to show.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { calm, startBrowser } from './lib/browser.js';
import { Demo } from './lib/demo.js';
import { Server } from './lib/server.js';

const ALL = ['Bob', 'Sunday hike', 'Erin', 'Dave', 'Carol', 'System notices'];
const FOR_LATER = ['Bob', 'Sunday hike', 'System notices'];
const ALICES = ['phone', 'laptop', 'browser'];
const MILLISECONDS = /\d+(\.\d)? ms/;

let server, browser, demo;
before(async () => { server = await Server.start(); browser = await startBrowser(); });
after(async () => { await browser?.close(); await server?.stop(); });

async function open(options) {
  demo = await Demo.open(browser, server, options);
  await demo.setSwitch(true);
  await demo.follow(ALICES, ALL);
}

beforeEach(() => open());

async function done(...expected) {
  calm(demo.page, ...expected);
  await demo.close();
}

test('one click deletes three conversations, and the other devices follow', async () => {
  await demo.page.getByRole('button', { name: 'Delete 3 conversations on the phone' }).click();
  await demo.follow(ALICES, FOR_LATER);
  for (const device of ['laptop', 'browser']) {
    assert.match(await demo.marked('Phone deleted 3 conversations (history cleared)', device, 'ms'), MILLISECONDS);
    assert.match(await demo.device(device).locator('.mark').textContent(), /^Gone after \d/);
  }
  // For those who listen: once, as a sentence.
  const sentence = /^Phone deleted 3 conversations \(history cleared\) → Laptop [\d.]+ ms, Browser [\d.]+ ms$/;
  await demo.page.locator('#announcer p').waitFor({ state: 'attached' });
  assert.match(await demo.page.locator('#announcer p').textContent(), sentence);
  await demo.lists('bob', ['Alice', 'Sunday hike']);
  await done();
});

test('an undo brings them back everywhere', async () => {
  await demo.button('laptop', 'trash').first().click();
  await demo.follow(ALICES, ALL.filter((title) => title !== 'Bob'));
  await demo.event('Laptop deleted Bob').locator('.undo').click();
  await demo.follow(ALICES, ALL);
  await demo.marked('Laptop undid the deletion of Bob', 'phone', MILLISECONDS);
  await demo.openChat('phone', 'Bob');
  await demo.said('phone', 'Lunch tomorrow?').waitFor();
  await done();
});

test('with the switch off the others keep it, and still keep it when it is on again', async () => {
  await demo.setSwitch(false);
  const means = await demo.page.locator('#switch-means').textContent();
  assert.match(means, /^Off, as every app begins: .*The others keep the conversation, now and later\.$/);
  await demo.row('phone', 'Erin').locator('.trash').click();
  await demo.lists('phone', ALL.filter((title) => title !== 'Erin'));
  await demo.marked('Phone deleted Erin', 'laptop', 'keeps it');
  await demo.setSwitch(true);
  // What comes after it is told; it is not.
  await demo.row('phone', 'Dave').locator('.trash').click();
  await demo.follow(['laptop', 'browser'], ALL.filter((title) => title !== 'Dave'));
  await demo.lists('phone', ALL.filter((title) => !['Dave', 'Erin'].includes(title)));
  await done();
});

test('a device that was offline catches up when it is back', async () => {
  await demo.plug('laptop', 'offline');
  await demo.removeMany('phone', ['Erin', 'Dave'], { clear: true });
  await demo.lists('browser', ALL.filter((title) => !['Erin', 'Dave'].includes(title)));
  await demo.marked('Phone deleted', 'laptop', 'is offline, will catch up');
  await demo.lists('laptop', ALL);
  await demo.plug('laptop', 'online');
  await demo.lists('laptop', ALL.filter((title) => !['Erin', 'Dave'].includes(title)));
  await demo.marked('Phone deleted', 'laptop', /caught up .* ms after coming back/);
  await demo.event('Laptop is back: caught up').waitFor();
  await done(/offline/);
});

test('what is deleted on a device that is offline goes out when it is back', async () => {
  await demo.plug('phone', 'offline');
  await demo.row('phone', 'Carol').locator('.trash').click();
  await demo.lists('phone', ALL.filter((title) => title !== 'Carol'));
  await demo.marked('Phone deleted Carol', 'laptop', 'waits until Phone is back online');
  await demo.lists('laptop', ALL);
  await demo.plug('phone', 'online');
  await demo.follow(ALICES, ALL.filter((title) => title !== 'Carol'));
  await demo.marked('Phone deleted Carol', 'laptop', MILLISECONDS);
  await done(/offline/);
});

test('many are deleted at once, with their history or without', async () => {
  await demo.removeMany('browser', ['Bob', 'Erin'], { clear: false });
  await demo.follow(ALICES, ALL.filter((title) => !['Bob', 'Erin'].includes(title)));
  await demo.event('Browser deleted Bob and Erin (history kept)').waitFor();
  await demo.openChat('bob', 'Alice');
  await demo.say('bob', 'Are you there?');
  await demo.follow(ALICES, ALL.filter((title) => title !== 'Erin'));
  await demo.openChat('phone', 'Bob');
  await demo.said('phone', 'Did you get the photos?').waitFor();

  await demo.row('laptop', 'Bob').locator('.trash').click();
  await demo.follow(ALICES, ALL.filter((title) => !['Bob', 'Erin'].includes(title)));
  await demo.say('bob', 'Hello?');
  await demo.follow(ALICES, ALL.filter((title) => title !== 'Erin'));
  await demo.openChat('phone', 'Bob');
  await demo.said('phone', 'Hello?').waitFor();
  assert.equal(await demo.said('phone', 'Did you get the photos?').count(), 0);
  // His side is his own.
  await demo.said('bob', 'Did you get the photos?').waitFor();
  await done();
});

test('messages go both ways, and a script in one is text', async () => {
  const script = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const title = await demo.page.title();
  await demo.openChat('bob', 'Alice');
  await demo.openChat('laptop', 'Bob');
  await demo.say('bob', script);
  await demo.said('laptop', script).waitFor();
  await demo.say('laptop', 'What is that?');
  await demo.said('bob', 'What is that?').waitFor();
  await demo.row('phone', 'Bob').filter({ hasText: 'You: What is that?' }).waitFor();
  await demo.marked('Bob’s phone wrote to Alice', 'browser', MILLISECONDS);
  assert.equal(await demo.page.locator('.device img, .device script').count(), 0);
  assert.equal(await demo.page.title(), title);
  await done();
});

test('a group that was left stays, can be read, and not be written to', async () => {
  await demo.openChat('phone', 'Sunday hike');
  await demo.said('phone', 'Who drives on Sunday?').waitFor();
  await demo.button('phone', 'leave').click();
  await demo.marked('Phone left the group Sunday hike', 'laptop', MILLISECONDS);
  await demo.device('phone').getByText('You have left this group.').waitFor();
  await demo.say('phone', 'One more thing');
  await demo.device('phone').getByText('The server refused: not a member of this group any more (10007)').waitFor();
  await demo.follow(ALICES.slice(1), ALL);
  await demo.openChat('laptop', 'Sunday hike');
  await demo.said('laptop', 'Weather says sun until four').waitFor();
  assert.equal(await demo.said('bob', 'One more thing').count(), 0);
  await done();
});

test('a conversation that is open closes when it is deleted elsewhere', async () => {
  await demo.openChat('laptop', 'Erin');
  await demo.row('phone', 'Erin').locator('.trash').click();
  await demo.lists('laptop', ALL.filter((title) => title !== 'Erin'));
  await demo.button('laptop', 'select').waitFor();
  await done();
});

test('a message is sent once, however often Enter is pressed', async () => {
  await demo.openChat('phone', 'Bob');
  await demo.said('phone', 'Lunch tomorrow?').waitFor();
  await demo.device('phone').locator('.composer input').fill('Yes!');
  for (let presses = 0; presses < 3; presses += 1) await demo.page.keyboard.press('Enter');
  await demo.said('phone', 'Yes!').waitFor();
  await demo.openChat('bob', 'Alice');
  await demo.said('bob', 'Yes!').waitFor();
  assert.equal(await demo.said('bob', 'Yes!').count(), 1);
  await done();
});

test('what a device has read can be read without a connection', async () => {
  await demo.openChat('laptop', 'Carol');
  await demo.said('laptop', 'The tickets came today.').waitFor();
  await demo.device('laptop').getByRole('button', { name: 'Back to the list' }).click();
  await demo.plug('laptop', 'offline');
  await demo.openChat('laptop', 'Carol');
  await demo.said('laptop', 'The tickets came today.').waitFor();
  await demo.device('laptop').getByRole('button', { name: 'Back to the list' }).click();
  await demo.openChat('laptop', 'Dave');
  await demo.device('laptop').getByText('Offline: these messages were not read before.').waitFor();
  await demo.plug('laptop', 'online');
  await demo.said('laptop', 'Invoice 2041 is paid').waitFor();
  await done(/offline/);
});
