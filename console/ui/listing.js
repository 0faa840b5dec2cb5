// A list with filters, fetched page by page. Both are kept in the address, so that it can be come back to and sent on.

import { el, show } from '../dom.js';
import { t } from '../i18n/index.js';
import { button } from './controls.js';
import { fetched } from './page.js';

/**
 * `fields` are the filters by their names in the query; `cursor` is the query's name for where a page starts;
 * `ask(query)` fetches an answer with its `next`, `draw(answer, query)` shows it. `read(name, text)` makes a filter's
 * value of what was typed, `write` the reverse. `parts` is the page's address.
 */
export function listing({
  signal, go, parts, query: start, fields, label, cursor, ask, draw, beside = () => null,
  read = (name, text) => text, write = (name, value) => value,
}) {
  let query = start;
  const content = fetched(signal, () => ask(query), (answer) => [
    draw(answer, query),
    pager({
      isFirst: !query[cursor],
      next: answer.next ?? null,
      first: () => turn(''),
      on: () => turn(answer.next),
    }),
  ]);
  const extra = el('div', { class: 'beside' });
  const fill = () => {
    for (const [name, { control }] of Object.entries(fields)) control.value = write(name, query[name] ?? '');
    show(extra, beside(query));
  };
  const take = (wanted) => {
    query = wanted;
    fill();
    return content.reload();
  };
  const move = (wanted) => {
    go(parts, wanted);
    return take(wanted);
  };
  /** To another page, from its top. */
  const turn = async (from) => {
    await move({ ...query, [cursor]: from });
    element.closest('section').querySelector('h2').focus();
  };
  const submit = (event) => {
    event.preventDefault();
    move(Object.fromEntries(Object.entries(fields).map(([name, { control }]) => [name, read(name, control.value)])));
  };
  fill();
  const element = el('div', {},
    el('form', { class: 'filters', role: 'search', 'aria-label': label, on: { submit } },
      Object.values(fields).map((each) => each.element),
      el('div', { class: 'end-row' }, button(t('search'), null, { type: 'submit' }), extra)),
    content.element);
  return { element, moved: ({ query: wanted }) => take(wanted) };
}

/** The way on and the way back to the start; nothing if there is but one page. */
function pager({ isFirst, next, first, on }) {
  if (isFirst && next === null) return null;
  return el('nav', { class: 'pager', 'aria-label': t('pager.label') },
    button(t('pager.first'), first, { kind: 'quiet', disabled: isFirst }),
    button(t('pager.next'), on, { disabled: next === null }));
}
