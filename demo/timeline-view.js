// The timeline on the page, and as sentences for those who listen to it.

import { isRefusal } from './device.js';
import { el, setText } from './dom.js';
import { currentLanguage, millis, t } from './i18n.js';

/** Milliseconds after which an event is read out, whoever has not followed by then. */
const PATIENCE = 1500;
/** Marks that count as good news, and as waiting. */
const LOOKS = { followed: 'followed', caughtUp: 'followed', wait: 'wait', queued: 'wait', pending: 'wait' };

/**
 * @param {import('./timeline.js').Timeline} timeline
 * @param {(event: any) => void} undo
 */
export function showTimeline(timeline, undo) {
  const list = document.querySelector('#timeline');
  const empty = document.querySelector('#timeline-empty');
  const latest = document.querySelector('#latest');
  const announcer = document.querySelector('#announcer');
  /** @type {Map<number, HTMLElement>} */
  const items = new Map();
  const told = new Set();

  function render() {
    empty.hidden = timeline.events.length > 0;
    const current = new Set(timeline.events.map(({ number }) => number));
    for (const [number, item] of items) {
      if (current.has(number)) continue;
      item.remove();
      items.delete(number);
    }
    for (const event of [...timeline.events].reverse()) {
      let item = items.get(event.number);
      if (!item) {
        items.set(event.number, (item = itemOf(event, undo)));
        list.prepend(item);
        setTimeout(() => announce(event), PATIENCE);
      }
      fill(item, event);
      if (event.isDone && timeline.isSettled(event)) announce(event);
    }
    const [newest] = timeline.events;
    if (newest) latest.replaceChildren(items.get(newest.number).querySelector('.said').cloneNode(true));
  }

  function announce(event) {
    if (told.has(event.number)) return;
    told.add(event.number);
    announcer.append(el('p', {}, asText(event)));
    while (announcer.childElementCount > 5) announcer.firstElementChild.remove();
  }

  timeline.addEventListener('change', render);
  render();
  return render;
}

/** `Phone deleted 3 conversations (history cleared) → Laptop 4.1 ms, Browser is offline, will catch up` */
function asText(event) {
  const marks = [...event.marks].map(([device, mark]) => markText(event, device, mark));
  const said = event.failure ? failureText(event) : sentence(event);
  return marks.length > 0 ? `${said} → ${marks.join(', ')}` : said;
}

function itemOf(event, undo) {
  const time = event.at.toLocaleTimeString(currentLanguage(), { hour12: false });
  const button = event.kind === 'delete' && event.actor.person === 'alice'
    ? el('button', { type: 'button', class: 'button undo', onclick: () => undo(event) })
    : null;
  return el('li', { class: 'event', 'data-kind': event.kind },
    el('time', { datetime: event.at.toISOString() }, time),
    el('div', { class: 'said' }, el('span', {}), el('ul', { class: 'marks' })),
    button);
}

function fill(item, event) {
  setText(item.querySelector('.said > span'), event.failure ? failureText(event) : sentence(event));
  const marks = item.querySelector('.marks');
  marks.replaceChildren(...[...event.marks].map(([device, mark]) => {
    const looks = { 'data-kind': LOOKS[mark.kind] ?? mark.kind, 'data-device': device.key };
    return el('li', looks, markText(event, device, mark));
  }));
  const button = item.querySelector('.undo');
  if (!button) return;
  setText(button, t(event.isUndone ? 'undone' : 'undo'));
  button.disabled = event.isUndone || Boolean(event.failure) || !event.isDone;
}

const failureText = ({ actor, failure }) =>
  t(isRefusal(failure.code) ? 'said.refused' : 'said.failed', { device: t(actor.key), ...failure });

function sentence({ kind, actor, names, ids, cleared, to, name, on, ms }) {
  return t(`said.${kind}`, {
    device: actor && t(actor.key), names: names?.(), count: ids.length, cleared, to: to?.(), name: name?.(), on,
    ms: ms === undefined ? '' : millis(ms),
  });
}

const markText = ({ actor }, device, { kind, ms }) =>
  t(`mark.${kind}`, { device: t(device.key), actor: t(actor.key), ms: ms === undefined ? '' : millis(ms) });
