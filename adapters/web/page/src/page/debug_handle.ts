import type { LiveClient, Mark, Problem } from "../client/index.js";
import type { Cars } from "./cars.js";
import type { Standing } from "./standing.js";

/** What tests and curious people may read at `window.__processor`. */
export interface DebugHandle {
  readonly standing: Standing;
  readonly mark: Mark | null;
  /** Frames applied. */
  readonly frames: number;
  /** Sequence numbers left out; empty unless the server lost frames for good. */
  readonly problems: readonly Problem[];
  /** Good positions told that were not newer than what was known: they moved nothing. */
  readonly outdated: number;
  readonly faulty: number;
  readonly cars: readonly { id: string; ts: string | null; lat: number | null; lon: number | null }[];
}

const KEPT = 100;

/** Puts the handle in its place. */
export function offerDebugHandle(
  client: LiveClient,
  cars: Cars,
  topic: string,
  standing: () => Standing,
): void {
  const counted = { frames: 0, outdated: 0, faulty: 0 };
  const problems: Problem[] = [];
  client.on("positions", ({ origin, outdated, faulty }) => {
    if (origin === "frame") counted.frames += 1;
    counted.outdated += outdated.length;
    counted.faulty += faulty.length;
  });
  client.on("problem", (problem) => {
    console.warn("live socket:", problem.kind, problem.detail);
    problems.push(problem);
    if (problems.length > KEPT) problems.shift();
  });
  const handle: DebugHandle = {
    get standing() {
      return standing();
    },
    get mark() {
      return client.mark(topic);
    },
    get frames() {
      return counted.frames;
    },
    get problems() {
      return [...problems];
    },
    get outdated() {
      return counted.outdated;
    },
    get faulty() {
      return counted.faulty;
    },
    get cars() {
      return [...cars.all()].map(({ id, fix }) => {
        return { id, ts: fix?.ts ?? null, lat: fix?.latitude ?? null, lon: fix?.longitude ?? null };
      });
    },
  };
  Object.defineProperty(window, "__processor", { value: Object.freeze(handle), enumerable: false });
}
