import type { Position } from "../client/index.js";
import { worldX, worldY } from "./mercator.js";
import { Trail } from "./trail.js";

/** Milliseconds after which a fix is old, and its car dimmed. */
export const OLD = 30_000;

/** Faults of the tracker's clock: the time of such a record says nothing about which record is newer. */
const CLOCK_FAULTS = ["future", "ancient"];

/** One car, as far as is known. */
export interface Car {
  readonly id: string;
  /** The newest good position; null while there were only faulty ones. */
  readonly fix: Position | null;
  /** Its place in world coordinates. */
  readonly x: number;
  readonly y: number;
  /** The latest record, if that is faulty: the car is where `fix` says, but no longer surely. */
  readonly fault: Position | null;
  readonly trail: Trail;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Everything that is known of the cars of an event. It trusts the client that fixes only move forward. */
export class Cars {
  readonly #cars = new Map<string, Mutable<Car>>();
  #newest: number | null = null;

  /** How many there are. */
  get size(): number {
    return this.#cars.size;
  }

  /** The time of the newest fix of all; null before the first. */
  get newest(): number | null {
    return this.#newest;
  }

  get(id: string): Car | undefined {
    return this.#cars.get(id);
  }

  /** All cars, in the order in which they were first heard of. */
  all(): Iterable<Car> {
    return this.#cars.values();
  }

  /** Takes good positions, each newer than all before of its car, and faulty ones. */
  apply(moved: readonly Position[], faulty: readonly Position[]): void {
    for (const position of moved) {
      const car = this.#car(position.device_id);
      car.fix = position;
      car.fault = null;
      car.x = worldX(position.longitude);
      car.y = worldY(position.latitude);
      car.trail.add(car.x, car.y, position.at);
      if (this.#newest === null || position.at > this.#newest) this.#newest = position.at;
    }
    for (const position of faulty) {
      const car = this.#car(position.device_id);
      if (isLatest(position, car)) car.fault = position;
    }
  }

  /** A complete list of the event's cars came: others are gone, unless they were heard of just now. */
  keepOnly(listed: ReadonlySet<string>, now: number): void {
    for (const [id, car] of this.#cars) {
      if (!listed.has(id) && !isFresh(car, now)) this.#cars.delete(id);
    }
  }

  /** These cars are not in the event any more. */
  remove(ids: readonly string[]): void {
    for (const id of ids) this.#cars.delete(id);
  }

  #car(id: string): Mutable<Car> {
    const known = this.#cars.get(id);
    if (known !== undefined) return known;
    const car: Mutable<Car> = { id, fix: null, x: 0, y: 0, fault: null, trail: new Trail() };
    this.#cars.set(id, car);
    return car;
  }
}

/** How long ago its fix was, in milliseconds; null without one. */
export function ageOf(car: Car, now: number): number | null {
  return car.fix === null ? null : Math.max(0, now - car.fix.at);
}

/** Whether there is a fix that is not old. */
export function isFresh(car: Car, now: number): boolean {
  const age = ageOf(car, now);
  return age !== null && age <= OLD;
}

/** The faults of the latest record. */
export function faultsOf(car: Car): readonly string[] {
  const record = car.fault ?? car.fix;
  if (record === null) return [];
  return record.faulty && record.faults.length === 0 ? ["faulty"] : record.faults;
}

function isLatest(position: Position, car: Car): boolean {
  if (position.faults.some((fault) => CLOCK_FAULTS.includes(fault))) return true;
  return position.at >= Math.max(car.fix?.at ?? -Infinity, knownTime(car.fault));
}

function knownTime(fault: Position | null): number {
  if (fault === null || fault.faults.some((name) => CLOCK_FAULTS.includes(name))) return -Infinity;
  return fault.at;
}
