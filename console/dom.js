// Builds elements. Whatever is given as a child becomes text or is an element already: nothing is parsed as markup.

const SVG = 'http://www.w3.org/2000/svg';
/** Set as properties: as attributes they would only be the initial state. */
const PROPERTIES = new Set(['value', 'checked', 'selected', 'disabled', 'indeterminate']);

/**
 * An element with attributes, event handlers (`on: { click }`) and children. An attribute of `false`, `null` or
 * `undefined` is left out, `true` is set empty. Children that are `null`, `undefined` or `false` are left out.
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** As `el`, for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (PROPERTIES.has(name)) {
      element[name] = value;
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...present(children));
  return element;
}

/** Replaces what is in `element`; children are as in `el`. */
export function show(element, ...children) {
  element.replaceChildren(...present(children));
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** An icon of a few lines; it says nothing that the text beside it doesn't. */
export function icon(path, name = '') {
  return svg('svg', { class: `icon ${name}`, viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: path }));
}

let lastId = 0;
/** An id that no other element of the page has. */
export function newId() {
  lastId += 1;
  return `id-${lastId}`;
}

/** Controls, direction marks, characters of no width: an ID that holds one may pass for another. */
const UNSEEN = /(\p{Cc}|\p{Cf}|[\u2028\u2029])/u;

/** Text that somebody else chose: shown as it is, unseen characters by their number, bounded by its style. */
export function given(text, attributes = {}) {
  const parts = String(text).split(UNSEEN).map((part, place) => {
    if (place % 2 === 0) return part;
    const number = part.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
    return el('span', { class: 'escape' }, `U+${number}`);
  });
  return el('bdi', { ...attributes, class: `given ${attributes.class ?? ''}`.trim() }, parts);
}
