import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMoment } from "../src/client/moment.js";
import { readFrame } from "../src/client/read_frame.js";
import { noonPlus, position, scene, timesOf, until } from "./support.js";

const TOPIC = "event:1";

test("per device, time only moves forward", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  for (const second of [3, 1, 3, 2, 4])
    server.publish(TOPIC, [position("a", second), position("b", 9 - second)]);
  await until("all came", () => client.mark(TOPIC)?.seq === 5);
  assert.deepEqual(timesOf(heard, "a"), [3, 4].map(noonPlus));
  assert.deepEqual(timesOf(heard, "b"), [6, 8].map(noonPlus));
  assert.equal(heard.positions.flatMap((event) => event.outdated).length, 6);
  await end();
});

test("a faulty position moves nothing but is told, and its time does not count", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  server.publish(TOPIC, [position("a", 1)]);
  server.publish(TOPIC, [
    position("a", 9_999, { faulty: true, faults: ["future"], latitude: 0, longitude: 0 }),
  ]);
  server.publish(TOPIC, [position("a", 2, { faults: ["low_quality"] })]);
  await until("all came", () => client.mark(TOPIC)?.seq === 3);
  assert.deepEqual(timesOf(heard, "a"), [1, 2].map(noonPlus));
  const faulty = heard.positions.flatMap((event) => event.faulty);
  assert.deepEqual(
    faulty.map((one) => one.faults),
    [["future"]],
  );
  await end();
});

test("a conflated frame leaves no gap, and devices that left are told", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  const frame = { type: "positions", topic: TOPIC, seq: 7, conflated: true, removed: ["b", 1], positions: [] };
  server.say(JSON.stringify(frame));
  await until("came", () => client.mark(TOPIC)?.seq === 7);
  assert.deepEqual(heard.removed, [{ topic: TOPIC, devices: ["b"] }]);
  assert.equal(heard.problem.length, 0);
  await end();
});

test("a car that is told to be gone may be where it was before", async () => {
  const { server, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  server.publish(TOPIC, [position("a", 5)]);
  await until("came", () => timesOf(heard, "a").length === 1);
  const back = { type: "positions", topic: TOPIC, seq: 2, removed: ["a"], positions: [position("a", 2)] };
  server.say(JSON.stringify(back));
  await until("went back", () => timesOf(heard, "a").length === 2);
  assert.deepEqual(timesOf(heard, "a"), [5, 2].map(noonPlus));
  await end();
});

test("bad messages are reported and do no harm", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  const bad = ["", "[]", "null", "{", '{"type":"later"}', '{"type":"positions","topic":"event:1","seq":"1"}'];
  bad.forEach((text) => server.say(text));
  server.publish(TOPIC, [position("a", 1), { ...position("b", 1), latitude: Number.NaN }, position("c", 1)]);
  await until("went on", () => client.mark(TOPIC)?.seq === 1);
  assert.equal(heard.problem.length, bad.length + 1);
  assert.ok(heard.problem.every((problem) => problem.kind === "bad_frame"));
  assert.equal(timesOf(heard, "a").length + timesOf(heard, "c").length, 2);
  assert.equal(timesOf(heard, "b").length, 0);
  await end();
});

test("nothing a server can say makes reading throw", () => {
  const pieces = [
    null,
    0,
    -1,
    1e300,
    "",
    "x",
    [],
    {},
    [null],
    [{}],
    true,
    "positions",
    "subscribed",
    "error",
  ];
  const names = ["type", "topic", "seq", "epoch", "recovered", "snapshot", "positions", "error", "uid"];
  for (const type of ["positions", "subscribed", "error", "unsubscribed", "pong"]) {
    for (const name of names) {
      for (const piece of pieces) {
        const whole = { type, topic: "t", seq: 1, epoch: "e", recovered: false, snapshot: [], positions: [] };
        const reading = readFrame(JSON.stringify({ ...whole, [name]: piece }));
        assert.ok(reading.frame !== null || reading.problems.length > 0);
      }
    }
  }
  for (const data of [undefined, 1, new ArrayBuffer(1), "\u0000"]) assert.equal(readFrame(data).frame, null);
});

test("what is not known of a position is left out, not zero", () => {
  const wire = { ...position("a", 1), altitude: null, angle: "12", speed: 0 };
  const { frame } = readFrame(JSON.stringify({ type: "positions", topic: "t", seq: 1, positions: [wire] }));
  assert.ok(frame?.type === "positions");
  const read = frame.positions[0];
  assert.ok(read !== undefined);
  assert.equal("altitude" in read, false);
  assert.equal("angle" in read, false);
  assert.equal(read.speed, 0);
});

test("coordinates beyond the poles are believed only of a faulty position", () => {
  const read = (faulty: boolean): readonly string[] => {
    const positions = [position("a", 1, { latitude: 91, faulty })];
    return readFrame(JSON.stringify({ type: "positions", topic: "t", seq: 1, positions })).problems;
  };
  assert.deepEqual(read(true), []);
  assert.deepEqual(read(false), ["position 0: coordinates out of range"]);
});

test("a moment keeps its microseconds and needs a zone", () => {
  assert.equal(parseMoment("1970-01-01T00:00:01Z"), 1_000);
  assert.equal(parseMoment("1970-01-01T02:00:00.5+02:00"), 500);
  assert.equal(parseMoment("1970-01-01T00:00:00.000250Z"), 0.25);
  const [a, b] = ["2026-05-01T10:00:00.123456Z", "2026-05-01T10:00:00.123457Z"].map(parseMoment);
  assert.ok(typeof a === "number" && typeof b === "number" && a < b);
  for (const text of ["", "2026-05-01T10:00:00", "2026-05-01", "2026-13-01T10:00:00Z", "1777629600000"]) {
    assert.equal(parseMoment(text), null, text);
  }
});
