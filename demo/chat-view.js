// A conversation that is open on a device.

import { el, icon, setText } from './dom.js';
import { nameOf, titleOf } from './cast.js';
import { isRefusal } from './device.js';
import { t } from './i18n.js';

/** What a group's tips say, by their `operationType`. */
const TIPS = { 1: 'tip.join', 2: 'tip.quit', 3: 'tip.kick' };

export class ChatView {
  #device;
  #actions;
  #conversation;
  #messages = el('div', { class: 'messages', tabindex: '0', role: 'log', 'aria-live': 'off' });
  #notice = el('p', { class: 'notice', hidden: true });
  #refusal = el('p', { class: 'notice refused', role: 'alert', hidden: true });
  #input = el('input', { type: 'text', autocomplete: 'off', maxlength: '500', enterkeyhint: 'send' });
  #back;
  #title = el('h4', { tabindex: '-1' });

  /**
   * @param {import('./device.js').Device} device
   * @param {any} conversation
   * @param {{close: () => void, send: Function, quit: Function, remove: Function}} actions
   */
  constructor(device, conversation, actions) {
    this.#device = device;
    this.#actions = actions;
    this.#conversation = conversation;
    this.#back = el('button', { type: 'button', class: 'plain back', onclick: actions.close }, icon('back'));
    this.leave = el('button', { type: 'button', class: 'plain danger leave', onclick: () => this.#quit() });
    const remove = () => actions.remove(this.#conversation);
    this.trash = el('button', { type: 'button', class: 'plain trash', onclick: remove }, icon('trash'));
    this.send = el('button', { type: 'submit', class: 'plain' }, icon('send'));
    this.form = el('form', { class: 'composer', onsubmit: (event) => this.#send(event) }, this.#input, this.send);
    this.element = el('div', { class: 'chat' },
      el('div', { class: 'app-bar' }, this.#back, this.#title, this.leave, this.trash),
      this.#messages, this.#notice, this.#refusal, this.form);
    this.render();
    this.load();
  }

  get id() {
    return this.#conversation.conversationID;
  }

  focus() {
    this.#title.focus({ preventScroll: true });
  }

  /** The words and what depends on the conversation's state; messages are loaded apart. */
  render() {
    this.#conversation = this.#device.conversation(this.id) ?? this.#conversation;
    const { name } = titleOf(this.#conversation);
    const isMember = this.#conversation.membership === 'active';
    setText(this.#title, name);
    this.#back.setAttribute('aria-label', t('back'));
    this.trash.setAttribute('aria-label', t('delete.one', { name, device: t(this.#device.key) }));
    this.leave.replaceChildren(t('leave.group'), el('span', { class: 'hidden' }, ` ${name}`));
    this.leave.hidden = this.#conversation.type !== 'GROUP' || !isMember;
    this.#input.placeholder = t('write', { name });
    this.#input.setAttribute('aria-label', t('write', { name }));
    this.#messages.setAttribute('aria-label', name);
    this.send.setAttribute('aria-label', t('send'));
    setText(this.#notice, t('left.group'));
    if (this.#notice.hidden !== isMember) {
      this.#notice.hidden = isMember;
      this.#toNewest();
    }
    this.form.hidden = !['C2C', 'GROUP'].includes(this.#conversation.type);
  }

  /** Reads the messages anew. */
  async load() {
    try {
      this.#show(await this.#device.messages(this.id));
      if (this.#device.isOnline) await this.#device.read(this.id);
    } catch (error) {
      this.#refused(error);
    }
  }

  append(message) {
    this.#messages.querySelector('.nothing')?.remove();
    const known = this.#messages.querySelector(`[data-id="${CSS.escape(message.ID)}"]`);
    if (!known) this.#messages.append(messageOf(message));
    this.#toNewest();
  }

  /** @param {any[] | null} messages null: there is no connection to read them over */
  #show(messages) {
    this.#messages.replaceChildren(...(messages ?? []).map(messageOf));
    const why = messages ? 'no.history' : 'no.connection';
    if (!messages?.length) this.#messages.append(el('p', { class: 'nothing' }, t(why)));
    this.#toNewest();
  }

  async #send(event) {
    event.preventDefault();
    const text = this.#input.value.trim();
    if (!text) return;
    this.#refusal.hidden = true;
    this.#input.value = '';
    try {
      this.append(await this.#actions.send(this.#conversation, text));
    } catch (error) {
      this.#refused(error);
      this.#input.value ||= text;
    }
  }

  async #quit() {
    try {
      await this.#actions.quit(this.#conversation);
      this.focus();
    } catch (error) {
      this.#refused(error);
    }
  }

  #refused({ code, message }) {
    setText(this.#refusal, t(isRefusal(code) ? 'refused' : 'undone.here', { code, message }));
    this.#refusal.hidden = false;
    this.#toNewest();
  }

  #toNewest() {
    this.#messages.scrollTop = this.#messages.scrollHeight;
  }
}

function messageOf({ ID, from, flow, type, payload, conversationType }) {
  if (type !== 'TIMTextElem') return el('p', { class: 'tip', 'data-id': ID }, tipText(payload));
  const isOwn = flow === 'out';
  const sender = conversationType === 'GROUP' && !isOwn ? el('small', {}, nameOf(from)) : null;
  const spoken = el('span', { class: 'hidden' }, `${isOwn ? t('you') : nameOf(from)}: `);
  return el('div', { class: isOwn ? 'message own' : 'message', 'data-id': ID }, sender,
    el('div', { class: 'bubble' }, spoken, el('span', {}, String(payload?.text ?? ''))));
}

function tipText(payload) {
  const names = (payload?.userIDList ?? [payload?.operatorID]).filter(Boolean).map(nameOf).join(', ');
  return t(TIPS[payload?.operationType] ?? 'tip.other', { names });
}
