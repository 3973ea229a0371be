import type { ConnectionState, TopicEvent } from "../client/index.js";

/** How the page stands, for its status bar and for tests. */
export type Standing = "connecting" | "live" | "reconnecting" | "signed-out" | "no-access" | "stopped";

/** Connections that never opened, in a row, after which the reason may be that nobody is signed in. */
const SUSPICIOUS = 3;

/** Puts the connection and the topic together. */
export function standing(
  connection: ConnectionState,
  topic: TopicEvent["state"],
  wasLive: boolean,
): Standing {
  switch (connection.state) {
    case "open":
      if (topic === "live") return "live";
      if (topic === "refused") return "no-access";
      return wasLive || topic === "retrying" ? "reconnecting" : "connecting";
    case "idle":
      return "connecting";
    case "connecting":
      return wasLive ? "reconnecting" : "connecting";
    case "waiting":
      return "reconnecting";
    case "signed_out":
      return "signed-out";
    case "withdrawn":
      return "no-access";
    case "stopped":
      return "stopped";
  }
}

/** In words; `left` is the number of milliseconds until the next try, if one is planned. */
export function standingText(now: Standing, left: number | null): string {
  const seconds = left === null ? 0 : Math.ceil(left / 1_000);
  switch (now) {
    case "connecting":
      return "Connecting";
    case "live":
      return "Live";
    case "reconnecting":
      return seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting";
    case "signed-out":
      return "Signed out";
    case "no-access":
      return "No access to this event";
    case "stopped":
      return "Stopped";
  }
}

/** What to do about it; empty if nothing. */
export function advice(now: Standing, connection: ConnectionState): string {
  switch (now) {
    case "signed-out":
      return "Sign in again, then try";
    case "no-access":
      return "Ask the organiser";
    case "stopped":
      return "Reload the page";
    case "reconnecting": {
      const refused = connection.state === "waiting" ? connection.refused : 0;
      return refused >= SUSPICIOUS ? "The server is away, or you are not signed in" : "";
    }
    default:
      return "";
  }
}

/** Whether trying now, rather than when it is planned, makes sense to offer. */
export function canTry(now: Standing): boolean {
  return now === "reconnecting" || now === "signed-out" || now === "no-access" || now === "stopped";
}
