/** Milliseconds of a car's way that are shown. */
export const TRAIL = 180_000;
/** Milliseconds between two points that are kept; trackers may send more. */
const SPACING = 500;
/** Silence of more milliseconds than this is a hole in the trail: nobody knows the way through it. */
export const HOLE = 20_000;

const CAPACITY = TRAIL / SPACING;

/** Where a car was lately: a ring of points in world coordinates, oldest first. */
export class Trail {
  #values = new Float64Array(3 * 32);
  #start = 0;
  #length = 0;

  /** How many points there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a point that is later than all before. */
  add(x: number, y: number, at: number): void {
    if (this.#length > 0 && at - this.at(this.#length - 1) < SPACING) return;
    while (this.#length > 0 && at - this.at(0) > TRAIL) this.#dropOldest();
    if (this.#length === CAPACITY) this.#dropOldest();
    if (this.#length * 3 === this.#values.length) this.#grow();
    const slot = this.#slot(this.#length);
    this.#values[slot] = x;
    this.#values[slot + 1] = y;
    this.#values[slot + 2] = at;
    this.#length += 1;
  }

  /** Where it was at a point, 0…1 from the west. */
  x(index: number): number {
    return this.#values[this.#slot(index)] ?? 0;
  }

  /** Where it was at a point, 0…1 from the north. */
  y(index: number): number {
    return this.#values[this.#slot(index) + 1] ?? 0;
  }

  /** When it was there, in milliseconds since 1970. */
  at(index: number): number {
    return this.#values[this.#slot(index) + 2] ?? 0;
  }

  #slot(index: number): number {
    return ((this.#start + index) * 3) % this.#values.length;
  }

  #dropOldest(): void {
    this.#start = (this.#start + 1) % (this.#values.length / 3);
    this.#length -= 1;
  }

  #grow(): void {
    const grown = new Float64Array(Math.min(this.#values.length * 2, 3 * CAPACITY));
    for (let index = 0; index < this.#length; index += 1) {
      grown.set([this.x(index), this.y(index), this.at(index)], index * 3);
    }
    this.#values = grown;
    this.#start = 0;
  }
}
