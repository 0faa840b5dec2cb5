// The page: joins the visit, the devices, the switch and the timeline.

import './network.js';
import { getSwitch, getUsers, putSwitch } from './api.js';
import { PEOPLE, titleOf, userIDOf } from './cast.js';
import { Device } from './device.js';
import { DeviceView } from './device-view.js';
import { el, setText } from './dom.js';
import { furnish } from './furnish.js';
import { currentLanguage, millis, setLanguage, t, translatePage } from './i18n.js';
import { startAfresh, suffix as visitSuffix, Visit } from './session.js';
import { showTimeline } from './timeline-view.js';
import { Timeline } from './timeline.js';

/** Between two looks at the switch, which other visitors and operators may set, in milliseconds. */
const SWITCH_PERIOD = 5000;
/** Conversations that the one-click suggestion deletes. */
const SUGGESTED = 3;

const IS_LOCAL = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);

const $ = (selector) => document.querySelector(selector);
const suffix = visitSuffix();
const visit = new Visit(suffix);
const timeline = new Timeline();
/** @type {Map<string, Device>} */
const devices = new Map();
/** @type {Map<string, DeviceView>} */
const views = new Map();
let isSynced = true;

const alices = () => [...devices.values()].filter(({ person }) => person === 'alice');
const siblings = (device) => [...devices.values()].filter((one) => one.person === device.person && one !== device);

// What a visitor can do.

async function remove(device, conversations, cleared) {
  const ids = conversations.map(({ conversationID }) => conversationID);
  if (ids.length === 0) return;
  const names = () => conversations.map((one) => titleOf(one).name);
  const event = record(
    { kind: 'delete', actor: device, ids, names, cleared, isSynced },
    siblings(device),
    (other) => ids.every((id) => !other.lists(id)),
  );
  views.get(device.key).mark('own', t('own.delete', { count: ids.length }));
  await settle(event, () => device.remove(ids, cleared));
}

async function restore(event) {
  const { ids, names } = event;
  const isFit = (device) => device.isOnline;
  const device = isFit(event.actor) ? event.actor : alices().find(isFit);
  if (!device || event.isUndone) return;
  event.isUndone = true;
  const undoing = record(
    { kind: 'restore', actor: device, ids, names },
    siblings(device),
    (other) => ids.every((id) => other.lists(id)),
  );
  views.get(device.key).mark('own', t('own.restore'));
  await settle(undoing, () => device.restore(ids));
  event.isUndone = !undoing.failure;
  renderTry();
}

async function send(device, conversation, text) {
  const seen = new Map([...devices.values()].map((one) => [one, lastSeq(one, mirrored(one, device, conversation))]));
  const followers = [...devices.values()].filter((one) => {
    const isAddressed = one.person === 'bob' ? concernsBob(device, conversation) : concernsAlice(device, conversation);
    return one !== device && isAddressed;
  });
  const event = record(
    { kind: 'message', actor: device, ids: [conversation.conversationID], to: () => titleOf(conversation).name },
    followers,
    (other) => lastSeq(other, mirrored(other, device, conversation)) > seen.get(other),
  );
  return settle(event, () => device.send(conversation.conversationID, text), true);
}

async function quit(device, conversation) {
  const { conversationID } = conversation;
  const event = record(
    { kind: 'quit', actor: device, ids: [conversationID], name: () => titleOf(conversation).name },
    siblings(device),
    (other) => (other.conversation(conversationID)?.membership ?? 'active') !== 'active',
  );
  await settle(event, () => device.quit(conversationID), true);
}

function setPlugged(device, on) {
  visit.plugged(device.key, on);
  if (on) {
    timeline.plugged(device);
  } else {
    timeline.record({ kind: 'offline', actor: device, isDone: true });
    timeline.unplugged(device);
  }
  device.setPlugged(on);
  renderTry();
}

