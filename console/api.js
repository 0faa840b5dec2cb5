// Calls the server. Knows the session, and tells when it has ended.

const BASE = 'api';

/** The server said no, or nothing. */
class ApiError extends Error {
  /** `code` is `unreachable` if there was no answer at all. */
  constructor({ status = 0, code = 'unavailable', message = '', field = null, retryAfter = null }) {
    super(message);
    Object.assign(this, { status, code, field, retryAfter });
  }
}

/** Fires `changed` when somebody signed in or out, or the session ended. */
class Session extends EventTarget {
  /** `{name, role, csrfToken, expiresAt}`, or null. */
  current = null;
  /** Whether the last one ended by itself. */
  ended = false;

  get isAdministrator() {
    return this.current?.role === 'administrator';
  }

  /** Asks who is signed in: nobody is no error. */
  async find() {
    try {
      this.#set(await get('/session'));
    } catch (error) {
      if (error.code !== 'signed_out') throw error;
      this.#set(null);
    }
  }

  /** Asks whether it is still the same session; `changed` is fired only if not. */
  async check() {
    const found = await get('/session');
    if (found.csrfToken !== this.current?.csrfToken) this.#set(found);
  }

  async signIn(name, password) {
    this.#set(await post('/sign-in', { name, password }));
  }

  async signOut() {
    await post('/sign-out');
    this.#set(null);
  }

  end() {
    if (this.current) this.#set(null, true);
  }

  #set(session, ended = false) {
    this.current = session;
    this.ended = ended;
    this.dispatchEvent(new Event('changed'));
  }
}

export const session = new Session();

export const get = (path, options) => request('GET', path, undefined, options);
export const post = (path, body) => request('POST', path, body);
export const patch = (path, body) => request('PATCH', path, body);
export const remove = (path) => request('DELETE', path);

/** `/apps/1/users` and `{prefix: 'a'}` as one address; values that are empty are left out. */
export function address(path, query = {}) {
  const present = Object.entries(query).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  return present.length === 0 ? path : `${path}?${new URLSearchParams(present)}`;
}

/** Of parts that anybody may have chosen: `path('apps', 1, 'users', 'a/b')`. */
export const path = (...parts) => `/${parts.map(encodeURIComponent).join('/')}`;

/** Where the browser itself goes: a download, the live stream. */
export const place = (rest) => BASE + rest;

async function request(method, path, body, { signal } = {}, again = true) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && session.current) headers['x-csrf-token'] = session.current.csrfToken;
  let response;
  try {
    response = await fetch(place(path), {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError({ code: 'unreachable', message: error.message });
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const error = await refusal(response);
  if (error.code === 'signed_out') session.end();
  // Another tab signed in anew. As the same operator one goes on; as another, this page is no longer theirs.
  if (error.code === 'bad_csrf' && again && session.current) {
    const { name } = session.current;
    await session.check();
    if (session.current?.name === name) return request(method, path, body, { signal }, false);
  }
  throw error;
}

async function refusal(response) {
  let error = {};
  try {
    ({ error } = await response.json());
  } catch {
    // Not from the console itself: a proxy's page, for one. The status has to do.
  }
  return new ApiError({ message: response.statusText, ...error, status: response.status });
}
