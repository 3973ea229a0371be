/** A place on Earth, in degrees. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** A place on the route, and where the road leads there. */
export interface OnRoute extends Place {
  /** Degrees clockwise from north. */
  readonly heading: number;
  /** How sharp the bend is, in degrees per hundred metres. */
  readonly bend: number;
}

const METRES_PER_DEGREE = 111_320;
const POINTS = 720;

/** A closed road of about thirty kilometres through hills that do not exist. */
export class Route {
  readonly places: readonly Place[];
  /** Metres from the start to each place, and around. */
  readonly #metres: number[] = [0];

  constructor(readonly centre: Place) {
    this.places = Array.from({ length: POINTS + 1 }, (_, index) => this.#place(index % POINTS));
    for (let index = 1; index <= POINTS; index += 1) {
      const length = distance(this.places[index - 1] ?? centre, this.places[index] ?? centre);
      this.#metres.push((this.#metres[index - 1] ?? 0) + length);
    }
  }

  /** Metres around. */
  get length(): number {
    return this.#metres.at(-1) ?? 0;
  }

  /** The place so many metres after the start, around and around. */
  at(metres: number): OnRoute {
    const way = ((metres % this.length) + this.length) % this.length;
    let next = this.#metres.findIndex((one) => one > way);
    if (next < 1) next = 1;
    const [a, b] = [this.places[next - 1] ?? this.centre, this.places[next] ?? this.centre];
    const c = this.places[(next + 1) % POINTS] ?? this.centre;
    const before = this.#metres[next - 1] ?? 0;
    const part = (way - before) / ((this.#metres[next] ?? 1) - before);
    const [heading, after] = [direction(a, b), direction(b, c)];
    return {
      latitude: a.latitude + (b.latitude - a.latitude) * part,
      longitude: a.longitude + (b.longitude - a.longitude) * part,
      heading,
      bend: Math.abs(((after - heading + 540) % 360) - 180) / (distance(b, c) / 100),
    };
  }

  #place(index: number): Place {
    const angle = (index / POINTS) * 2 * Math.PI;
    const wave = (times: number, phase: number, size: number): number =>
      size * Math.sin(times * angle + phase);
    const radius =
      3_800 * (1 + wave(2, 0.4, 0.28) + wave(3, 1.9, 0.2) + wave(7, 0.7, 0.07) + wave(17, 2.2, 0.022));
    const east = radius * Math.sin(angle) * 1.35;
    const north = radius * Math.cos(angle);
    const shrink = Math.cos((this.centre.latitude * Math.PI) / 180);
    return {
      latitude: this.centre.latitude + north / METRES_PER_DEGREE,
      longitude: this.centre.longitude + east / (METRES_PER_DEGREE * shrink),
    };
  }
}

/** Metres between places that are near each other. */
export function distance(a: Place, b: Place): number {
  const shrink = Math.cos((a.latitude * Math.PI) / 180);
  return Math.hypot(a.latitude - b.latitude, (a.longitude - b.longitude) * shrink) * METRES_PER_DEGREE;
}

function direction(a: Place, b: Place): number {
  const shrink = Math.cos((a.latitude * Math.PI) / 180);
  const degrees = (Math.atan2((b.longitude - a.longitude) * shrink, b.latitude - a.latitude) * 180) / Math.PI;
  return (degrees + 360) % 360;
}
