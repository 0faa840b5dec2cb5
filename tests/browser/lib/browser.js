// Headless Chromium, as a user has it: no flags that make pages behave otherwise.

import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** Where screenshots are put for review. */
const SCREENSHOTS = process.env.SCREENSHOTS ?? new URL('../screenshots/', import.meta.url).pathname;

/** @param {...string} more arguments: names that lead to this machine, for example */
export async function startBrowser(...more) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--no-first-run', ...more,
    ],
  });
}

/** A page whose console errors, exceptions and policy violations fail the test that closes it with `calm`. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.complaints = complaints;
  return page;
}

/** Nothing was complained of but what matches `expected`. */
export function calm(page, ...expected) {
  const rest = page.complaints.filter((complaint) => !expected.some((pattern) => pattern.test(complaint)));
  assert.deepEqual(rest, []);
}

export async function screenshot(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** No serious or critical violation of the accessibility rules on the page as it is now. */
export async function accessible(page) {
  // What is just fading in has too little contrast for an instant; the page is looked at standing still.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  // The page's policy allows no foreign script; evaluated as the debugger does, it is not one.
  const { readFileSync } = await import('node:fs');
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  });
  await page.emulateMedia({ reducedMotion: null });
  assert.deepEqual(found, []);
}
