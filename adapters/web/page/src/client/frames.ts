/**
 * The words of the live socket, as they are on the wire: JSON text, one object per message, `type` first.
 */

/** One record of one tracker. */
export interface Position {
  /** The tracker's name, normally its IMEI. */
  readonly device_id: string;
  /** Device time as sent: RFC 3339, UTC. */
  readonly ts: string;
  /** The same in milliseconds since 1970; microseconds are its fraction. */
  readonly at: number;
  /** Degrees; beyond the poles only where `faulty`. */
  readonly latitude: number;
  /** Degrees, east positive. */
  readonly longitude: number;
  /** Metres. */
  readonly altitude?: number;
  /** Heading in degrees clockwise from north. */
  readonly angle?: number;
  /** Kilometres per hour. */
  readonly speed?: number;
  /** How many were in use. */
  readonly satellites?: number;
  /** It does not say where the car is: it must move no marker. */
  readonly faulty: boolean;
  /** What is wrong with it, by stable names such as `no_fix`; a fault need not make it faulty. */
  readonly faults: readonly string[];
}

/** Where in a topic a client is: the last frame it applied. Sequence numbers are of one epoch only. */
export interface Mark {
  readonly epoch: string;
  readonly seq: number;
}

/** What a client says. */
export type ClientFrame =
  | { readonly type: "subscribe"; readonly topic: string; readonly uid: string; readonly since?: Mark }
  | { readonly type: "unsubscribe"; readonly topic: string; readonly uid: string }
  | { readonly type: "ping"; readonly uid: string };

/** Answers `subscribe`. */
export interface SubscribedFrame {
  readonly type: "subscribed";
  readonly topic: string;
  readonly uid?: string;
  readonly epoch: string;
  /** The newest frame of the topic at that moment. */
  readonly seq: number;
  /** Whether every frame after `since` follows; otherwise `snapshot` starts afresh. */
  readonly recovered: boolean;
  readonly snapshot: readonly Position[];
  /** False if the snapshot could not be read: devices that are not in it may exist. */
  readonly snapshot_complete: boolean;
}

/** News of a topic; `seq` is one more than that of the frame before, unless the frame is conflated. */
export interface PositionsFrame {
  readonly type: "positions";
  readonly topic: string;
  readonly seq: number;
  /** It stands for all frames up to its number, with the newest of each device: the reader was too slow. */
  readonly conflated: boolean;
  /** Devices that are not in the topic any more; they go before the positions are applied. */
  readonly removed: readonly string[];
  readonly positions: readonly Position[];
}

/** Something asked for cannot be had. */
export interface ErrorFrame {
  readonly type: "error";
  readonly topic?: string;
  readonly uid?: string;
  readonly error: {
    /** A stable name, such as `forbidden`. */
    readonly code: string;
    readonly message: string;
    /** Whether asking again later can help. */
    readonly temporary: boolean;
  };
}

/** What a server says. */
export type ServerFrame =
  | SubscribedFrame
  | PositionsFrame
  | ErrorFrame
  | { readonly type: "unsubscribed"; readonly topic: string; readonly uid?: string }
  | { readonly type: "pong"; readonly uid?: string };
