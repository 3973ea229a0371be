import type { Position } from "../src/client/frames.js";

/** A position as it is on the wire. */
export type WirePosition = Omit<Position, "at" | "faults"> & { readonly faults?: readonly string[] };

interface Frame {
  readonly type: "positions";
  readonly topic: string;
  readonly seq: number;
  readonly positions: readonly WirePosition[];
}

/** What a server keeps of one topic: the newest position per device, and the last frames. */
export class Topic {
  /** The newest frame. */
  seq = 0;
  readonly #frames: Frame[] = [];
  readonly #newest = new Map<string, WirePosition>();

  constructor(
    private readonly name: string,
    private readonly history: number,
  ) {}

  /** Makes the next frame. */
  add(positions: readonly WirePosition[]): Frame {
    this.seq += 1;
    const frame: Frame = { type: "positions", topic: this.name, seq: this.seq, positions };
    this.#frames.push(frame);
    if (this.#frames.length > this.history) this.#frames.shift();
    for (const position of positions) {
      const newest = this.#newest.get(position.device_id);
      const newer = newest === undefined || position.ts > newest.ts;
      if (newer && !position.faulty) this.#newest.set(position.device_id, position);
    }
    return frame;
  }

  /** Every frame after `seq`, or null if some of them are gone. */
  after(seq: number): Frame[] | null {
    const oldest = this.#frames[0]?.seq ?? this.seq + 1;
    if (seq > this.seq || seq + 1 < oldest) return null;
    return this.#frames.filter((frame) => frame.seq > seq);
  }

  /** The newest good position per device. */
  snapshot(): WirePosition[] {
    return [...this.#newest.values()];
  }

  /** Forgets the frames; the positions are in the database. */
  restart(): void {
    this.seq = 0;
    this.#frames.length = 0;
  }
}
