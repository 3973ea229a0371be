import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../src/page/config.js";
import * as format from "../src/page/format.js";
import { FrameMeter } from "../src/page/frame_meter.js";
import { Occupancy } from "../src/page/occupancy.js";
import { ServerClock } from "../src/page/server_clock.js";
import { advice, standing, standingText } from "../src/page/standing.js";

test("the configuration is read with everything in it", () => {
  const config = readConfig(
    {
      event: "demo",
      events: [{ id: "demo", name: "Rally" }, { id: 7 }, {}],
      socket: "/live",
      tile_url: "https://tiles.example/{z}/{x}/{y}.png",
      tile_attribution: "© them",
      route: [[54.7, 25.3], [91, 0], "no", [54.8, 25.4]],
      devices: { "1": { label: "#12 Berg", colour: "#ff0000" }, "2": {} },
    },
    "https://rally.example/map/?event=x",
  );
  assert.equal(config.socket, "wss://rally.example/live");
  assert.deepEqual(config.events, [
    { id: "demo", name: "Rally" },
    { id: "7", name: "7" },
  ]);
  assert.deepEqual(config.route, [
    [54.7, 25.3],
    [54.8, 25.4],
  ]);
  assert.deepEqual(config.devices.get("1"), { label: "#12 Berg", colour: "#ff0000" });
  assert.deepEqual(config.devices.get("2"), { label: null, colour: null });
});

test("a configuration of which nothing makes sense still shows a map", () => {
  for (const value of [null, [], 1, "x", { route: 1, devices: [1], events: {}, socket: 3, tile_url: "" }]) {
    const config = readConfig(value, "http://localhost:8081/");
    assert.equal(config.socket, "ws://localhost:8081/live");
    assert.equal(config.event, null);
    assert.equal(config.tileUrl, null);
    assert.equal(config.route.length, 0);
  }
});

test("the socket may be elsewhere", () => {
  assert.equal(
    readConfig({ socket: "wss://live.example/live" }, "https://a.example/").socket,
    "wss://live.example/live",
  );
});

test("numbers read as people say them", () => {
  assert.deepEqual([0, 999, 1_000, 59_999, 60_000, 7_200_000, 200_000_000].map(format.age), [
    ...["now", "now", "1 s", "59 s", "1 min", "2 h", "2 d"],
  ]);
  assert.deepEqual([-300, 840, 9_949, 12_400].map(format.delay), ["0.0 s", "0.8 s", "9.9 s", "12 s"]);
  assert.deepEqual([0, 44, 214, 359.7].map(format.heading), ["0° N", "44° NE", "214° SW", "0° N"]);
  assert.equal(format.speed(undefined), "–");
  assert.equal(format.coordinates(-54.7146368, 25.3032245), "54.71464° S  25.30322° E");
});

test("the meter tells frames per second and the median delay", () => {
  const meter = new FrameMeter();
  assert.equal(meter.delay(0), null);
  meter.restart(0);
  for (let now = 250; now <= 20_000; now += 250) meter.frame(now, now - (now === 20_000 ? 9_000 : 400));
  assert.ok(Math.abs(meter.rate(20_000) - 4) < 0.2);
  assert.equal(meter.delay(20_000), 400);
  assert.equal(meter.delay(30_000), 30_000 - 19_350, "in silence the delay grows");
  assert.equal(meter.rate(31_000), 0);
});

test("the server's clock is believed when this machine's is far off", () => {
  const asked = Date.parse("2026-05-01T12:00:00.000Z");
  assert.equal(ServerClock.compare("Fri, 01 May 2026 12:00:00 GMT", asked, asked + 800).offset, 0);
  assert.equal(ServerClock.compare("Fri, 01 May 2026 12:05:00 GMT", asked, asked + 1_000).offset, 300_000);
  assert.equal(ServerClock.compare(null, asked, asked).offset, 0);
});

test("labels do not lie on each other", () => {
  const taken = new Occupancy();
  assert.equal(taken.take({ x: -20, y: 10, width: 100, height: 14 }), true);
  assert.equal(taken.take({ x: 79, y: 23, width: 40, height: 14 }), false);
  assert.equal(taken.take({ x: 80, y: 10, width: 40, height: 14 }), true);
  taken.block({ x: 300, y: 300, width: 14, height: 14 });
  assert.equal(taken.take({ x: 290, y: 305, width: 40, height: 14 }), false);
});

test("the page is live only when the topic is, and says what else it is", () => {
  assert.equal(standing({ state: "open" }, "live", true), "live");
  assert.equal(standing({ state: "open" }, "pending", false), "connecting");
  assert.equal(standing({ state: "open" }, "pending", true), "reconnecting");
  assert.equal(standing({ state: "open" }, "refused", true), "no-access");
  assert.equal(standing({ state: "signed_out", delay: 0 }, "live", true), "signed-out");
  assert.equal(standing({ state: "withdrawn" }, "refused", true), "no-access");
  assert.equal(standing({ state: "stopped", code: 4400, reason: "" }, "pending", true), "stopped");
  assert.equal(standingText("reconnecting", 2_100), "Reconnecting in 3 s");
  const refused = { state: "waiting", delay: 1, code: 1006, refused: 3 } as const;
  assert.equal(standing(refused, "pending", false), "reconnecting");
  assert.match(advice("reconnecting", refused), /signed in/);
});
