import { Backoff } from "./backoff.js";
import { afterClose } from "./closing.js";
import type { ClientFrame } from "./frames.js";
import { Heartbeat } from "./heartbeat.js";
import type { Platform, Socket } from "./platform.js";

/** How the connection stands. Waiting times are in milliseconds from the moment of the event. */
export type ConnectionState =
  /** Not asked for, or closed by us. */
  | { readonly state: "idle" }
  | { readonly state: "connecting" }
  | { readonly state: "open" }
  /** Lost, or never made; the next try comes after `delay`. */
  | { readonly state: "waiting"; readonly delay: number; readonly code: number; readonly refused: number }
  /** The session ended: sign in. Tries go on slowly, the next after `delay` (0: it is under way). */
  | { readonly state: "signed_out"; readonly delay: number }
  /** Access was withdrawn. Only `retry` goes on. */
  | { readonly state: "withdrawn" }
  /** The server does not understand us. Only `retry` goes on. */
  | { readonly state: "stopped"; readonly code: number; readonly reason: string };

/** What the owner of a connection is told and asked. */
export interface ConnectionOwner {
  changed(state: ConnectionState): void;
  opened(): void;
  message(data: unknown): void;
  /** Access was withdrawn, for the reason given; true if there is still something to connect for. */
  withdrawn(reason: string): boolean;
}

/** Milliseconds in which a connection must open. */
const OPENING = 15_000;
/** Milliseconds after which an open connection is taken to be stable, and waits begin small again. */
const STABLE = 10_000;

/** Keeps one connection to the live socket, as far as that makes sense. Knows nothing of topics. */
export class Connection {
  #state: ConnectionState = { state: "idle" };
  #socket: Socket | null = null;
  #heartbeat: Heartbeat | null = null;
  #cancel: (() => void) | null = null;
  #uid = 0;
  /** Connections in a row that never opened. */
  #refused = 0;
  #signedOut = false;
  /** Whether it came back within seconds, and no connection was stable since. */
  #cameSoon = false;
  readonly #backoff: Backoff;

  constructor(
    private readonly url: string,
    private readonly platform: Platform,
    private readonly owner: ConnectionOwner,
  ) {
    this.#backoff = new Backoff(() => platform.random());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Somebody wants it: connects now unless it is connected or connecting, whatever ended the last one. */
  retry(): void {
    this.#backoff.reset();
    if (this.#socket === null) this.#connect();
  }

  /** The network or the page came back: connects now if it waits, finds out whether it lives if it is open. */
  check(): void {
    const waits = this.#state.state === "waiting" || this.#state.state === "signed_out";
    if (waits && this.#socket === null) this.#connect();
    else this.#heartbeat?.check();
  }

  /** Closes, and stays closed. */
  stop(): void {
    this.#abandon();
    this.#backoff.reset();
    this.#change({ state: "idle" });
  }

  /** Sends if it is open; what is not sent is forgotten. */
  send(frame: ClientFrame): void {
    if (this.#state.state === "open") this.#socket?.send(JSON.stringify(frame));
  }

  /** A name for a request that was not used before on this client. */
  nextUid(): string {
    this.#uid += 1;
    return String(this.#uid);
  }

  #connect(): void {
    this.#abandon();
    const socket = this.platform.open(this.url);
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => {
      this.#heartbeat?.heard();
      this.owner.message(event.data);
    };
    socket.onclose = (event) => this.#ended(event.code, event.reason);
    socket.onerror = () => undefined; // a close follows
    this.#wait(OPENING, () => this.#ended(1006, "it did not open in time"));
    this.#change(this.#signedOut ? { state: "signed_out", delay: 0 } : { state: "connecting" });
  }

  #opened(): void {
    this.#refused = 0;
    this.#signedOut = false;
    this.#heartbeat = new Heartbeat(
      this.platform,
      () => this.send({ type: "ping", uid: this.nextUid() }),
      () => this.#ended(1006, "silent"),
    );
    this.#wait(STABLE, () => {
      this.#cameSoon = false;
      this.#backoff.reset();
    });
    this.#change({ state: "open" });
    this.owner.opened();
  }

  #ended(code: number, reason: string): void {
    const opened = this.#state.state === "open";
    this.#abandon();
    if (!opened) this.#refused += 1;
    switch (afterClose(code)) {
      case "soon":
        return this.#comeBack(this.#soon(300, 2_000) ?? this.#backoff.next(), code);
      case "backoff":
        if (this.#signedOut) return this.#waitSignedOut(this.#within(30_000, 60_000));
        return this.#comeBack(this.#backoff.next(), code);
      case "later":
        return this.#comeBack(5_000 + this.#backoff.next(), code);
      case "sign_in":
        return this.#sessionEnded();
      case "withdrawn":
        if (this.owner.withdrawn(reason)) return this.#comeBack(this.#backoff.next(), code);
        return this.#change({ state: "withdrawn" });
      case "stop":
        return this.#change({ state: "stopped", code, reason });
    }
  }

  #comeBack(delay: number, code: number): void {
    this.#wait(delay, () => this.#connect());
    this.#change({ state: "waiting", delay, code, refused: this.#refused });
  }

  #sessionEnded(): void {
    this.#signedOut = true;
    // Often the cookie was refreshed long ago and only this connection has the old one.
    this.#waitSignedOut(this.#soon(500, 1_000) ?? this.#within(30_000, 60_000));
  }

  /** A short wait; null the second time, if nothing was stable in between: what was hoped for did not come. */
  #soon(least: number, most: number): number | null {
    if (this.#cameSoon) return null;
    this.#cameSoon = true;
    return this.#within(least, most);
  }

  #waitSignedOut(delay: number): void {
    this.#wait(delay, () => this.#connect());
    this.#change({ state: "signed_out", delay });
  }

  /** Lets go of the socket without waiting for it: one whose other side is gone takes minutes to close. */
  #abandon(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#heartbeat?.stop();
    this.#heartbeat = null;
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => undefined;
    socket.close();
  }

  #within(least: number, most: number): number {
    return least + this.platform.random() * (most - least);
  }

  #wait(delay: number, run: () => void): void {
    this.#cancel?.();
    this.#cancel = this.platform.after(delay, run);
  }

  #change(state: ConnectionState): void {
    this.#state = state;
    this.owner.changed(state);
  }
}
