/** Milliseconds over which is measured. */
const WINDOW = 10_000;
/** Milliseconds without a frame after which the delay grows as time passes. */
const QUIET = 3_000;

/** Measures what arrives: how many frames per second, and how far behind what they tell is. */
export class FrameMeter {
  #frames: { at: number; delay: number | null }[] = [];
  #since: number | null = null;
  #newest: number | null = null;

  /** A frame came; `newest` is the time of its newest fix, if it has any. */
  frame(now: number, newest: number | null): void {
    this.#since ??= now;
    this.#frames.push({ at: now, delay: newest === null ? null : now - newest });
    if (newest !== null) this.#newest = Math.max(newest, this.#newest ?? newest);
    this.#forget(now);
  }

  /** The connection is new: silence before it does not count. */
  restart(now: number): void {
    this.#frames = [];
    this.#since = now;
  }

  /** Frames per second. */
  rate(now: number): number {
    this.#forget(now);
    if (this.#since === null) return 0;
    const seconds = Math.min(Math.max(now - this.#since, 1_000), WINDOW) / 1_000;
    return this.#frames.length / seconds;
  }

  /** Milliseconds between the newest fix and its arrival (the median of late); null before the first. */
  delay(now: number): number | null {
    this.#forget(now);
    const last = this.#frames.at(-1);
    if (this.#newest === null) return null;
    if (last === undefined || now - last.at > QUIET) return now - this.#newest;
    const delays = this.#frames.flatMap(({ delay }) => (delay === null ? [] : [delay])).sort((a, b) => a - b);
    return delays[delays.length >> 1] ?? now - this.#newest;
  }

  #forget(now: number): void {
    const first = this.#frames.findIndex((frame) => now - frame.at <= WINDOW);
    this.#frames.splice(0, first < 0 ? this.#frames.length : first);
  }
}
