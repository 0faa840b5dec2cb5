import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Server, TYPES, destroyAll, device, listed, send, until } from './lib/devices.js';
import { OUTCOMES, SAMPLES } from './lib/samples.js';

let server;
before(async () => { server = await Server.start(); });
afterEach(destroyAll);
after(() => server?.stop());

for (const [number, sample] of SAMPLES.entries()) {
  test(`sample ${number + 1} runs as it is written`, async () => {
    const chat = await device(server, `user${number}`);
    const example = await device(server, 'Example');
    await chat.createGroup({ name: 'Example', groupID: 'Example', type: TYPES.GRP_MEETING }).catch(() => {});
    await chat.joinGroup({ groupID: 'Example' });
    await send(chat, 'Example', 'to the group', 'GROUP');
    await send(example, `user${number}`, 'to one');
    await until(chat, 'both', async () => (await listed(chat)).length === 2);

    const complaints = [];
    const run = new Function('chat', 'console', `${sample}\nreturn promise;`);
    const response = await run(chat, { warn: (...words) => complaints.push(words) });
    assert.deepEqual(complaints, []);
    assert.equal(response.code, 0);
    const { data, left, isHistoryKept } = OUTCOMES[number];
    for (const [name, value] of Object.entries(data)) assert.deepEqual(response.data[name], value);
    assert.deepEqual(await listed(chat), left);
    const history = await chat.getMessageList({ conversationID: 'C2CExample' });
    assert.equal(history.data.messageList.length, isHistoryKept ? 1 : 0);
  });
}

test('a sample that fails says why to its own catch', async () => {
  const chat = await device(server, 'lonely');
  const complaints = [];
  const run = new Function('chat', 'console', `${SAMPLES[0]}\nreturn promise;`);
  await assert.rejects(run(chat, { warn: (...words) => complaints.push(words) }), { code: 2500 });
  const [[words, error]] = complaints;
  assert.equal(words, 'deleteConversation error:');
  assert.ok(error instanceof Error);
});
