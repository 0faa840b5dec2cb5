// Which page an address stands for. Addresses are `#/apps/1400000001/users?prefix=a`.

import { address, path } from './api.js';

/** `#/…` of parts, each as anybody may have chosen it, and a query. */
export const link = (parts, query) => `#${address(path(...parts), query)}`;

/** `{parts, query}` of the address the browser shows. */
export function here() {
  const [whole, query = ''] = location.hash.slice(1).split('?', 2);
  return { parts: whole.split('/').filter(Boolean).map(decode), query: Object.fromEntries(new URLSearchParams(query)) };
}

/** Somebody may have typed a `%` that encodes nothing. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Matches parts against `apps/:app/users/:user`: the named ones, or null. */
export function match(pattern, parts) {
  const names = pattern.split('/');
  if (names.length !== parts.length) return null;
  const named = {};
  for (const [place, name] of names.entries()) {
    if (name.startsWith(':')) named[name.slice(1)] = parts[place];
    else if (name !== parts[place]) return null;
  }
  return named;
}
