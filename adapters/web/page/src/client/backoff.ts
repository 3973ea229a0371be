/**
 * Waiting times that double, each shortened by chance by up to a half, so that the clients of a server that
 * went away do not all come back in the same moment.
 */
export class Backoff {
  #failures = 0;

  /**
   * @param random from 0 to below 1
   * @param first milliseconds, the longest first wait
   * @param longest milliseconds, the longest wait of all
   */
  constructor(
    private readonly random: () => number,
    private readonly first = 1_000,
    private readonly longest = 30_000,
  ) {}

  /** How many waits were handed out since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** The next wait in milliseconds. */
  next(): number {
    const whole = Math.min(this.longest, this.first * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return whole * (0.5 + this.random() / 2);
  }

  /** Begins again with the first wait. */
  reset(): void {
    this.#failures = 0;
  }
}
