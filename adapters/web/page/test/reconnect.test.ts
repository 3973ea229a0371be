import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../src/client/backoff.js";
import { LiveClient } from "../src/client/index.js";
import { FakePlatform } from "./fake_platform.js";
import { listen, type Heard } from "./support.js";

function start(): { platform: FakePlatform; client: LiveClient; heard: Heard } {
  const platform = new FakePlatform();
  const client = new LiveClient({ url: "ws://test/live", platform });
  const heard = listen(client);
  client.subscribe("event:1");
  client.connect();
  return { platform, client, heard };
}

function delays(heard: Heard): number[] {
  return heard.connection.flatMap((state) => (state.state === "waiting" ? [state.delay] : []));
}

test("waits double up to half a minute, and chance shortens them by a half at most", () => {
  const waits = (chance: number): number[] => {
    const backoff = new Backoff(() => chance);
    return Array.from({ length: 7 }, () => backoff.next());
  };
  assert.deepEqual(waits(0), [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  assert.ok(waits(0.999_999).every((wait, index) => wait <= Math.min(1_000 * 2 ** index, 30_000)));
});

test("a server that refuses is asked ever more seldom", () => {
  const { platform, client, heard } = start();
  for (let i = 0; i < 6; i += 1) {
    platform.socket.end(1006);
    platform.pass(delays(heard).at(-1) ?? 0);
  }
  assert.deepEqual(delays(heard), [750, 1_500, 3_000, 6_000, 12_000, 22_500]);
  assert.equal(platform.sockets.length, 7);
  assert.equal(client.connection.state, "connecting");
});

test("waits begin small again only after a connection was stable", () => {
  const { platform, heard } = start();
  platform.socket.end(1006);
  platform.pass(1_000);
  platform.socket.accept();
  platform.pass(9_000);
  platform.socket.end(1006);
  platform.pass(2_000);
  platform.socket.accept();
  platform.pass(11_000);
  platform.socket.end(1006);
  assert.deepEqual(delays(heard), [750, 1_500, 750]);
});

test("1001 comes back within two seconds, once", () => {
  const { platform, heard } = start();
  platform.socket.accept();
  platform.pass(11_000);
  platform.socket.end(1001);
  platform.pass(2_000);
  assert.equal(platform.sockets.length, 2);
  platform.socket.accept();
  platform.socket.end(1001);
  assert.deepEqual(delays(heard), [1_150, 750], "a server that goes away time and again is not there");
});

test("4401 says to sign in, tries soon once, then slowly, and at once when asked", () => {
  const { platform, client } = start();
  platform.socket.accept();
  platform.socket.end(4401);
  assert.deepEqual(client.connection, { state: "signed_out", delay: 750 });
  platform.pass(1_000);
  assert.equal(platform.sockets.length, 2, "a refreshed cookie would have worked");
  platform.socket.end(1006);
  assert.deepEqual(client.connection, { state: "signed_out", delay: 45_000 });
  platform.pass(44_000);
  assert.equal(platform.sockets.length, 2);
  client.retry();
  assert.equal(platform.sockets.length, 3);
  platform.socket.accept();
  assert.equal(client.connection.state, "open");
  assert.equal(platform.socket.sent[0]?.["type"], "subscribe");
});

test("4403 stops; only asking goes on", () => {
  const { platform, client, heard } = start();
  platform.socket.accept();
  platform.socket.end(4403);
  platform.pass(3_600_000);
  assert.equal(client.connection.state, "withdrawn");
  assert.equal(heard.topic.at(-1)?.state, "refused");
  assert.equal(platform.sockets.length, 1);
  client.retry();
  platform.socket.accept();
  assert.equal(platform.socket.sent.length, 1);
});

test("4403 that names a topic leaves the others", () => {
  const { platform, client } = start();
  client.subscribe("event:2");
  platform.socket.accept();
  platform.socket.end(4403, "event:1");
  platform.pass(2_000);
  platform.socket.accept();
  assert.deepEqual(
    platform.socket.sent.map((frame) => frame["topic"]),
    ["event:2"],
  );
});

test("4400 does not come back by itself", () => {
  const { platform, client } = start();
  platform.socket.accept();
  platform.socket.end(4400, "bad message");
  platform.pass(3_600_000);
  assert.deepEqual(client.connection, { state: "stopped", code: 4400, reason: "bad message" });
  assert.equal(platform.sockets.length, 1);
});

test("4408 comes back, 4429 only after a while", () => {
  const { platform, heard } = start();
  platform.socket.accept();
  platform.socket.end(4408);
  platform.pass(1_000);
  platform.socket.accept();
  platform.socket.end(4429);
  assert.deepEqual(delays(heard), [750, 6_500]);
});

test("silence is asked about, and a server that does not answer is left", () => {
  const { platform, client, heard } = start();
  const first = platform.socket;
  first.accept();
  platform.pass(39_000);
  first.say({ type: "pong" });
  platform.pass(39_000);
  assert.equal(first.sent.filter((frame) => frame["type"] === "ping").length, 0);
  platform.pass(2_000);
  assert.equal(first.sent.at(-1)?.["type"], "ping");
  first.say({ type: "pong", uid: first.sent.at(-1)?.["uid"] });
  platform.pass(41_000);
  assert.equal(first.sent.filter((frame) => frame["type"] === "ping").length, 2);
  client.check();
  platform.pass(9_500);
  assert.equal(first.closed, true);
  assert.equal(client.connection.state, "waiting");
  first.end(1006);
  platform.pass(1_000);
  assert.equal(platform.sockets.length, 2);
  assert.deepEqual(delays(heard), [750]);
});

test("a connection that does not open in time is given up", () => {
  const { platform, client } = start();
  platform.pass(15_000);
  assert.equal(platform.socket.closed, true);
  assert.equal(client.connection.state, "waiting");
});

test("closing stays closed", () => {
  const { platform, client } = start();
  platform.socket.accept();
  client.close();
  platform.pass(3_600_000);
  assert.equal(client.connection.state, "idle");
  assert.equal(platform.sockets.length, 1);
});

test("a subscription that is refused for now is asked for again, one refused for good is not", () => {
  const { platform, heard } = start();
  platform.socket.accept();
  const refuse = (temporary: boolean): void => {
    const uid = platform.socket.sent.filter((frame) => frame["type"] === "subscribe").at(-1)?.["uid"];
    const error = { code: "unavailable", message: "", temporary };
    platform.socket.say({ type: "error", topic: "event:1", uid, error });
  };
  const asked = (): number => platform.socket.sent.filter((frame) => frame["type"] === "subscribe").length;
  refuse(true);
  platform.pass(1_000);
  assert.equal(asked(), 2);
  refuse(false);
  platform.pass(35_000);
  assert.equal(asked(), 2);
  assert.deepEqual(
    heard.topic.map((event) => event.state),
    ["pending", "pending", "retrying", "pending", "refused"],
  );
});

test("a subscription that is not answered is asked for again, and the late answer does not count", () => {
  const { platform, heard } = start();
  const { socket } = platform;
  socket.accept();
  platform.pass(21_000);
  const [first, , second] = socket.sent;
  assert.equal(second?.["type"], "subscribe");
  const answer = { type: "subscribed", topic: "event:1", epoch: "e", recovered: false, snapshot: [] };
  socket.say({ ...answer, uid: first?.["uid"], seq: 1 });
  assert.equal(heard.subscribed.length, 0);
  socket.say({ ...answer, uid: second?.["uid"], seq: 2 });
  assert.equal(heard.subscribed.length, 1);
});
