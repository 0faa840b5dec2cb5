// What the browser remembers between visits: choices, never anything secret.

const PREFIX = 'chatsync.';

export function remembered(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null; // Forbidden in this browser: every visit starts with the defaults.
  }
}

/** `null` forgets. */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // As above; the choice holds until the page is left.
  }
}
