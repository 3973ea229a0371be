import type { Route } from "./stub_route.js";
import type { WirePosition } from "./stub_topic.js";

/** Milliseconds between two records of a car. */
const PERIOD = 1_000;

interface Car {
  readonly device: string;
  readonly number: number;
  readonly eager: number;
  /** Milliseconds within the period at which its records are due. */
  readonly phase: number;
  metres: number;
  kmh: number;
  last: WirePosition | null;
}

/** Cars on a route, each with the troubles of its number: no two runs differ but by the time of day. */
export class World {
  readonly #cars: readonly Car[];

  constructor(
    private readonly route: Route,
    cars: number,
  ) {
    this.#cars = Array.from({ length: cars }, (_, index) => ({
      device: String(356307042440000 + index * 13),
      number: index + 1,
      eager: 0.82 + ((index * 37) % 29) / 100,
      phase: (index * 250) % PERIOD,
      metres: (route.length * 0.92 * (cars - index)) / cars,
      kmh: 60,
      last: null,
    }));
  }

  /** Names and, for some, colours: those that the page's configuration gives. */
  devices(): Record<string, { label: string; colour?: string }> {
    const crews = [
      "Kuznetsova / Berg",
      "Petraitis / Jonaitis",
      "Ōnishi / Silva",
      "Müller / O’Neill",
      "Kask / Tamm",
    ];
    const colours = ["#d22f27", "#1f5fbf", "#f2c200"];
    return Object.fromEntries(
      this.#cars.map(({ device, number }) => {
        const label = `#${number} ${crews[number % crews.length] ?? ""}`;
        const colour = number <= colours.length ? colours[number - 1] : undefined;
        return [device, colour === undefined ? { label } : { label, colour }];
      }),
    );
  }

  /** The records that are due within a tick that ends at `now`. */
  tick(now: number, length: number): WirePosition[] {
    return this.#cars.flatMap((car) => {
      const due = (((now - car.phase) % PERIOD) + PERIOD) % PERIOD < length;
      return due ? this.#record(car, now) : [];
    });
  }

  #record(car: Car, now: number): WirePosition[] {
    const seconds = Math.floor(now / 1_000) + car.number * 11;
    const here = this.route.at(car.metres);
    const wanted = car.number % 23 === 9 ? 0 : (24 + 110 / (1 + here.bend * 0.35)) * car.eager;
    car.kmh += Math.max(-18, Math.min(9, wanted - car.kmh));
    car.metres += (car.kmh / 3.6) * (PERIOD / 1_000);
    if (car.number % 13 === 4 && seconds % 120 > 60) return []; // out of coverage

    const there = this.route.at(car.metres);
    const good: WirePosition = {
      device_id: car.device,
      ts: new Date(now - 180 - ((car.number * 71) % 500)).toISOString(),
      latitude: round(there.latitude),
      longitude: round(there.longitude),
      altitude: Math.round(140 + 40 * Math.sin(car.metres / 1_700)),
      angle: Math.round(there.heading) % 360,
      speed: Math.round(car.kmh),
      satellites: 9 + (car.number % 8),
      faulty: false,
    };
    const before = car.last ?? good;
    if (car.number % 11 === 5 && seconds % 60 < 20) {
      const {
        speed: _speed,
        angle: _angle,
        ...rest
      } = { ...good, satellites: 0, faulty: true, faults: ["no_fix"] };
      return [{ ...rest, latitude: before.latitude, longitude: before.longitude }];
    }
    if (car.number % 17 === 8 && seconds % 30 === 0) {
      return [
        { ...good, latitude: 0, longitude: 0, faulty: true, faults: ["null_island", "implausible_jump"] },
      ];
    }
    car.last = good;
    if (car.number % 7 === 3) return [{ ...good, satellites: 3, faults: ["low_quality"] }];
    // What a tracker had kept while it was out of coverage comes after the newest, and again.
    if (car.number % 19 === 6 && seconds % 10 === 0) return [good, before, good];
    return [good];
  }
}

function round(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7;
}
