/** The part of a WebSocket that the client uses; those of browsers and of Node have it. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** What the client needs of the world around it; tests bring their own. */
export interface Platform {
  /** Milliseconds on any clock that moves on during the sleep of the machine. */
  now(): number;
  /** Calls `run` once after `delay` milliseconds, unless the returned function is called before. */
  after(delay: number, run: () => void): () => void;
  /** A number from 0 to below 1, for spreading reconnects. */
  random(): number;
  /** Begins to connect. */
  open(url: string): Socket;
}

// Named here and not taken from the DOM's types, so that the client also compiles where there is no DOM.
interface Globals {
  readonly WebSocket: new (url: string) => Socket;
  setTimeout(run: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** The platform that the program runs on. */
export function nativePlatform(): Platform {
  const globals = globalThis as unknown as Globals;
  return {
    now: () => Date.now(),
    after(delay, run) {
      const timer = globals.setTimeout(run, delay);
      return () => globals.clearTimeout(timer);
    },
    random: () => Math.random(),
    open: (url) => new globals.WebSocket(url),
  };
}
