// A device on the page: its frame, its list, and the conversation that is open on it.

import { ChatView } from './chat-view.js';
import { nameOf, titleOf } from './cast.js';
import { el, icon, setText } from './dom.js';
import { t } from './i18n.js';

/** Milliseconds that the mark with the time stays. */
const MARK_STAYS = 6000;
const REDUCED = matchMedia('(prefers-reduced-motion: reduce)');

export class DeviceView {
  #device;
  #actions;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {Set<string> | null} the IDs selected; null: nothing is being selected */
  #selected = null;
  /** @type {ChatView | null} */
  #chat = null;
  #isFirst = true;
  #markTimer;

  /**
   * @param {import('./device.js').Device} device
   * @param {{remove: Function, send: Function, quit: Function, plug: Function, shown: Function}} actions
   */
  constructor(device, actions) {
    this.#device = device;
    this.#actions = actions;
    this.#build();
    device.addEventListener('change', () => {
      this.render();
      actions.shown(device);
    });
    device.addEventListener('state', () => {
      this.render();
      if (device.isOnline) this.#chat?.load();
    });
    device.addEventListener('message', ({ detail }) => {
      if (detail.conversationID === this.#chat?.id) this.#chat.append(detail);
    });
    this.render();
  }

  /** @param {'followed' | 'wait' | 'kept' | 'own'} kind */
  mark(kind, text) {
    clearTimeout(this.#markTimer);
    this.marked.replaceChildren(el('span', { 'data-kind': kind }, text));
    this.#markTimer = setTimeout(() => this.marked.replaceChildren(), MARK_STAYS);
  }

  #build() {
    const { key } = this.#device;
    const shape = key === 'bob' ? 'phone' : key;
    this.title = el('h3', { id: `name-${key}` });
    this.state = el('span', { class: 'state' });
    this.plug = el('button', { type: 'button', class: 'button plug', onclick: () => this.#actions.plug(this.#device) });
    this.heading = el('h4', { tabindex: '-1' });
    this.select = el('button', { type: 'button', class: 'plain select', onclick: () => this.#toggleSelection() });
    this.all = el('button', { type: 'button', class: 'plain all', onclick: () => this.#selectAll() });
    this.rows = el('ul', { class: 'list' });
    this.nothing = el('p', { class: 'nothing' });
    this.clear = el('input', { type: 'checkbox', class: 'clear' });
    this.clear.checked = true;
    this.clearText = el('span', {});
    const confirm = { type: 'button', class: 'button danger confirm', onclick: () => this.#removeSelected() };
    this.confirm = el('button', confirm);
    this.choice = el('div', { class: 'choice' }, el('label', {}, this.clear, this.clearText), this.confirm);
    this.home = el('div', { class: 'chat home' },
      el('div', { class: 'app-bar' }, this.heading, this.all, this.select), this.nothing, this.rows, this.choice);
    this.app = el('div', { class: 'app' }, this.home);
    this.marked = el('div', { class: 'mark', 'aria-hidden': 'true' });
    this.element = el('section', { class: `device ${shape}`, 'data-device': key, 'aria-labelledby': `name-${key}` },
      el('div', { class: 'device-bar' }, this.title, this.state, this.plug),
      el('div', { class: 'frame' },
        el('div', { class: 'chrome', 'aria-hidden': 'true' }, ...CHROME[shape]()),
        el('div', { class: 'screen' }, this.app),
        this.marked));
  }

  render() {
    const device = this.#device;
    const name = t(device.key);
    setText(this.title, name);
    setText(this.state, t(device.state));
    this.state.dataset.state = device.state;
    this.element.classList.toggle('offline', !device.isPlugged);
    const verb = device.isPlugged ? 'go.offline' : 'go.online';
    this.plug.replaceChildren(icon(device.isPlugged ? 'plug' : 'unplug'), t(verb), aside(name));
    setText(this.heading, t('chats'));
    this.select.replaceChildren(t(this.#selected ? 'cancel' : 'select'), aside(name));
    this.all.replaceChildren(t('all'), aside(name));
    this.#renderList();
    this.#renderChoice();
    this.#renderChat();
  }

  #renderList() {
    const { list, hasList } = this.#device;
    const listed = new Set(list.map(({ conversationID }) => conversationID));
    for (const [id, row] of this.#rows) {
      if (!listed.has(id)) this.#leave(id, row);
    }
    list.forEach((conversation, place) => {
      const { conversationID: id } = conversation;
      let row = this.#rows.get(id);
      if (!row) {
        this.#rows.set(id, (row = this.#rowOf(id)));
        if (!this.#isFirst) this.#arrive(row);
      }
      this.#fill(row, conversation);
      const present = [...this.rows.children].filter((child) => !child.classList.contains('leaving'));
      // Moved only if it must be: to move an element takes the focus from it.
      if (present[place] !== row) this.rows.insertBefore(row, present[place] ?? null);
    });
    this.#isFirst = !hasList;
    this.nothing.hidden = list.length > 0;
    setText(this.nothing, t(hasList ? 'nothing.here' : 'loading'));
    this.select.disabled = list.length === 0;
  }

  #rowOf(id) {
    const open = el('button', { type: 'button', class: 'open', onclick: () => this.#tap(id) },
      el('span', { class: 'tick', 'aria-hidden': 'true', hidden: true }),
      el('span', { class: 'avatar', 'aria-hidden': 'true' }),
      el('span', { class: 'about' }, el('b', {}), el('span', {})),
      el('span', { class: 'badge', hidden: true }));
    const trash = el('button', { type: 'button', class: 'plain trash', onclick: () => this.#remove([id], true) },
      icon('trash'));
    return el('li', { class: 'row', 'data-id': id }, open, trash);
  }

  #fill(row, conversation) {
    const { conversationID: id, unreadCount } = conversation;
    const { name, picture } = titleOf(conversation);
    const avatar = row.querySelector('.avatar');
    avatar.className = `avatar ${picture}`;
    setText(avatar, [...name][0] ?? '');
    setText(row.querySelector('b'), name);
    setText(row.querySelector('.about span'), snippet(conversation, this.#device.userID));
    const badge = row.querySelector('.badge');
    setText(badge, String(unreadCount));
    badge.setAttribute('aria-label', t('unread', { count: unreadCount }));
    badge.hidden = unreadCount === 0;
    const trash = row.querySelector('.trash');
    trash.setAttribute('aria-label', t('delete.one', { name, device: t(this.#device.key) }));
    trash.hidden = this.#selected !== null;
    row.querySelector('.tick').hidden = this.#selected === null;
    const open = row.querySelector('.open');
    if (this.#selected) open.setAttribute('aria-pressed', String(this.#selected.has(id)));
    else open.removeAttribute('aria-pressed');
  }

  /** Lets a row go in sight of the visitor; whoever was on it goes to its neighbour. */
  #leave(id, row) {
    this.#rows.delete(id);
    this.#selected?.delete(id);
    if (row.contains(document.activeElement)) {
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      (neighbour?.querySelector('.open') ?? this.heading).focus({ preventScroll: true });
    }
    if (REDUCED.matches || this.#chat) {
      row.remove();
      return;
    }
    row.classList.add('leaving');
    row.inert = true;
    row.addEventListener('animationend', () => row.remove(), { once: true });
  }

  #arrive(row) {
    if (REDUCED.matches) return;
    row.classList.add('arriving');
    row.addEventListener('animationend', () => row.classList.remove('arriving'), { once: true });
  }

  #renderChoice() {
    this.choice.hidden = this.all.hidden = this.#selected === null;
    const count = this.#selected?.size ?? 0;
    setText(this.clearText, t('clear.too'));
    setText(this.confirm, t('delete.count', { count }));
    this.confirm.disabled = count === 0;
  }

  #renderChat() {
    if (!this.#chat) return;
    if (this.#device.hasList && !this.#device.lists(this.#chat.id)) this.#close();
    else this.#chat.render();
  }

  #tap(id) {
    if (!this.#selected) {
      this.#open(id);
      return;
    }
    if (!this.#selected.delete(id)) this.#selected.add(id);
    this.render();
  }

  #toggleSelection() {
    this.#selected = this.#selected ? null : new Set();
    this.render();
  }

  #selectAll() {
    this.#selected = new Set(this.#rows.keys());
    this.render();
  }

  async #removeSelected() {
    const ids = [...(this.#selected ?? [])];
    const isCleared = this.clear.checked;
    this.#selected = null;
    this.heading.focus({ preventScroll: true });
    await this.#remove(ids, isCleared);
    this.render();
  }

  #remove(ids, isCleared) {
    const order = this.#device.list.filter(({ conversationID }) => ids.includes(conversationID));
    return this.#actions.remove(this.#device, order, isCleared);
  }

  #open(id) {
    const device = this.#device;
    this.#chat = new ChatView(device, device.conversation(id), {
      close: () => this.#close(),
      send: (conversation, text) => this.#actions.send(device, conversation, text),
      quit: (conversation) => this.#actions.quit(device, conversation),
      remove: (conversation) => this.#remove([conversation.conversationID], true),
    });
    this.home.hidden = true;
    this.app.append(this.#chat.element);
    this.#chat.focus();
  }

  #close() {
    const hadFocus = this.#chat.element.contains(document.activeElement);
    const row = this.#rows.get(this.#chat.id);
    this.#chat.element.remove();
    this.#chat = null;
    this.home.hidden = false;
    if (hadFocus) (row?.querySelector('.open') ?? this.heading).focus({ preventScroll: true });
  }
}

/** What is seen from where a button is, for those who hear it alone. */
const aside = (name) => el('span', { class: 'hidden' }, ` ${name}`);

const CHROME = {
  phone: () => [],
  laptop: () => [],
  browser: () => [el('i'), el('i'), el('i'), el('b')],
};

function snippet(conversation, userID) {
  const said = lastSaid(conversation, userID);
  return conversation.membership === 'active' ? said : `${t('left')} · ${said}`;
}

function lastSaid({ lastMessage, type, conversationID }, userID) {
  const { messageForShow, fromAccount } = lastMessage;
  if (!messageForShow) return '';
  if (conversationID === '@TIM#SYSTEM') return t('notice');
  if (fromAccount === userID) return `${t('you')}: ${messageForShow}`;
  return type === 'GROUP' ? `${nameOf(fromAccount)}: ${messageForShow}` : messageForShow;
}
