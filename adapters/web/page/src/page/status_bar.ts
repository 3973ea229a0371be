import type { ConnectionState, LiveClient, TopicState } from "../client/index.js";
import { announce } from "./announcer.js";
import { element, setAttribute, setText } from "./element.js";
import * as format from "./format.js";
import type { FrameMeter } from "./frame_meter.js";
import { advice, canTry, standing, standingText, type Standing } from "./standing.js";

/** Milliseconds for which it is said how a reconnect went. */
const NOTED = 12_000;

/** The connection in words and numbers. Its state is also in `data-state`, for style sheets and tests. */
export class StatusBar {
  readonly #bar = element("status", HTMLElement);
  readonly #text = element("status-text", HTMLElement);
  readonly #note = element("status-note", HTMLElement);
  readonly #delay = element("status-delay", HTMLElement);
  readonly #rate = element("status-rate", HTMLElement);
  readonly #retry = element("retry", HTMLButtonElement);
  #connection: ConnectionState = { state: "idle" };
  #topic: TopicState = "pending";
  #wasLive = false;
  #nextTry = 0;
  #noted: { readonly text: string; readonly until: number } | null = null;
  #interruptions = 0;

  constructor(
    client: LiveClient,
    private readonly meter: FrameMeter,
    private readonly clock: () => number,
  ) {
    client.on("connection", (state) => this.#connectionIs(state));
    client.on("topic", ({ state }) => {
      this.#topic = state;
      if (state === "live") this.#wasLive = true;
      this.#say();
    });
    client.on("subscribed", ({ resumption, complete }) => {
      setAttribute(this.#bar, "data-resumption", resumption);
      if (resumption === "fresh") this.#notes(complete ? "Fresh snapshot" : "Fresh start, snapshot missing");
      if (resumption === "first" && !complete) this.#notes("Snapshot missing: cars appear as they report");
    });
    client.on("resumed", () => {
      this.#notes("Resumed: nothing missed");
      setAttribute(this.#bar, "data-resumption", "resumed");
    });
    this.#retry.addEventListener("click", () => client.retry());
    this.#say();
  }

  /** How the page stands. */
  get standing(): Standing {
    return standing(this.#connection, this.#topic, this.#wasLive);
  }

  /** Shows the numbers of now. */
  update(): void {
    const now = this.clock();
    const state = this.standing;
    const delay = this.meter.delay(now);
    setText(this.#delay, delay === null ? "–" : format.delay(delay));
    setText(this.#rate, state === "live" ? `${this.meter.rate(now).toFixed(1)}/s` : "–");
    const waiting = this.#connection.state === "waiting" || this.#connection.state === "signed_out";
    setText(this.#text, standingText(state, waiting ? this.#nextTry - performance.now() : null));
    const noted = this.#noted !== null && performance.now() < this.#noted.until ? this.#noted.text : "";
    setText(this.#note, advice(state, this.#connection) || (state === "live" ? noted : ""));
  }

  #connectionIs(state: ConnectionState): void {
    if (this.#connection.state === "open" && state.state !== "open") {
      this.#interruptions += 1;
      setAttribute(this.#bar, "data-interruptions", String(this.#interruptions));
    }
    this.#connection = state;
    this.#nextTry = performance.now() + ("delay" in state ? state.delay : 0);
    this.#say();
  }

  #notes(text: string): void {
    this.#noted = { text, until: performance.now() + NOTED };
    this.#say();
  }

  #say(): void {
    const state = this.standing;
    setAttribute(this.#bar, "data-state", state);
    this.#retry.hidden = !canTry(state);
    this.update();
    const words = [standingText(state, null), this.#note.textContent ?? ""].filter((one) => one !== "");
    announce(words.join(". "));
  }
}
