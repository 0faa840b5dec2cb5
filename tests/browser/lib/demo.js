// The demo's page as a visitor uses it.

import assert from 'node:assert/strict';
import { openPage } from './browser.js';

/** For what takes a moment on a busy machine, in milliseconds. */
const PATIENCE = 20_000;

export class Demo {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
  }

  /** Opens the demo, as a new visitor or, with a hash, as one who comes back. */
  static async open(browser, server, { hash = '', ...options } = {}) {
    const page = await openPage(browser, { viewport: { width: 1440, height: 960 }, locale: 'en-GB', ...options });
    page.setDefaultTimeout(PATIENCE);
    const demo = new Demo(page);
    await page.goto(`${server.url}/demo/${hash}`);
    await demo.ready();
    return demo;
  }

  async ready() {
    await this.page.waitForSelector('html[data-ready]', { timeout: PATIENCE * 2 });
  }

  close() {
    return this.page.context().close();
  }

  async reload() {
    await this.page.reload();
    await this.ready();
  }

  get hash() {
    return new URL(this.page.url()).hash;
  }

  device(name) {
    return this.page.locator(`.device[data-device=${name}]`);
  }

  button(device, kind) {
    return this.device(device).locator(`button.${kind}:visible`);
  }

  row(device, title) {
    const name = this.page.getByText(title, { exact: true });
    return this.device(device).locator('.row:not(.leaving)').filter({ has: name });
  }

  /** The titles that a device lists, top down. */
  titles(device) {
    return this.device(device).locator('.row:not(.leaving) .about b').allTextContents();
  }

  /** Waits until a device lists these, in any order. */
  async lists(device, titles) {
    const wanted = [...titles].sort();
    const isIt = async () => JSON.stringify((await this.titles(device)).sort()) === JSON.stringify(wanted);
    const end = Date.now() + PATIENCE;
    while (!(await isIt()) && Date.now() < end) await this.page.waitForTimeout(20);
    assert.deepEqual((await this.titles(device)).sort(), wanted, `the ${device} lists`);
  }

  async follow(devices, titles) {
    for (const device of devices) await this.lists(device, titles);
  }

  /** The newest entry of the timeline that says this. */
  event(text) {
    return this.page.locator('#timeline .event').filter({ hasText: text }).first();
  }

  mark(text, device) {
    return this.event(text).locator(`.marks [data-device=${device}]`);
  }

  /** Waits for what a device's mark says. */
  async marked(text, device, pattern) {
    const mark = this.mark(text, device).filter({ hasText: pattern });
    await mark.waitFor();
    return mark.textContent();
  }

  async plug(device, state) {
    await this.button(device, 'plug').click();
    await this.device(device).locator(`.state[data-state=${state}]`).waitFor();
  }

  async openChat(device, title) {
    await this.row(device, title).locator('.open').click();
    await this.device(device).locator('.chat:not(.home)').waitFor();
  }

  async say(device, text) {
    await this.device(device).locator('.composer input').fill(text);
    await this.device(device).locator('.composer input').press('Enter');
  }

  said(device, text) {
    return this.device(device).locator('.bubble').filter({ hasText: text });
  }

  /** Selects these on a device and deletes them. */
  async removeMany(device, titles, { clear }) {
    await this.button(device, 'select').click();
    for (const title of titles) await this.row(device, title).locator('.open').click();
    await this.device(device).locator('.choice .clear').setChecked(clear);
    await this.button(device, 'confirm').click();
  }

  async setSwitch(on) {
    const knob = this.page.locator('#switch');
    if ((await knob.getAttribute('aria-checked')) !== String(on)) await knob.click();
    await this.page.locator(`#switch[aria-checked=${on}]:enabled`).waitFor();
  }
}
