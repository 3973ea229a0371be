import type { ErrorFrame, Position, PositionsFrame, ServerFrame, SubscribedFrame } from "./frames.js";
import { parseMoment } from "./moment.js";

/** What a message turned out to be. Nothing that a server can send makes this throw. */
export interface Reading {
  /** The frame, or null if the message is none. */
  readonly frame: ServerFrame | null;
  /** What is wrong with it. A frame may still be usable: positions that are none were left out of it. */
  readonly problems: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads and checks one message of the server. Unknown fields are ignored: they are how the wire grows. */
export function readFrame(data: unknown): Reading {
  if (typeof data !== "string") return none("the message is not text");
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return none("the message is not JSON");
  }
  if (!isFields(value)) return none("the message is not an object");
  switch (value["type"]) {
    case "subscribed":
      return readSubscribed(value);
    case "positions":
      return readPositions(value);
    case "unsubscribed": {
      const topic = value["topic"];
      return isText(topic) ? frame({ type: "unsubscribed", topic, ...uidOf(value) }) : none("no topic");
    }
    case "pong":
      return frame({ type: "pong", ...uidOf(value) });
    case "error":
      return readError(value);
    default:
      return none(`unknown type ${JSON.stringify(value["type"])}`);
  }
}

function readSubscribed(value: Fields): Reading {
  const { topic, epoch, seq, recovered, snapshot, snapshot_complete } = value;
  if (!isText(topic)) return none("subscribed: no topic");
  if (!isText(epoch)) return none("subscribed: no epoch");
  if (!isSeq(seq)) return none("subscribed: seq is no whole number");
  if (typeof recovered !== "boolean") return none("subscribed: recovered is neither true nor false");
  if (snapshot !== undefined && !Array.isArray(snapshot)) return none("subscribed: snapshot is no list");
  const { positions, problems } = readList(snapshot ?? []);
  const read: SubscribedFrame = {
    type: "subscribed",
    topic,
    ...uidOf(value),
    epoch,
    seq,
    recovered,
    snapshot: positions,
    // Only a plain yes counts: by a complete snapshot cars are removed from a map.
    snapshot_complete: snapshot_complete === true && problems.length === 0,
  };
  return { frame: read, problems };
}

function readPositions(value: Fields): Reading {
  const { topic, seq, positions: list, removed: gone } = value;
  if (!isText(topic)) return none("positions: no topic");
  if (!isSeq(seq)) return none("positions: seq is no whole number");
  if (!Array.isArray(list)) return none("positions: positions is no list");
  const { positions, problems } = readList(list);
  const removed = Array.isArray(gone) ? gone.filter(isText) : [];
  const conflated = value["conflated"] === true;
  const read: PositionsFrame = { type: "positions", topic, seq, conflated, removed, positions };
  return { frame: read, problems };
}

function readError(value: Fields): Reading {
  const { topic, error } = value;
  if (!isFields(error) || !isText(error["code"])) return none("error: no code");
  const read: ErrorFrame = {
    type: "error",
    ...(isText(topic) ? { topic } : {}),
    ...uidOf(value),
    error: {
      code: error["code"],
      message: typeof error["message"] === "string" ? error["message"] : "",
      temporary: error["temporary"] === true,
    },
  };
  return frame(read);
}

function readList(list: readonly unknown[]): { positions: Position[]; problems: string[] } {
  const positions: Position[] = [];
  const problems: string[] = [];
  list.forEach((item, index) => {
    const read = readPosition(item);
    if (typeof read === "string") problems.push(`position ${index}: ${read}`);
    else positions.push(read);
  });
  return { positions, problems };
}

function readPosition(value: unknown): Position | string {
  if (!isFields(value)) return "not an object";
  const { device_id, ts, latitude, longitude, faulty, faults } = value;
  if (!isText(device_id)) return "no device_id";
  const at = typeof ts === "string" ? parseMoment(ts) : null;
  if (typeof ts !== "string" || at === null) return "ts is no date and time with a zone";
  if (!isNumber(latitude) || !isNumber(longitude)) return "no coordinates";
  if (typeof faulty !== "boolean") return "faulty is neither true nor false";
  if (!faulty && (Math.abs(latitude) > 90 || Math.abs(longitude) > 180)) return "coordinates out of range";
  return {
    device_id,
    ts,
    at,
    latitude,
    longitude,
    ...measure(value, "altitude"),
    ...measure(value, "angle"),
    ...measure(value, "speed"),
    ...measure(value, "satellites"),
    faulty,
    faults: Array.isArray(faults) ? faults.filter(isText) : [],
  };
}

/** A measurement that is null, absent or no number is not known: the position is still good without it. */
function measure<K extends string>(value: Fields, name: K): { readonly [P in K]?: number } {
  const found = value[name];
  return (isNumber(found) ? { [name]: found } : {}) as { readonly [P in K]?: number };
}

function uidOf(value: Fields): { readonly uid?: string } {
  const uid = value["uid"];
  return typeof uid === "string" ? { uid } : {};
}

function frame(read: ServerFrame): Reading {
  return { frame: read, problems: [] };
}

function none(problem: string): Reading {
  return { frame: null, problems: [problem] };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isSeq(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
