import assert from "node:assert/strict";
import { test } from "node:test";
import { noonPlus, position, scene, timesOf, until } from "./support.js";

const TOPIC = "event:1";

test("after a cut, every frame missed arrives once and in order", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  for (let second = 0; second < 10; second += 1) server.publish(TOPIC, [position("a", second)]);
  await until("frames came", () => client.mark(TOPIC)?.seq === 10);

  server.refusal = 503;
  server.cut();
  await until("cut", () => client.connection.state === "waiting");
  for (let second = 10; second < 30; second += 1) server.publish(TOPIC, [position("a", second)]);
  server.refusal = null;
  await until("resumed", () => heard.resumed.length === 1);
  server.publish(TOPIC, [position("a", 30)]);
  await until("live again", () => client.mark(TOPIC)?.seq === 31);

  assert.deepEqual(
    timesOf(heard, "a"),
    Array.from({ length: 31 }, (_, second) => noonPlus(second)),
  );
  assert.deepEqual(heard.resumed, [{ topic: TOPIC, replayed: 20 }]);
  assert.equal(heard.subscribed[1]?.resumption, "recovered");
  assert.deepEqual(heard.problem, []);
  await end();
});

test("a cut in which nothing happened resumes with nothing replayed", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  server.publish(TOPIC, [position("a", 0)]);
  await until("subscribed", () => client.mark(TOPIC)?.seq === 1);
  server.cut();
  await until("resumed", () => heard.resumed.length === 1);
  assert.deepEqual(heard.resumed, [{ topic: TOPIC, replayed: 0 }]);
  await end();
});

test("after a restart of the server there is a fresh snapshot, and no step back in time", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  server.publish(TOPIC, [position("a", 5), position("b", 5)]);
  await until("subscribed", () => timesOf(heard, "b").length === 1);
  server.newEpoch();
  server.cut();
  server.publish(TOPIC, [position("a", 4), position("b", 6)]);
  await until("fresh", () => heard.subscribed[1]?.resumption === "fresh");
  server.publish(TOPIC, [position("a", 7)]);
  await until("live", () => timesOf(heard, "a").length === 2);
  assert.deepEqual(timesOf(heard, "a"), [noonPlus(5), noonPlus(7)]);
  assert.deepEqual(timesOf(heard, "b"), [noonPlus(5), noonPlus(6)]);
  assert.equal(client.mark(TOPIC)?.epoch, "epoch-2");
  assert.equal(heard.resumed.length, 0);
  assert.equal(heard.subscribed[1]?.complete, true);
  await end();
});

test("when the frames missed are gone, a snapshot starts afresh", async () => {
  const { server, heard, client, end } = await scene([TOPIC], { history: 5 });
  server.publish(TOPIC, [position("a", 0)]);
  await until("subscribed", () => client.mark(TOPIC)?.seq === 1);
  server.refusal = 503;
  server.cut();
  await until("cut", () => server.viewers === 0);
  for (let second = 1; second < 20; second += 1) server.publish(TOPIC, [position("a", second)]);
  server.refusal = null;
  await until("fresh", () => heard.subscribed[1]?.resumption === "fresh");
  assert.deepEqual(timesOf(heard, "a"), [noonPlus(0), noonPlus(19)]);
  await end();
});

test("a frame lost on the way is asked for again, and nothing is shown out of order", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  server.publish(TOPIC, [position("a", 1)]);
  server.swallow(2);
  for (let second = 2; second <= 5; second += 1) server.publish(TOPIC, [position("a", second)]);
  await until("caught up", () => heard.resumed.length === 1 && client.mark(TOPIC)?.seq === 5);
  assert.deepEqual(timesOf(heard, "a"), [1, 2, 3, 4, 5].map(noonPlus));
  assert.equal(heard.problem[0]?.kind, "gap");
  assert.equal(server.upgrades, 1, "without a new connection");
  await end();
});

test("a server that leaves frames out time and again is asked once, then believed", async () => {
  const { server, client, heard, end } = await scene([TOPIC]);
  await until("subscribed", () => heard.subscribed.length === 1);
  server.swallow(1);
  server.publish(TOPIC, [position("a", 1)]);
  server.publish(TOPIC, [position("a", 2)]);
  await until("caught up", () => client.mark(TOPIC)?.seq === 2);
  server.swallow(1);
  server.publish(TOPIC, [position("a", 3)]);
  server.publish(TOPIC, [position("a", 4)]);
  await until("went on", () => client.mark(TOPIC)?.seq === 4);
  assert.deepEqual(timesOf(heard, "a"), [1, 2, 4].map(noonPlus));
  assert.equal(heard.problem.length, 2);
  assert.equal(server.received.filter((frame) => frame.type === "subscribe").length, 2);
  await end();
});

test("several topics are resumed each where it was", async () => {
  const { server, client, heard, end } = await scene(["event:1", "event:2"]);
  await until("both", () => heard.subscribed.length === 2);
  server.publish("event:1", [position("a", 1)]);
  server.publish("event:1", [position("a", 2)]);
  server.publish("event:2", [position("b", 1)]);
  await until("news of both", () => client.mark("event:1")?.seq === 2 && client.mark("event:2")?.seq === 1);
  server.cut();
  await until("both resumed", () => heard.resumed.length === 2);
  const asked = server.received.filter((frame) => frame.type === "subscribe").slice(2);
  assert.deepEqual(
    asked.map((frame) => frame.since),
    [
      { epoch: "epoch-1", seq: 2 },
      { epoch: "epoch-1", seq: 1 },
    ],
  );
  client.unsubscribe("event:2");
  await until("told", () => server.received.at(-1)?.type === "unsubscribe");
  server.publish("event:2", [position("b", 2)]);
  server.publish("event:1", [position("a", 3)]);
  await until("the other goes on", () => client.mark("event:1")?.seq === 3);
  assert.deepEqual(timesOf(heard, "b"), [noonPlus(1)]);
  await end();
});
