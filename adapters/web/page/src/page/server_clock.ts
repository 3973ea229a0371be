/** Milliseconds by which a clock may be off before it is not believed. */
const TRUSTED = 2_000;

/** The time of day as the server has it: a tablet whose clock is minutes off would call every fix old. */
export class ServerClock {
  constructor(
    /** Milliseconds that the server is ahead of this machine; 0 while the difference is too small to matter. */
    readonly offset: number,
  ) {}

  /**
   * Compares the clocks by an HTTP answer.
   *
   * @param date its `Date`, which has whole seconds
   * @param asked when it was asked for, by this machine
   * @param answered when it came
   */
  static compare(date: string | null, asked: number, answered: number): ServerClock {
    const server = Date.parse(date ?? "");
    if (Number.isNaN(server)) return new ServerClock(0);
    const offset = server + 500 - (asked + answered) / 2;
    return new ServerClock(Math.abs(offset) > TRUSTED ? offset : 0);
  }

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.offset;
  }
}
