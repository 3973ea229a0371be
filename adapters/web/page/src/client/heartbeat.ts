import type { Platform } from "./platform.js";

/** Milliseconds of silence after which the other side is asked whether it is there. */
export const SILENCE = 40_000;
/** Milliseconds it has to answer. */
export const ANSWER = 10_000;

/**
 * Finds out that the other side is gone although no close came: a phone that changed its network, a laptop
 * that slept. A browser answers the server's pings by itself and shows neither those nor their absence, hence
 * this ping of our own.
 */
export class Heartbeat {
  #heard: number;
  #asking = false;
  #cancel: (() => void) | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {
    this.#heard = platform.now();
    this.#watch();
  }

  /** Something came from the other side. */
  heard(): void {
    this.#heard = this.platform.now();
  }

  /** Asks now if it is silent already: after sleep, timers may be far behind. */
  check(): void {
    if (this.#cancel !== null && !this.#asking && this.#silentFor() >= SILENCE) this.#ask();
  }

  /** No more pings. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  // One timer that is set again when it rings, rather than one that is moved at each message.
  #watch(): void {
    this.#asking = false;
    this.#wait(Math.max(SILENCE - this.#silentFor(), 0), () => {
      if (this.#silentFor() >= SILENCE) this.#ask();
      else this.#watch();
    });
  }

  #ask(): void {
    this.#asking = true;
    const before = this.#heard;
    this.#wait(ANSWER, () => {
      if (this.#heard > before) this.#watch();
      else this.dead();
    });
    this.ping();
  }

  #silentFor(): number {
    return this.platform.now() - this.#heard;
  }

  #wait(delay: number, run: () => void): void {
    this.#cancel?.();
    this.#cancel = this.platform.after(delay, run);
  }
}
