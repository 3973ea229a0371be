import assert from "node:assert/strict";
import { test } from "node:test";
import type { Position } from "../src/client/index.js";
import { ageOf, Cars, faultsOf, isFresh, OLD } from "../src/page/cars.js";
import { comparison, matches, type Named } from "../src/page/order.js";
import { Trail, TRAIL } from "../src/page/trail.js";
import { noonPlus, position } from "./support.js";

function fix(id: string, second: number, more: Partial<Position> = {}): Position {
  return { ...position(id, second), at: noonPlus(second), faults: [], ...more };
}

function bad(id: string, second: number, ...faults: string[]): Position {
  return fix(id, second, { faulty: true, faults, latitude: 0, longitude: 0 });
}

test("a faulty record moves no car and marks it until a good one comes", () => {
  const cars = new Cars();
  cars.apply([fix("a", 1)], []);
  const before = { ...cars.get("a") };
  cars.apply([], [bad("a", 2, "no_fix")]);
  const car = cars.get("a");
  assert.ok(car !== undefined);
  assert.deepEqual([car.x, car.y, car.fix], [before.x, before.y, before.fix]);
  assert.deepEqual(faultsOf(car), ["no_fix"]);
  cars.apply([fix("a", 3)], []);
  assert.deepEqual(faultsOf(car), []);
});

test("a faulty record from before the fix marks nothing, unless its clock is what is wrong", () => {
  const cars = new Cars();
  cars.apply([fix("a", 10)], [bad("a", 5, "no_fix")]);
  assert.equal(cars.get("a")?.fault, null);
  cars.apply([], [bad("a", -99_999, "ancient")]);
  assert.notEqual(cars.get("a")?.fault, null);
  cars.apply([], [bad("a", 11, "no_fix")]);
  assert.deepEqual(cars.get("a")?.fault?.faults, ["no_fix"]);
});

test("a car of which only faulty records came is known but nowhere", () => {
  const cars = new Cars();
  cars.apply([], [bad("a", 1, "null_island")]);
  const car = cars.get("a");
  assert.ok(car !== undefined);
  assert.equal(car.fix, null);
  assert.equal(ageOf(car, noonPlus(2)), null);
  assert.equal(isFresh(car, noonPlus(2)), false);
});

test("a complete snapshot removes cars that are gone, but none that was heard of just now", () => {
  const cars = new Cars();
  cars.apply([fix("gone", 0), fix("listed", 0), fix("new", 60)], []);
  cars.keepOnly(new Set(["listed"]), noonPlus(61));
  assert.deepEqual(
    [...cars.all()].map((car) => car.id),
    ["listed", "new"],
  );
});

test("a fix is old after half a minute", () => {
  const cars = new Cars();
  cars.apply([fix("a", 0)], []);
  const car = cars.get("a");
  assert.ok(car !== undefined);
  assert.equal(isFresh(car, noonPlus(0) + OLD), true);
  assert.equal(isFresh(car, noonPlus(0) + OLD + 1), false);
  assert.equal(ageOf(car, noonPlus(-5)), 0, "a clock that is behind makes no negative age");
});

test("a trail keeps the last three minutes, in order", () => {
  const trail = new Trail();
  for (let second = 0; second < 1_000; second += 1) trail.add(second / 1_000, 0.5, noonPlus(second));
  const times = Array.from({ length: trail.length }, (_, index) => trail.at(index));
  assert.equal(times.at(-1), noonPlus(999));
  assert.equal(times[0], noonPlus(999) - TRAIL);
  assert.ok(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0)));
  assert.equal(trail.x(0), 0.819);
});

test("a trail does not grow with a tracker that sends fifty records a second", () => {
  const trail = new Trail();
  for (let tick = 0; tick < 20_000; tick += 1) trail.add(0, 0, noonPlus(0) + tick * 20);
  assert.ok(trail.length <= TRAIL / 500);
  assert.ok(trail.at(trail.length - 1) - trail.at(0) <= TRAIL);
});

test("the list is in the order that was asked for", () => {
  const cars = new Cars();
  cars.apply(
    [fix("a", 0, { speed: 50 }), fix("b", 30, { speed: 90 }), fix("c", 55)],
    [bad("b", 40, "no_fix")],
  );
  const names: Readonly<Record<string, string>> = { a: "#10 Berg", b: "#9 Ōnishi", c: "#2 Kask" };
  const list: Named[] = [...cars.all()].map((car) => ({ car, name: names[car.id] ?? "" }));
  const sorted = (order: Parameters<typeof comparison>[0]): string =>
    [...list]
      .sort(comparison(order, noonPlus(60)))
      .map(({ car }) => car.id)
      .join("");
  assert.equal(sorted("name"), "cba");
  assert.equal(sorted("speed"), "bac");
  assert.equal(sorted("age"), "abc");
  assert.equal(sorted("faults"), "bca");
});

test("a car is found by every word of its name or its device", () => {
  const cars = new Cars();
  cars.apply([fix("356307042441013", 0)], []);
  const car = cars.get("356307042441013");
  assert.ok(car !== undefined);
  const named = { car, name: "#12 Kuznetsova / Berg" };
  for (const typed of ["", "berg", "#12 KUZ", "441013"]) assert.equal(matches(named, typed), true, typed);
  assert.equal(matches(named, "berg 13x"), false);
});
