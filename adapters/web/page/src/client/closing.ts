/** What to do after a connection ended. */
export type AfterClose =
  /** Come back within seconds: the server asked for it and is expected to be there. */
  | "soon"
  /** Come back with growing waits. */
  | "backoff"
  /** Come back with growing waits, but not at once: the server has too much to do because of us. */
  | "later"
  /** The session ended. A refreshed cookie works at the next connect, without one every try is in vain. */
  | "sign_in"
  /** Access was withdrawn: coming back changes nothing. */
  | "withdrawn"
  /** The server did not understand us, and would not the next time either. */
  | "stop";

/** Reads a close code of the live socket. */
export function afterClose(code: number): AfterClose {
  switch (code) {
    case 1001:
      return "soon";
    case 4400:
      return "stop";
    case 4401:
      return "sign_in";
    case 4403:
      return "withdrawn";
    case 4429:
      return "later";
    default:
      // 4408 (too slow), 1006 (the network, or an upgrade that was refused: a browser does not say), others.
      return "backoff";
  }
}
