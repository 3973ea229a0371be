import { ageOf, faultsOf, type Car } from "./cars.js";

/** What the list can be sorted by. */
export const ORDERS = ["name", "speed", "age", "faults"] as const;

/** One of them. */
export type Order = (typeof ORDERS)[number];

/** A car with its name. */
export interface Named {
  readonly car: Car;
  readonly name: string;
}

const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Compares for an order; equals are by name, so that rows do not change places for nothing. */
export function comparison(order: Order, now: number): (a: Named, b: Named) => number {
  const key = keyOf(order, now);
  return (a, b) =>
    key(a.car) - key(b.car) || byName.compare(a.name, b.name) || compareIds(a.car.id, b.car.id);
}

function keyOf(order: Order, now: number): (car: Car) => number {
  switch (order) {
    case "name":
      return () => 0;
    case "speed":
      return (car) => -Math.round(car.fix?.speed ?? -1);
    case "age":
      // By whole ten seconds: the ages of cars that are heard every second say nothing.
      return (car) => -Math.floor(Math.min(ageOf(car, now) ?? Number.MAX_SAFE_INTEGER, 1e15) / 10_000);
    case "faults":
      return (car) => (car.fault !== null ? -2 : faultsOf(car).length > 0 ? -1 : 0);
  }
}

function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a car is meant by what was typed: every word is in its name or its device's. */
export function matches({ car, name }: Named, typed: string): boolean {
  const text = `${name} ${car.id}`.toLocaleLowerCase();
  return typed
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
