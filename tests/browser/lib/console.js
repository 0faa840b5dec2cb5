// The console as its operators use it: signed in, at a page, found by what it says.

import assert from 'node:assert/strict';
import { openPage } from './browser.js';

/** A message that the browser logs by itself: nobody is signed in yet. */
export const NOBODY = /401 \(Unauthorized\).*\/api\/session/;

export const path = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`;

/** Where the switch is. */
export const LOGIN_AND_MESSAGE = (app) => path('apps', app, 'configuration', 'features', 'login-and-message');

/**
 * The console as it opens: the sign-in page for who isn't signed in. It is drawn once the server has said who is
 * there, which is after the page has loaded.
 */
export async function visit(browser, server, { at = '', ...options } = {}) {
  const page = await openPage(browser, { locale: 'en-US', ...options });
  await page.goto(`${server.url}/console/${at}`);
  await page.locator('main h1').waitFor();
  return page;
}

export async function signIn(page, { name = 'admin', password }) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/**
 * A page of somebody who has signed in: `as` is the state that `session` made, so that a test of something else
 * doesn't sign in again.
 */
export function enter(browser, server, { as, at = path('overview'), ...options }) {
  return visit(browser, server, { at, storageState: as, ...options });
}

/** Signs in once; what comes is for `enter`. */
export async function session(browser, server, operator = { password: server.password }) {
  const page = await visit(browser, server);
  await signIn(page, operator);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const state = await page.context().storageState();
  await page.context().close();
  return state;
}

/** Adds a viewer and returns what signs it in. */
export async function viewer(server, name = 'watcher') {
  const password = server.command('operator', 'set', '--name', name, '--role', 'viewer').split(/\s+/).at(-1);
  return { name, password };
}

export const switchOf = (page) => page.getByRole('switch', { name: 'Sync Conversation Deletion Across Clients' });

/** The row of a table that holds `text`. */
export const row = (page, text) => page.getByRole('row').filter({ hasText: text });

/** Presses Tab until the focus is on what is called `name`. */
export async function tabTo(page, name, most = 40) {
  for (let presses = 0; presses < most; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const { activeElement: active } = document;
      const label = active.getAttribute('aria-labelledby');
      if (label) return document.getElementById(label).textContent;
      return active.getAttribute('aria-label') ?? active.innerText;
    });
    if (focused.startsWith(name)) return;
  }
  assert.fail(`${name} was not reached by ${most} presses of Tab`);
}

/** Nothing is wider than the screen. */
export async function fits(page) {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width[0] <= width[1], `${page.url()} is ${width[0]} wide on a screen of ${width[1]}`);
}
