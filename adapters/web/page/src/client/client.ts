import { Backoff } from "./backoff.js";
import type { ClientEvents } from "./client_events.js";
import { Connection, type ConnectionState } from "./connection.js";
import { Emitter } from "./events.js";
import type { ErrorFrame, Mark, Position, PositionsFrame, ServerFrame, SubscribedFrame } from "./frames.js";
import { nativePlatform, type Platform } from "./platform.js";
import { readFrame } from "./read_frame.js";
import { Subscription, type TopicState } from "./subscription.js";

/** Where and how to connect. */
export interface ClientOptions {
  /** `ws://` or `wss://` address of the live socket. Cookies are the browser's business. */
  readonly url: string;
  /** For tests. */
  readonly platform?: Platform;
}

/** Milliseconds in which a subscription must be answered: the server asks others before it does. */
const ANSWER = 20_000;
/** A second gap within this many milliseconds of asking again is not asked about but reported. */
const GAP_PATIENCE = 5_000;

interface Topic {
  readonly subscription: Subscription;
  readonly backoff: Backoff;
  /** Whether it was asked for on this connection. */
  asked: boolean;
  /** When a gap was last asked about. */
  gapAsked: number;
  cancel: (() => void) | null;
}

/**
 * The live socket: connects, subscribes, and after every interruption resumes where it was.
 *
 * What its listeners see of a device only moves forward in time, and faulty positions are told apart. Nothing
 * that the server sends makes it throw.
 */
export class LiveClient extends Emitter<ClientEvents> {
  readonly #platform: Platform;
  readonly #connection: Connection;
  readonly #topics = new Map<string, Topic>();

