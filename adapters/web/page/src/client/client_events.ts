import type { ConnectionState } from "./connection.js";
import type { Sorted } from "./device_clocks.js";
import type { ErrorFrame, Mark, Position } from "./frames.js";
import type { Resumption, TopicState } from "./subscription.js";

/** News of a topic: a snapshot, or a frame. */
export interface PositionsEvent extends Sorted {
  readonly topic: string;
  readonly origin: "snapshot" | "frame";
  readonly mark: Mark;
}

/** A topic is subscribed to, for the first time or again. Comes before its snapshot or missed frames. */
export interface SubscribedEvent {
  readonly topic: string;
  readonly resumption: Resumption;
  readonly mark: Mark;
  /** Frames that follow because they were missed. */
  readonly missed: number;
  /** Good positions, one per device; empty where the missed frames follow. */
  readonly snapshot: readonly Position[];
  /** Whether every device of the topic that ever had a good position is in the snapshot. */
  readonly complete: boolean;
}

/** How a topic stands now; `error` where the server said why. */
export interface TopicEvent {
  readonly topic: string;
  readonly state: TopicState;
  readonly error?: ErrorFrame["error"];
}

/** Something that should not be. The client goes on. */
export interface Problem {
  readonly kind: "bad_frame" | "gap" | "server_error";
  readonly detail: string;
}

/** What a {@link LiveClient} tells its listeners. */
export interface ClientEvents {
  connection: ConnectionState;
  topic: TopicEvent;
  subscribed: SubscribedEvent;
  positions: PositionsEvent;
  /** Devices do not take part in a topic any more: their markers go. */
  removed: { readonly topic: string; readonly devices: readonly string[] };
  /** After a reconnect, everything that was missed has been applied. */
  resumed: { readonly topic: string; readonly replayed: number };
  problem: Problem;
}
