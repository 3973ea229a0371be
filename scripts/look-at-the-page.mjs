// Signs in to Directus as the viewer, opens the page of the rally, and waits until cars move. Needs chromedriver and
// chromium (PROCESSOR_TEST_CHROMEDRIVER, PROCESSOR_TEST_CHROMIUM).
//
//   VIEWER_EMAIL=… VIEWER_PASSWORD=… node scripts/look-at-the-page.mjs PICTURE.png
//
// DIRECTUS_URL [http://localhost:8055] and LIVE_URL [http://localhost:8081] say where they are: by the same host name,
// for the browser sends the cookie of the one to the other.

import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const DIRECTUS = process.env.DIRECTUS_URL || 'http://localhost:8055';
const LIVE = process.env.LIVE_URL || 'http://localhost:8081';
const EVENT = 'a0000000-0000-4000-8000-000000000001';
const CARS = 36;
const PORT = 9517;
const DEADLINE = 300_000; // milliseconds until all of it is up

const CAR_LIST = `return [...document.querySelectorAll('#list [data-device]')]
  .map(({ dataset }) => [dataset.device, dataset.lat, dataset.lon])`;

class Browser {
  #process;
  #session;

  async start() {
    this.#process = spawn(process.env.PROCESSOR_TEST_CHROMEDRIVER || 'chromedriver', [`--port=${PORT}`]);
    await until('chromedriver answers', async () => (await fetch(`http://127.0.0.1:${PORT}/status`)).ok);
    const args = ['--headless=new', '--window-size=1280,800', '--disable-dev-shm-usage'];
    // The browser refuses to run as root with its own sandbox.
    if (process.getuid() === 0) args.push('--no-sandbox');
    const options = { args };
    if (process.env.PROCESSOR_TEST_CHROMIUM) options.binary = process.env.PROCESSOR_TEST_CHROMIUM;
    const { sessionId } = await this.#ask('POST', '/session', {
      capabilities: { alwaysMatch: { 'goog:chromeOptions': options } },
    });
    this.#session = `/session/${sessionId}`;
  }

  async #ask(method, path, body) {
    const answer = await fetch(`http://127.0.0.1:${PORT}${path}`, { method, body: JSON.stringify(body) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${value.message}`);
    return value;
  }

  open(url) {
    return this.#ask('POST', `${this.#session}/url`, { url });
  }

  /** What the script returns; a promise is waited for. */
  run(script, ...args) {
    return this.#ask('POST', `${this.#session}/execute/sync`, { script, args });
  }

  async picture() {
    return Buffer.from(await this.#ask('GET', `${this.#session}/screenshot`), 'base64');
  }

  async end() {
    if (this.#session) await this.#ask('DELETE', this.#session).catch(() => undefined);
    this.#process.kill();
  }
}

/** Looks until there is something to be seen. */
async function until(what, look) {
  const latest = Date.now() + DEADLINE;
  for (;;) {
    let seen;
    try {
      seen = await look();
      if (seen) return seen;
    } catch (error) {
      seen = error.message;
    }
    if (Date.now() > latest) throw new Error(`not in time: ${what}; last seen: ${JSON.stringify(seen)}`);
    await setTimeout(500);
  }
}

async function look(browser, picture) {
  const { VIEWER_EMAIL: email, VIEWER_PASSWORD: password } = process.env;
  await until('Processor is ready', async () => (await fetch(LIVE)).ok);

  await browser.open(`${LIVE}/?event=${EVENT}`);
  const state = () => browser.run("return document.querySelector('#status').dataset.state");
  // A browser does not tell a page why it was not let in.
  const outside = ['reconnecting', 'signed-out'];
  await until('a stranger is not let in', async () => outside.includes(await state()));
  console.log(`without a session: ${await state()}, ${(await browser.run(CAR_LIST)).length} cars`);

  await browser.open(`${DIRECTUS}/server/ping`);
  const signIn = `return fetch('/auth/login', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: arguments[0], password: arguments[1], mode: 'session' }),
  }).then((answer) => answer.status)`;
  const status = await browser.run(signIn, email, password);
  if (status !== 200) throw new Error(`Directus answered ${status} to ${email}`);
  console.log(`signed in as ${email}`);

  await browser.open(`${LIVE}/?event=${EVENT}`);
  await until('the page is live', async () => (await state()) === 'live');
  const before = await until('all cars are on the list', async () => {
    const cars = await browser.run(CAR_LIST);
    return cars.length === CARS && cars;
  });
  const moved = await until('half of the cars have moved', async () => {
    const now = new Map((await browser.run(CAR_LIST)).map(([device, ...place]) => [device, place.join()]));
    const count = before.filter(([device, ...place]) => now.get(device) !== place.join()).length;
    return count > CARS / 2 && count;
  });
  const { frames, problems } = await browser.run(
    'const { frames, problems } = window.__processor; return { frames, problems };',
  );
  console.log(`${before.length} cars, ${moved} of them moved within ${frames} frames`);
  console.log(`problems: ${JSON.stringify(problems)}`);
  await writeFile(picture, await browser.picture());
  console.log(`picture: ${picture}`);
}

const browser = new Browser();
try {
  await browser.start();
  await look(browser, process.argv[2] || 'page.png');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.end();
}