  constructor(options: ClientOptions) {
    super();
    this.#platform = options.platform ?? nativePlatform();
    this.#connection = new Connection(options.url, this.#platform, {
      changed: (state) => this.#changed(state),
      opened: () => this.#askForAll(),
      message: (data) => this.#message(data),
      withdrawn: (reason) => this.#withdrawn(reason),
    });
  }

  /** How the connection stands. */
  get connection(): ConnectionState {
    return this.#connection.state;
  }

  /** The last frame applied of a topic. */
  mark(topic: string): Mark | null {
    return this.#topics.get(topic)?.subscription.mark ?? null;
  }

  /** Connects, and keeps connected. */
  connect(): void {
    this.#connection.retry();
  }

  /** Somebody wants it now: connects at once, and asks again for what was refused. */
  retry(): void {
    for (const topic of this.#topics.values()) {
      topic.backoff.reset();
      if (topic.subscription.state === "refused" || topic.subscription.state === "retrying") this.#ask(topic);
    }
    this.#connection.retry();
  }

  /** The network or the page came back: finds out at once whether the connection lives. */
  check(): void {
    this.#connection.check();
  }

  /** Closes; {@link connect} resumes where it was. */
  close(): void {
    this.#connection.stop();
  }

  /** Wants a topic, from now and after every reconnect. */
  subscribe(name: string): void {
    if (this.#topics.has(name)) return;
    const backoff = new Backoff(() => this.#platform.random());
    const subscription = new Subscription(name);
    const topic: Topic = { subscription, backoff, asked: false, gapAsked: -Infinity, cancel: null };
    this.#topics.set(name, topic);
    this.#ask(topic);
  }

  /** Does not want a topic any more, and forgets where it was in it. */
  unsubscribe(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    topic.cancel?.();
    this.#topics.delete(name);
    this.#sendUnsubscribe(name);
  }

  #askForAll(): void {
    for (const topic of this.#topics.values()) if (topic.subscription.state !== "refused") this.#ask(topic);
  }

  #ask(topic: Topic): void {
    const { subscription } = topic;
    if (this.#connection.state.state !== "open") {
      subscription.interrupted();
      return this.#topicIs(topic, "pending");
    }
    // Unsubscribing first makes this request one that no server can take for a repetition.
    if (topic.asked) this.#sendUnsubscribe(subscription.topic);
    topic.asked = true;
    const uid = this.#connection.nextUid();
    const since = subscription.mark;
    subscription.asked(uid);
    this.#after(topic, ANSWER, () => this.#retryLater(topic));
    this.#topicIs(topic, "pending");
    const frame = { type: "subscribe", topic: subscription.topic, uid } as const;
    this.#connection.send(since === null ? frame : { ...frame, since });
  }

  #retryLater(topic: Topic, error?: ErrorFrame["error"]): void {
    this.#after(topic, topic.backoff.next(), () => this.#ask(topic));
    this.#topicIs(topic, "retrying", error);
  }

  #message(data: unknown): void {
    const { frame, problems } = readFrame(data);
    for (const detail of problems) this.emit("problem", { kind: "bad_frame", detail });
    if (frame !== null) this.#frame(frame);
  }

  #frame(frame: ServerFrame): void {
    switch (frame.type) {
      case "subscribed":
        return this.#subscribed(frame);
      case "positions":
        return this.#positions(frame);
      case "error":
        return this.#error(frame);
      case "unsubscribed":
      case "pong":
        return;
    }
  }

  #subscribed(frame: SubscribedFrame): void {
    const topic = this.#topics.get(frame.topic);
    if (topic === undefined || !topic.subscription.awaits(frame.uid)) return;
    const { subscription } = topic;
    const before = subscription.mark?.seq ?? frame.seq;
    const resumption = subscription.subscribed(frame);
    const mark = subscription.mark ?? { epoch: frame.epoch, seq: frame.seq };
    topic.cancel?.();
    topic.backoff.reset();
    const recovered = resumption === "recovered";
    const snapshot = recovered ? [] : frame.snapshot;
    this.#topicIs(topic, "live");
    this.emit("subscribed", {
      topic: frame.topic,
      resumption,
      mark,
      missed: recovered ? Math.max(frame.seq - before, 0) : 0,
      snapshot,
      complete: !frame.recovered && frame.snapshot_complete,
    });
    if (!recovered) this.#tell(topic, mark, "snapshot", snapshot);
    this.#tellCaughtUp(topic);
  }

  #positions(frame: PositionsFrame): void {
    const topic = this.#topics.get(frame.topic);
    if (topic === undefined) return;
    const { subscription } = topic;
    const arrival = subscription.positions(frame);
    if (arrival.kind === "ignored") return;
    if (arrival.kind === "gap") {
      const detail = `${frame.topic}: ${arrival.missing} frames are missing before ${frame.seq}`;
      this.emit("problem", { kind: "gap", detail });
      const now = this.#platform.now();
      if (now - topic.gapAsked >= GAP_PATIENCE) {
        topic.gapAsked = now;
        return this.#ask(topic);
      }
      subscription.skipTo(frame.seq);
    }
    if (frame.removed.length > 0) {
      subscription.clocks.forget(frame.removed);
      this.emit("removed", { topic: frame.topic, devices: frame.removed });
    }
    if (subscription.mark !== null) this.#tell(topic, subscription.mark, "frame", frame.positions);
    this.#tellCaughtUp(topic);
  }

  #error(frame: ErrorFrame): void {
    const { error, uid } = frame;
    const topic =
      frame.topic === undefined
        ? [...this.#topics.values()].find((one) => uid !== undefined && one.subscription.awaits(uid))
        : this.#topics.get(frame.topic);
    if (topic === undefined || topic.subscription.state === "refused" || !topic.subscription.concerns(uid)) {
      return this.emit("problem", { kind: "server_error", detail: `${error.code}: ${error.message}` });
    }
    if (error.temporary) return this.#retryLater(topic, error);
    topic.cancel?.();
    this.#topicIs(topic, "refused", error);
  }

  #withdrawn(reason: string): boolean {
    // A server that says which topic leaves us the others.
    const named = this.#topics.get(reason);
    for (const topic of named === undefined ? this.#topics.values() : [named]) {
      topic.cancel?.();
      this.#topicIs(topic, "refused");
    }
    return [...this.#topics.values()].some((topic) => topic.subscription.state !== "refused");
  }

  #changed(state: ConnectionState): void {
    if (state.state !== "open") {
      for (const topic of this.#topics.values()) {
        topic.cancel?.();
        topic.cancel = null;
        topic.asked = false;
        topic.subscription.interrupted();
      }
    }
    this.emit("connection", state);
  }

  #tell(topic: Topic, mark: Mark, origin: "snapshot" | "frame", positions: readonly Position[]): void {
    const sorted = topic.subscription.clocks.sort(positions);
    this.emit("positions", { topic: topic.subscription.topic, origin, mark, ...sorted });
  }

  #tellCaughtUp(topic: Topic): void {
    const replayed = topic.subscription.caughtUp();
    if (replayed !== null) this.emit("resumed", { topic: topic.subscription.topic, replayed });
  }

  #topicIs(topic: Topic, state: TopicState, error?: ErrorFrame["error"]): void {
    topic.subscription.state = state;
    const event = { topic: topic.subscription.topic, state };
    this.emit("topic", error === undefined ? event : { ...event, error });
  }

  #sendUnsubscribe(topic: string): void {
    this.#connection.send({ type: "unsubscribe", topic, uid: this.#connection.nextUid() });
  }

  #after(topic: Topic, delay: number, run: () => void): void {
    topic.cancel?.();
    topic.cancel = this.#platform.after(delay, run);
  }
}