/** Does it, and notes how it went. */
async function settle(event, act, mayThrow = false) {
  try {
    return await act();
  } catch (error) {
    timeline.failed(event, error);
    if (mayThrow) throw error;
  } finally {
    event.isDone = true;
    shown(event.actor);
    timeline.dispatchEvent(new Event('change'));
  }
}

/** How a conversation of `sender`'s is called on another device: a pair has two names. */
function mirrored(other, sender, { conversationID }) {
  const isPair = conversationID.startsWith('C2C') && other.person !== sender.person;
  return isPair ? `C2C${sender.userID}` : conversationID;
}

const concernsBob = (sender, { conversationID, type }) =>
  sender.person === 'bob' || type === 'GROUP' || conversationID === `C2C${userIDOf('bob', suffix)}`;
const concernsAlice = (sender, { conversationID, type }) =>
  sender.person === 'alice' || type === 'GROUP' || conversationID === `C2C${userIDOf('alice', suffix)}`;
const lastSeq = (device, id) => device.conversation(id)?.lastMessage.lastSequence ?? 0;

// What the page shows of it.

/** A device's list has changed on the page. */
function shown(device) {
  const before = new Map(timeline.events.map((event) => [event, event.marks.get(device)]));
  timeline.check(device);
  for (const [event, mark] of before) {
    const now = event.marks.get(device);
    if (!now || now === mark) continue;
    const words = now.kind === 'caughtUp' ? 'here.caughtUp' : `here.${event.kind}`;
    views.get(device.key).mark('followed', t(words, { ms: millis(now.ms) }));
    break;
  }
  renderTry();
}

function stateChanged(device) {
  if (!device.isOnline) return;
  // Its list came first: what has not come with it is not on its way.
  const ms = timeline.caughtUp(device);
  if (ms !== null) timeline.record({ kind: 'online', actor: device, ms, isDone: true });
  renderTry();
}

/** Notes what was begun, and tells it on the devices that will not follow now. */
function record(what, followers, isThere) {
  const event = timeline.record({ ...what, isDone: false }, followers, isThere);
  for (const [device, { kind }] of event.marks) {
    if (kind === 'kept') views.get(device.key).mark('kept', t('here.kept'));
    if (kind === 'wait') views.get(device.key).mark('wait', t('here.wait'));
  }
  return event;
}

/** What one click deletes on the phone; rather not what the visitor can go on with. */
function suggestion() {
  const phone = devices.get('phone');
  if (!phone?.isOnline) return [];
  const isKeptForLater = ({ conversationID, type }) => type !== 'C2C' || concernsBob(phone, { conversationID, type });
  return phone.list.toSorted((a, b) => isKeptForLater(a) - isKeptForLater(b)).slice(0, SUGGESTED);
}

function renderTry() {
  const count = suggestion().length;
  setText($('#try'), count > 0 ? t('try.delete', { count }) : t('try.nothing'));
  $('#try').disabled = count === 0;
  setText($('#try-undo'), t('try.undo'));
  $('#try-undo').disabled = !undoable();
}

const undoable = () =>
  timeline.events.find((event) =>
    event.kind === 'delete' && event.actor.person === 'alice' && event.isDone && !event.isUndone && !event.failure);

function renderSwitch() {
  $('#switch').setAttribute('aria-checked', String(isSynced));
  const means = t(isSynced ? 'switch.on' : 'switch.off');
  setText($('#switch-means'), IS_LOCAL ? means : `${means} ${t('switch.shared')}`);
}

function renderAll() {
  translatePage();
  $('#language').value = currentLanguage();
  renderSwitch();
  renderTry();
  for (const view of views.values()) view.render();
}

function problem(words, retry) {
  const button = el('button', { type: 'button', class: 'button', onclick: () => location.reload() }, retry);
  $('#problem').replaceChildren(words, button);
  $('#problem').hidden = false;
}

const serverProblem = (error) => problem(t('problem.server', { message: error.message }), t('problem.retry'));

// The switch.

