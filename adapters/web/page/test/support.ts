import { WebSocket } from "ws";
import { StubServer, type StubOptions } from "../dev/stub_server.js";
import type { WirePosition } from "../dev/stub_topic.js";
import {
  LiveClient,
  nativePlatform,
  type ClientEvents,
  type Platform,
  type Socket,
} from "../src/client/index.js";

/** Waits until a condition holds; fails loudly when it does not within five seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The real network and real timers, with waits a hundred times shorter: these tests are about what happens. */
export function hastyPlatform(): Platform {
  const native = nativePlatform();
  return {
    ...native,
    after: (delay, run) => native.after(delay / 100, run),
    open: (url) => new WebSocket(url) as unknown as Socket,
  };
}

/** Everything a client told, by name of the event. */
export type Heard = { [Name in keyof ClientEvents]: ClientEvents[Name][] };

/** Keeps everything a client tells. */
export function listen(client: LiveClient): Heard {
  const heard: Heard = { connection: [], topic: [], subscribed: [], positions: [],
    removed: [], resumed: [], problem: [] };
  const keep = <Name extends keyof ClientEvents>(name: Name): void => {
    client.on(name, (event) => void heard[name].push(event));
  };
  (Object.keys(heard) as (keyof ClientEvents)[]).forEach(keep);
  return heard;
}

/** The times of the good positions of a device, in the order they were told. */
export function timesOf(heard: Heard, device: string): number[] {
  const moved = heard.positions.flatMap((event) => event.moved);
  return moved.filter((position) => position.device_id === device).map((position) => position.at);
}

/** A server and a client that follows `topics` of it. */
export async function scene(
  topics: readonly string[],
  options: StubOptions = {},
): Promise<{ server: StubServer; client: LiveClient; heard: Heard; end: () => Promise<void> }> {
  const server = await StubServer.start(options);
  const client = new LiveClient({ url: server.url, platform: hastyPlatform() });
  const heard = listen(client);
  for (const topic of topics) client.subscribe(topic);
  client.connect();
  const end = async (): Promise<void> => {
    client.close();
    await server.stop();
  };
  return { server, client, heard, end };
}

/** A good position, `second` seconds after noon. */
export function position(device_id: string, second: number, more: Partial<WirePosition> = {}): WirePosition {
  const ts = new Date(Date.UTC(2026, 4, 1, 12, 0, second)).toISOString();
  return { device_id, ts, latitude: 54.7, longitude: 25.3, faulty: false, ...more };
}

/** The moment `second` seconds after noon, as a client tells it. */
export function noonPlus(second: number): number {
  return Date.UTC(2026, 4, 1, 12, 0, second);
}
