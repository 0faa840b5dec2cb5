import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APP, Server } from './lib/server.js';
import { calm, openPage, startBrowser } from './lib/browser.js';
import {
  enter, LOGIN_AND_MESSAGE, NOBODY, path, session, signIn, switchOf, viewer, visit,
} from './lib/console.js';

/** What the browser logs when a call is refused, as these are here. */
const REFUSED = /(401 \(Unauthorized\)|403 \(Forbidden\)|429 \(Too Many Requests\)).*\/console\/api\//;

/** How many apps there are, as the page's own session sees it. */
const countApps = (page) => page.evaluate(async () => (await (await fetch('api/apps')).json()).apps.length);

let server, browser, as;
before(async () => {
  [server, browser] = await Promise.all([Server.start(), startBrowser()]);
  as = await session(browser, server);
});
after(async () => { await browser?.close(); await server?.stop(); });

test('the right password opens the page that was asked for, and the heading has the focus', async () => {
  const page = await visit(browser, server, { at: path('audit') });
  assert.equal(await page.evaluate(() => document.activeElement.name), 'name');
  await signIn(page, { password: server.password });
  await page.getByRole('heading', { name: 'Audit log', level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Audit log');
  assert.equal(await page.title(), 'Audit log · chatsync');
  calm(page, NOBODY);
  await page.context().close();
});

test('a wrong password, a wrong name and nothing at all are told, and nothing is opened', async () => {
  const page = await visit(browser, server);
  await page.getByRole('button', { name: 'Sign in' }).click();
  assert.equal(await page.getByText('Fill this in.').count(), 2);
  for (const name of ['admin', 'nobody']) {
    await signIn(page, { name, password: 'not the password' });
    await page.getByRole('alert').filter({ hasText: 'don’t go together' }).waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), name);
  }
  calm(page, REFUSED);
  await page.context().close();
});

test('signing out ends it for every page of the session, and one goes on where one was', async () => {
  const page = await enter(browser, server, { as: await session(browser, server), at: path('account') });
  const other = await page.context().newPage();
  await other.goto(`${server.url}/console/#/audit`);
  await other.getByRole('heading', { name: 'Audit log' }).waitFor();

  await page.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor();
  assert.equal(await page.getByText('Your session has ended').count(), 0);

  // Nobody touches the other page: its live stream tells it.
  await other.getByText('Your session has ended').waitFor();
  await signIn(other, { password: server.password });
  await other.getByRole('heading', { name: 'Audit log', level: 1 }).waitFor();
  calm(page, REFUSED);
  await page.context().close();
});

test('a change from a page without the token, or with another, is refused', async () => {
  const page = await enter(browser, server, { as });
  const answers = await page.evaluate(async () => {
    const attempt = async (headers) => {
      const response = await fetch('api/apps', {
        method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}',
      });
      return [response.status, (await response.json()).error?.code];
    };
    return [await attempt({}), await attempt({ 'x-csrf-token': 'guessed' })];
  });
  assert.deepEqual(answers, [[403, 'bad_csrf'], [403, 'bad_csrf']]);
  // With it, the same call goes through.
  const status = await page.evaluate(async () => {
    const { csrfToken } = await (await fetch('api/session')).json();
    const response = await fetch('api/apps', {
      method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken }, body: '{}',
    });
    return response.status;
  });
  assert.equal(status, 201);
  calm(page, REFUSED);
  await page.context().close();
});

test('a page whose browser was signed in as somebody else does nothing in their name', async () => {
  const { name, password } = await viewer(server);
  const page = await enter(browser, server, { as: await session(browser, server), at: LOGIN_AND_MESSAGE(APP) });
  await switchOf(page).waitFor();
  await page.evaluate(async (body) => {
    await fetch('api/sign-in', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }, JSON.stringify({ name, password }));
  await switchOf(page).click();
  await page.getByText('You are a viewer').waitFor();
  assert.equal(await switchOf(page).getAttribute('aria-checked'), 'false');
  assert.equal(await page.locator('.who a bdi').innerText(), name);
  calm(page, REFUSED);
  await page.context().close();
});

test('a page of another origin can do nothing with an operator’s browser', async () => {
  const page = await enter(browser, server, { as });
  const before = await countApps(page);
  const foreign = await page.context().newPage();
  // The same address by another name is another origin.
  await foreign.goto(`${server.url.replace('127.0.0.1', 'localhost')}/livez`);
  const outcome = await foreign.evaluate(async (url) => {
    try {
      const response = await fetch(`${url}/console/api/apps`, {
        method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}',
      });
      return response.type;
    } catch (error) {
      return error.name;
    }
  }, server.url);
  // The browser lets it be sent, and nothing of the answer be read; it made no app.
  assert.match(outcome, /^(opaque|TypeError)$/);
  assert.equal(await countApps(page), before);
  await page.context().close();
});

test('the pages may load and run nothing but what the server gave', async () => {
  const page = await enter(browser, server, { as });
  const violated = page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => resolve(violatedDirective));
  }));
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.ran = true';
    document.body.append(script);
  });
  assert.match(await violated, /script-src/);
  assert.equal(await page.evaluate(() => globalThis.ran), undefined);
  await page.context().close();
});

// Last: from here on this address has to wait.
test('after too many wrong passwords the name is locked, and one is told for how long', async () => {
  const page = await openPage(browser, { locale: 'en-US' });
  await page.goto(`${server.url}/console/`);
  const told = page.getByText(/^Too many wrong passwords\. Try again in \d+ (minute|second)/);
  for (let tries = 0; tries < 10 && await told.count() === 0; tries += 1) {
    const answered = page.waitForResponse((response) => response.url().endsWith('/sign-in'));
    await signIn(page, { name: 'victim', password: `guess ${tries}` });
    await answered;
    await page.locator('button[type="submit"]:not([aria-busy])').waitFor();
  }
  assert.equal(await told.count(), 1);
  calm(page, REFUSED);
  await page.context().close();
});
