// A server of one's own for each test file: a process, a folder, a free port.

import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = new URL('../../../', import.meta.url).pathname;
/** The program under test; the debug build unless CHATSYNC says otherwise. */
const PROGRAM = process.env.CHATSYNC ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'debug/chatsync');

export const APP = 1400000001;

/** What the machine that runs the tests has set is not what is tested. */
function clean(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('CHATSYNC__')));
}

export class Server {
  #child;
  #folder = mkdtempSync(join(tmpdir(), 'chatsync-'));
  #environment;

  /** Starts as a new user's would: an app and an operator are made and their secrets printed. */
  static async start(environment = {}) {
    const server = new Server();
    server.#environment = {
      ...clean(process.env),
      CHATSYNC__STORE__PATH: join(server.#folder, 'data'),
      CHATSYNC__SERVER__LISTEN: '127.0.0.1:0',
      ...environment,
    };
    await server.run();
    return server;
  }

  /** Starts the process, again after `kill`; the same store, the same port. */
  async run() {
    this.#child = spawn(PROGRAM, ['serve'], { cwd: this.#folder, env: this.#environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = new Promise((_, reject) => {
      this.#child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
      this.#child.once('error', reject);
    });
    gone.catch(() => {});
    const lines = createInterface({ input: this.#child.stdout });
    const greeted = new Promise((resolve) => {
      lines.on('line', (line) => {
        const url = /^listening on (http:.*)$/.exec(line)?.[1];
        if (url) {
          this.url = url;
          this.#environment.CHATSYNC__SERVER__LISTEN = new URL(url).host;
          // The rest of the greeting comes in the same write.
          setTimeout(resolve, 20);
        }
        this.password = /operator\s+admin, password (\S+)/.exec(line)?.[1] ?? this.password;
        this.secretKey = /secret key\s+(\S+)/.exec(line)?.[1] ?? this.secretKey;
      });
    });
    await Promise.race([greeted, gone]);
  }

  /** `ws://…/ws` */
  get socket() {
    return `${this.url.replace('http', 'ws')}/ws`;
  }

  /** Runs `chatsync` with these arguments beside the server and returns what it printed. */
  command(...words) {
    return execFileSync(PROGRAM, words, { cwd: this.#folder, env: this.#environment, encoding: 'utf8' }).trim();
  }

  userSig(user, app = APP) {
    return this.command('usersig', '--app', String(app), '--user', user);
  }

  /** The switch, as an operator sets it. */
  syncDeletions(on, app = APP) {
    this.command('app', 'set', '--app', String(app), `sync-conversation-deletion=${on ? 'on' : 'off'}`);
  }

  /** As a power cut would: no goodbye. */
  async kill(signal = 'SIGKILL') {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async stop() {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
