import { DeviceClocks } from "./device_clocks.js";
import type { Mark, PositionsFrame, SubscribedFrame } from "./frames.js";

/** How a topic stands. */
export type TopicState =
  /** Asked for, not answered yet; or there is no connection. */
  | "pending"
  /** Frames come. */
  | "live"
  /** It cannot be had for now; it is asked for again. */
  | "retrying"
  /** It cannot be had, or not any more. Only `retry` asks again. */
  | "refused";

/** What a `subscribed` frame says about what was missed. */
export type Resumption =
  /** The first subscription: there was nothing to miss. */
  | "first"
  /** Every frame missed follows. */
  | "recovered"
  /** They could not be had; the snapshot starts afresh. */
  | "fresh";

/** What a `positions` frame is to this subscription. */
export type Arrival =
  | { readonly kind: "next" }
  /** Applied before, or not asked for. */
  | { readonly kind: "ignored" }
  /** Frames before it are missing. */
  | { readonly kind: "gap"; readonly missing: number };

/** One topic: what was applied of it, and what comes next. Knows neither sockets nor timers. */
export class Subscription {
  /** Time per device, kept over reconnects and epochs. */
  readonly clocks = new DeviceClocks();
  state: TopicState = "pending";
  #mark: Mark | null = null;
  #uid: string | null = null;
  /** The newest frame at the time of resuming; null if nothing is being caught up with. */
  #target: { readonly seq: number; readonly from: number } | null = null;

  constructor(readonly topic: string) {}

  /** The last frame applied. */
  get mark(): Mark | null {
    return this.#mark;
  }

  /** It was asked for with this uid; answers to earlier requests and frames before the answer do not count. */
  asked(uid: string): void {
    this.#uid = uid;
    this.state = "pending";
  }

  /** Whether a frame with this uid answers the last request; a server that echoes none answers it too. */
  awaits(uid: string | undefined): boolean {
    return this.state === "pending" && this.#uid !== null && this.concerns(uid);
  }

  /** Whether a frame with this uid is about the topic as it was last asked for, and not an earlier request. */
  concerns(uid: string | undefined): boolean {
    return uid === undefined || uid === this.#uid;
  }

  /** The connection is gone: no answer will come. */
  interrupted(): void {
    this.#uid = null;
    this.#target = null;
    if (this.state !== "refused") this.state = "pending";
  }

  /** Takes the answer. Its snapshot is still to be applied. */
  subscribed(frame: SubscribedFrame): Resumption {
    this.state = "live";
    const before = this.#mark;
    if (frame.recovered && before?.epoch === frame.epoch) {
      this.#target = { seq: Math.max(frame.seq, before.seq), from: before.seq };
      return "recovered";
    }
    this.#mark = { epoch: frame.epoch, seq: frame.seq };
    this.#target = null;
    return before === null ? "first" : "fresh";
  }

  /** Says what a frame is, and moves on if it is the next. */
  positions(frame: PositionsFrame): Arrival {
    const mark = this.#mark;
    if (this.state !== "live" || mark === null || frame.seq <= mark.seq) return { kind: "ignored" };
    const missing = frame.seq - mark.seq - 1;
    if (missing > 0 && !frame.conflated) return { kind: "gap", missing };
    this.#mark = { epoch: mark.epoch, seq: frame.seq };
    return { kind: "next" };
  }

  /** Gives up what is missing before a frame, and takes that one as applied. */
  skipTo(seq: number): void {
    if (this.#mark !== null) this.#mark = { epoch: this.#mark.epoch, seq };
    this.#target = null;
  }

  /** Frames replayed since resuming, once: when the last of them was applied. Null before and after. */
  caughtUp(): number | null {
    if (this.#target === null || this.#mark === null || this.#mark.seq < this.#target.seq) return null;
    const replayed = this.#target.seq - this.#target.from;
    this.#target = null;
    return replayed;
  }
}
