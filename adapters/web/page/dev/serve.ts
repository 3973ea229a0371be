/** The development server: the page, its configuration, a live socket with moving cars, and ways to disturb it. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import { Route } from "./stub_route.js";
import { StubServer } from "./stub_server.js";
import { World } from "./stub_world.js";

/** The policy that the page works under; the README explains it. */
const policy = (tiles: boolean): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    tiles ? "img-src 'self' data:" : "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    port: { type: "string", default: "8090" },
    cars: { type: "string", default: "24" },
    tick: { type: "string", default: "250" },
    history: { type: "string", default: "1000" },
    route: { type: "string", default: "yes" },
    event: { type: "string", default: "demo" },
    names: { type: "string", default: "yes" },
    tiles: { type: "string", default: "no" },
  },
});

const EVENTS = [
  { id: "demo", name: "Rally of the Hills" },
  { id: "empty", name: "An event without cars" },
];
const route = new Route({ latitude: 54.71, longitude: 25.3 });
const world = new World(route, Number(values.cars));
const config = {
  event: values.event === "" ? null : values.event,
  events: values.names === "yes" ? EVENTS : [],
  socket: "/live",
  tile_url: values.tiles === "yes" ? "/dev/tile/{z}/{x}/{y}.svg" : null,
  tile_attribution: '© <a href="https://example.org/">The mapmakers</a>',
  route: values.route === "yes" ? route.places.map(({ latitude, longitude }) => [latitude, longitude]) : null,
  devices: world.devices(),
};

const server = await StubServer.start({
  port: Number(values.port),
  history: Number(values.history),
  pages: (request, response) => void answer(request, response),
});
const tick = Number(values.tick);
setInterval(() => {
  const positions = world.tick(Date.now(), tick);
  if (positions.length > 0) server.publish("event:demo", positions);
}, tick);
console.log(
  `http://127.0.0.1:${server.port}/  disturb it: POST /dev/{cut,close?code=4401,refuse?seconds=10,`,
);
console.log("  deny?seconds=10,epoch,swallow?frames=3,mute?seconds=60,snapshots?seconds=10,say?text=…}");

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://stub");
  if (url.pathname.startsWith("/dev/") && request.method === "POST") {
    const done = disturb(url.pathname.slice("/dev/".length), url.searchParams);
    response.writeHead(done ? 204 : 404).end();
    return;
  }
  if (url.pathname === "/config.json") {
    response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(JSON.stringify(config));
    return;
  }
  if (url.pathname.startsWith("/dev/tile/")) {
    const text = url.pathname.slice("/dev/tile/".length).replace(".svg", "");
    response.writeHead(200, { "Content-Type": "image/svg+xml" });
    response.end(tile(text));
    return;
  }
  const name = url.pathname === "/" ? "index.html" : url.pathname.slice(1);
  const type = TYPES[/^[a-z]+\.([a-z]+)$/.exec(name)?.[1] ?? ""];
  const content = type === undefined ? null : await readFile(`dist/${name}`).catch(() => null);
  if (type === undefined || content === null) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "Content-Type": type,
    "Content-Security-Policy": policy(values.tiles === "yes"),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": url.searchParams.has("v") ? "public, max-age=31536000, immutable" : "no-cache",
  });
  response.end(content);
}

/** A tile that says which one it is. */
function tile(text: string): string {
  const frame = '<rect width="256" height="256" fill="#e3ecd9" stroke="#9db38a"/>';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256">${frame}<text x="9" y="20">${text}</text></svg>`;
}

/** Does one of the things that happen to servers; false if it is none. */
function disturb(what: string, how: URLSearchParams): boolean {
  const seconds = Number(how.get("seconds") ?? "10");
  const forAWhile = (begin: () => void, end: () => void): void => {
    begin();
    setTimeout(end, seconds * 1_000);
  };
  switch (what) {
    case "cut":
      server.cut();
      return true;
    case "close":
      server.close(Number(how.get("code") ?? "1001"), how.get("reason") ?? "");
      return true;
    case "refuse":
      forAWhile(
        () => {
          server.refusal = Number(how.get("status") ?? "503");
          server.cut();
        },
        () => (server.refusal = null),
      );
      return true;
    case "deny":
      forAWhile(
        () => server.denied.set("event:demo", { temporary: how.get("temporary") === "true" }),
        () => server.denied.delete("event:demo"),
      );
      server.cut();
      return true;
    case "epoch":
      server.newEpoch();
      server.cut();
      return true;
    case "swallow":
      server.swallow(Number(how.get("frames") ?? "3"));
      return true;
    case "mute":
      forAWhile(
        () => (server.mute = true),
        () => (server.mute = false),
      );
      return true;
    case "snapshots":
      forAWhile(
        () => (server.snapshots = false),
        () => (server.snapshots = true),
      );
      return true;
    case "say":
      server.say(how.get("text") ?? "");
      return true;
    default:
      return false;
  }
}
