// Gives a Directus what Processor asks of it, and a rally to show: the collections of schema.json; a role whose
// users see the events they were let in to, and no other; a viewer who was let in to one of two events; and in
// these events the cars that the simulator drives.
//
//   node bootstrap.mjs
//
// Adds what is missing and changes nothing that is there: it may run again at any time. Settings are environment
// variables: DIRECTUS_URL [http://localhost:8055], ADMIN_EMAIL and ADMIN_PASSWORD (the same that Directus was
// given), VIEWER_EMAIL [viewer@example.com], VIEWER_PASSWORD.

import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const DEADLINE = 120_000; // milliseconds for Directus to be there

const OPEN_EVENT = 'a0000000-0000-4000-8000-000000000001';
const CLOSED_EVENT = 'a0000000-0000-4000-8000-000000000002';
const CARS_IN_OPEN_EVENT = 36; // the others drive in the closed one

const POLICY = 'b0000000-0000-4000-8000-000000000001';
const ROLE = 'b0000000-0000-4000-8000-000000000002';

class Directus {
  #url;
  #token;

  constructor(url) {
    this.#url = url.replace(/\/+$/, '');
  }

  async waitUntilThere() {
    const latest = Date.now() + DEADLINE;
    for (;;) {
      const answer = await fetch(`${this.#url}/server/ping`).then((pong) => pong.text(), String);
      if (answer === 'pong') return;
      if (Date.now() > latest) throw new Error(`no Directus at ${this.#url}: ${answer.slice(0, 200)}`);
      await setTimeout(500);
    }
  }

  async signIn(email, password) {
    const { access_token } = await this.ask('POST', '/auth/login', { email, password });
    this.#token = access_token;
  }

  /** The data of the answer, undefined if it has none. */
  async ask(method, path, body) {
    const headers = { 'Content-Type': 'application/json' };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    const answer = await fetch(this.#url + path, { method, headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 500)}`);
    return text ? JSON.parse(text).data : undefined;
  }

  /** Adds those rows that no row there is like in all of the columns `key`. Returns the rows there, with id. */
  async ensure(path, key, rows) {
    const nameOf = (row) => JSON.stringify(key.map((column) => row[column] ?? null));
    const there = () => this.ask('GET', `${path}?limit=-1&fields=${['id', ...key].join(',')}`);
    const known = new Set((await there()).map(nameOf));
    const missing = rows.filter((row) => !known.has(nameOf(row)));
    if (missing.length > 0) await this.ask('POST', path, missing);
    console.log(`${path}: ${missing.length} added, ${rows.length - missing.length} there`);
    return there();
  }
}

/** Makes collections, fields and relations that are not there. Edits and removals are left to a person. */
async function ensureSchema(directus) {
  const schema = JSON.parse(await readFile(new URL('schema.json', import.meta.url), 'utf8'));
  // Forced, so that another version of Directus takes it too.
  const difference = await directus.ask('POST', '/schema/diff?force=true', schema);
  const added = (changes) => changes.filter(({ diff }) => diff[0].kind === 'N');
  const { collections = [], fields = [], relations = [] } = difference?.diff ?? {};
  const diff = {
    collections: added(collections),
    fields: added(fields),
    systemFields: [],
    relations: added(relations),
  };
  const count = diff.collections.length + diff.fields.length + diff.relations.length;
  if (count > 0) await directus.ask('POST', '/schema/apply?force=true', { hash: difference.hash, diff });
  console.log(`schema: ${count} collections, fields and relations added`);
}

/** Returns the id of the viewer. */
async function ensureViewer(directus, email, password) {
  await directus.ensure('/policies', ['id'], [
    // Access to the app lets a viewer sign in at Directus' own page.
    { id: POLICY, name: 'Watch events', icon: 'visibility', app_access: true, admin_access: false },
  ]);
  await directus.ensure('/permissions', ['policy', 'collection', 'action'], [
    {
      policy: POLICY,
      collection: 'events',
      action: 'read',
      fields: ['id', 'name'],
      permissions: { viewers: { user_id: { _eq: '$CURRENT_USER' } } },
    },
  ]);
  await directus.ensure('/roles', ['id'], [
    { id: ROLE, name: 'Viewer', icon: 'visibility', policies: [{ policy: POLICY }] },
  ]);
  const users = await directus.ensure('/users', ['email'], [{ email, password, role: ROLE, first_name: 'Viewer' }]);
  return users.find((user) => user.email === email).id;
}

async function ensureRally(directus, viewer) {
  const cars = JSON.parse(await readFile(new URL('cars.json', import.meta.url), 'utf8'));
  const id = (kind, number) => `${kind}-0000-4000-8000-${String(number).padStart(12, '0')}`;
  await directus.ensure('/items/events', ['id'], [
    { id: OPEN_EVENT, name: 'Rally of Birds and Trees' },
    { id: CLOSED_EVENT, name: 'Test day behind closed gates' },
  ]);
  await directus.ensure('/items/event_viewers', ['event_id', 'user_id'], [
    { event_id: OPEN_EVENT, user_id: viewer },
  ]);
  const devices = await directus.ensure('/items/devices', ['imei'], cars.map(({ number, imei, colour }) => (
    { id: id('d0000000', number), imei, label: `Car ${number}`, colour }
  )));
  await directus.ensure('/items/entries', ['id'], cars.map(({ number, crew }) => {
    const event_id = number <= CARS_IN_OPEN_EVENT ? OPEN_EVENT : CLOSED_EVENT;
    return { id: id('e0000000', number), event_id, number, crew };
  }));
  const device = new Map(devices.map(({ id, imei }) => [imei, id]));
  await directus.ensure('/items/entry_devices', ['entry_id', 'device_id'], cars.map(({ number, imei }) => (
    { entry_id: id('e0000000', number), device_id: device.get(imei) }
  )));
}

function setting(name, otherwise) {
  const value = process.env[name] || otherwise;
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

async function main() {
  const directus = new Directus(setting('DIRECTUS_URL', 'http://localhost:8055'));
  const admin = [setting('ADMIN_EMAIL'), setting('ADMIN_PASSWORD')];
  const viewer = [setting('VIEWER_EMAIL', 'viewer@example.com'), setting('VIEWER_PASSWORD')];
  await directus.waitUntilThere();
  await directus.signIn(...admin);
  await ensureSchema(directus);
  await ensureRally(directus, await ensureViewer(directus, ...viewer));
}

main().catch((error) => {
  console.error(`bootstrap: ${error.message}`);
  process.exitCode = 1;
});
