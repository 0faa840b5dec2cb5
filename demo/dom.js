// Building elements. Text goes in as text, never as markup.

/**
 * @param {string} tag
 * @param {Record<string, any>} [properties] `class`, `on…` handlers, attributes; what is false or null is left out
 * @param {...(Node | string | null)} children
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Sets a text only where it differs, so that nothing is read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const PATHS = {
  trash: 'M4 7h16M10 11v6M14 11v6M6 7l1 12a2 2 0 0 0 2 2h6a2 2 0 0 0 2-2l1-12M9 7V4h6v3',
  back: 'M15 5l-7 7 7 7',
  send: 'M5 12h13M12 5l7 7-7 7',
  leave: 'M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 16l4-4-4-4M14 12H4',
  plug: 'M5 12.500a10 10 0 0 1 14 0M8 15.800a5.700 5.700 0 0 1 8 0M12 19.500v.01M2 9a14.500 14.500 0 0 1 20 0',
  unplug: 'M3 3l18 18M8.500 15.800a5.700 5.700 0 0 1 7 0M12 19.500v.01M5 12.500a10 10 0 0 1 4-2.400M2 9a14.500 14.500 0 0 1 5-3'
    + 'M15 10.300a10 10 0 0 1 4 2.200M11 5.700A14.500 14.500 0 0 1 22 9',
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  const attributes = { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const stroke = { d: PATHS[name], fill: 'none', stroke: 'currentColor', 'stroke-width': '2',
    'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  for (const [key, value] of Object.entries(stroke)) path.setAttribute(key, value);
  svg.append(path);
  return svg;
}
