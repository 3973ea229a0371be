import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { ClientFrame } from "../src/client/frames.js";
import { Topic, type WirePosition } from "./stub_topic.js";

/** How a stub server starts. */
export interface StubOptions {
  /** 0: any. */
  readonly port?: number;
  /** How many frames per topic can be resumed from. */
  readonly history?: number;
  /** Answers what is not the live socket. */
  readonly pages?: RequestListener;
}

interface Viewer {
  readonly socket: WebSocket;
  readonly topics: Set<string>;
}

/**
 * Speaks the protocol of the live socket, and misbehaves on request. Everything is in memory, everybody may
 * look at everything unless told otherwise.
 */
export class StubServer {
  /** Every frame that clients sent, in order. */
  readonly received: ClientFrame[] = [];
  /** Upgrades asked for, refused ones among them. */
  upgrades = 0;
  /** The status that upgrades are refused with; null: they are accepted. */
  refusal: number | null = null;
  /** Says and answers nothing, although the connection stands. */
  mute = false;
  /** Whether snapshots can be read. */
  snapshots = true;
  /** Topics that nobody may see, and whether that is for now only. */
  readonly denied = new Map<string, { temporary: boolean }>();
  #epoch = 1;
  #swallow = 0;
  readonly #topics = new Map<string, Topic>();
  readonly #viewers = new Set<Viewer>();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 });

  private constructor(
    private readonly http: Server,
    private readonly history: number,
  ) {
    http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Listens on 127.0.0.1. */
  static async start(options: StubOptions = {}): Promise<StubServer> {
    const http = createServer(options.pages ?? ((_, response) => response.writeHead(404).end()));
    const server = new StubServer(http, options.history ?? 1_000);
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return server;
  }

  /** The port it listens on. */
  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  /** The address of the live socket. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}/live`;
  }

  /** How many viewers are connected. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Sends the next frame of a topic, and gives its sequence number. */
  publish(name: string, positions: readonly WirePosition[]): number {
    const topic = this.#topic(name);
    const frame = topic.add(positions);
    if (this.#swallow > 0) {
      this.#swallow -= 1;
      return frame.seq;
    }
    for (const viewer of this.#viewers) if (viewer.topics.has(name)) this.#send(viewer, frame);
    return frame.seq;
  }

  /** Leaves the next frames out, as if they had been lost on the way. */
  swallow(frames: number): void {
    this.#swallow += frames;
  }

  /** Forgets what was sent, as a restart does. */
  newEpoch(): void {
    this.#epoch += 1;
    for (const topic of this.#topics.values()) topic.restart();
  }

  /** Breaks every connection without a word. */
  cut(): void {
    for (const viewer of this.#viewers) viewer.socket.terminate();
  }

  /** Closes every connection with a code. */
  close(code: number, reason = ""): void {
    for (const viewer of this.#viewers) viewer.socket.close(code, reason);
  }

  /** Sends any text to everybody. */
  say(text: string): void {
    for (const viewer of this.#viewers) viewer.socket.send(text);
  }

  /** Stops listening and breaks what is open. */
  async stop(): Promise<void> {
    this.cut();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.upgrades += 1;
    const path = new URL(request.url ?? "/", "http://stub").pathname;
    const status = path === "/live" ? this.refusal : 404;
    if (status !== null) {
      const retry = status === 503 ? "Retry-After: 1\r\n" : "";
      socket.end(`HTTP/1.1 ${status} No\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (open) => this.#welcome(open));
  }

  #welcome(socket: WebSocket): void {
    const viewer: Viewer = { socket, topics: new Set() };
    this.#viewers.add(viewer);
    socket.on("message", (data) => {
      if (!this.mute) this.#answer(viewer, String(data));
    });
    socket.on("error", () => undefined); // a close follows
    socket.on("close", () => this.#viewers.delete(viewer));
  }

  #answer(viewer: Viewer, text: string): void {
    let frame: ClientFrame;
    try {
      frame = JSON.parse(text) as ClientFrame;
    } catch {
      return viewer.socket.close(4400, "bad message");
    }
    this.received.push(frame);
    switch (frame.type) {
      case "ping":
        return this.#send(viewer, { type: "pong", uid: frame.uid });
      case "unsubscribe":
        viewer.topics.delete(frame.topic);
        return this.#send(viewer, { type: "unsubscribed", topic: frame.topic, uid: frame.uid });
      case "subscribe":
        return this.#subscribe(viewer, frame);
      default:
        return viewer.socket.close(4400, "bad message");
    }
  }

  #subscribe(viewer: Viewer, frame: ClientFrame & { type: "subscribe" }): void {
    const { topic: name, uid, since } = frame;
    const denied = this.denied.get(name);
    if (denied !== undefined) {
      const code = denied.temporary ? "unavailable" : "forbidden";
      const error = { code, message: "no access", temporary: denied.temporary };
      return this.#send(viewer, { type: "error", uid, topic: name, error });
    }
    const topic = this.#topic(name);
    const epoch = `epoch-${this.#epoch}`;
    const missed = since?.epoch === epoch ? topic.after(since.seq) : null;
    viewer.topics.add(name);
    this.#send(viewer, {
      type: "subscribed",
      topic: name,
      uid,
      epoch,
      seq: topic.seq,
      recovered: missed !== null,
      snapshot: missed === null && this.snapshots ? topic.snapshot() : [],
      snapshot_complete: missed === null && this.snapshots,
    });
    for (const one of missed ?? []) this.#send(viewer, one);
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name) ?? new Topic(name, this.history);
    this.#topics.set(name, topic);
    return topic;
  }

  #send(viewer: Viewer, frame: object): void {
    if (!this.mute && viewer.socket.readyState === WebSocket.OPEN) viewer.socket.send(JSON.stringify(frame));
  }
}
