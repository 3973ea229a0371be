import type { Position } from "./frames.js";

/** What a list of positions means to somebody who already knows some. */
export interface Sorted {
  /** Newer than all before of their device, and good. */
  readonly moved: readonly Position[];
  /** Do not say where the car is. */
  readonly faulty: readonly Position[];
  /** Good, but not newer than what is known of their device. */
  readonly outdated: readonly Position[];
}

/** Per device, time only moves forward. */
export class DeviceClocks {
  readonly #newest = new Map<string, number>();

  /** Sorts positions, and remembers the newest good one of each device. */
  sort(positions: readonly Position[]): Sorted {
    const moved: Position[] = [];
    const faulty: Position[] = [];
    const outdated: Position[] = [];
    for (const position of positions) {
      // A faulty one may have a time from the future: were it remembered, the car would stand still until then.
      if (position.faulty) faulty.push(position);
      else if (position.at <= (this.#newest.get(position.device_id) ?? -Infinity)) outdated.push(position);
      else {
        this.#newest.set(position.device_id, position.at);
        moved.push(position);
      }
    }
    return { moved, faulty, outdated };
  }

  /** Of these devices all begins anew: they are gone, and where they are next may be where they were before. */
  forget(devices: readonly string[]): void {
    for (const device of devices) this.#newest.delete(device);
  }
}