async function flip() {
  const wanted = !isSynced;
  $('#switch').disabled = true;
  try {
    learnSwitch((await putSwitch(wanted)).syncConversationDeletion);
  } catch (error) {
    serverProblem(error);
  }
  $('#switch').disabled = false;
  $('#switch').focus({ preventScroll: true });
}

function learnSwitch(on, isFirst = false) {
  if (on === isSynced) return;
  isSynced = on;
  if (!isFirst) timeline.record({ kind: 'switch', on, isDone: true });
  renderSwitch();
}

async function watchSwitch() {
  if (document.hidden) return;
  try {
    learnSwitch((await getSwitch()).syncConversationDeletion);
  } catch {
    // The devices show that the server is away, each on its own.
  }
}

// The visit.

function addDevice(app, key, person, platform, place) {
  const userID = userIDOf(person, suffix);
  const refresh = async () => (await getUsers([userID])).users[0].userSig;
  const device = new Device({ key, person, platform, suffix, app }, refresh);
  devices.set(key, device);
  const view = new DeviceView(device, { remove, send, quit, plug: (one) => setPlugged(one, !one.isPlugged), shown });
  views.set(key, view);
  device.addEventListener('state', () => stateChanged(device));
  device.addEventListener('displaced', displaced);
  device.addEventListener('failed', ({ detail }) => serverProblem(detail));
  $(place).append(view.element);
  if (visit.unplugged.includes(key)) device.setPlugged(false);
  return device;
}

function displaced() {
  for (const device of devices.values()) device.setPlugged(false);
  problem(t('problem.elsewhere'), t('problem.takeover'));
}

async function open() {
  const people = visit.isFurnished ? ['alice', 'bob'] : PEOPLE;
  const [given, state] = await Promise.all([
    getUsers(people.map((person) => userIDOf(person, suffix))),
    getSwitch(),
  ]);
  const app = given.sdkAppID;
  const userSigs = new Map(given.users.map(({ userID, userSig }) => [userID, userSig]));
  learnSwitch(state.syncConversationDeletion, true);
  const phone = addDevice(app, 'phone', 'alice', 'iPhone', '#alice-devices');
  addDevice(app, 'laptop', 'alice', 'Mac', '#alice-devices');
  addDevice(app, 'browser', 'alice', 'Web', '#alice-devices');
  const bob = addDevice(app, 'bob', 'bob', 'Android', '#bob-devices');
  $('#switch').disabled = false;
  const start = (device) => device.start(userSigs.get(device.userID));
  // One that is unplugged logs in whenever it is plugged in: nobody waits for that.
  for (const device of [...devices.values()].filter((one) => !one.isPlugged)) start(device).catch(serverProblem);
  await Promise.all([...devices.values()].filter((one) => one.isPlugged).map(start));
  if (!visit.isFurnished) {
    if (phone.list.length === 0) await furnish({ suffix, app, userSigs }, phone, bob);
    visit.furnished();
  }
  document.documentElement.dataset.ready = 'true';
  renderTry();
}

$('#switch').addEventListener('click', flip);
$('#try').addEventListener('click', () => remove(devices.get('phone'), suggestion(), true));
$('#try-undo').addEventListener('click', () => restore(undoable()));
$('#language').addEventListener('change', (event) => {
  setLanguage(event.target.value);
  renderAll();
  renderTimeline();
});
$('.skip').addEventListener('click', (event) => {
  // The address names the visit: nothing else may go behind its #.
  event.preventDefault();
  $('#devices').focus();
});
$('#afresh').addEventListener('click', () => {
  startAfresh();
  location.reload();
});
globalThis.addEventListener('hashchange', () => location.reload());
setInterval(watchSwitch, SWITCH_PERIOD);
document.addEventListener('visibilitychange', watchSwitch);

timeline.addEventListener('change', renderTry);
const renderTimeline = showTimeline(timeline, restore);
renderAll();
open().catch(serverProblem);
