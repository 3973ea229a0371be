/** The live map: reads its configuration, then follows one event. */
import { LiveClient } from "../client/index.js";
import { attribution } from "./attribution.js";
import { CarList } from "./car_list.js";
import { Cars } from "./cars.js";
import { showChooser } from "./chooser.js";
import { readConfig, type PageConfig } from "./config.js";
import { offerDebugHandle } from "./debug_handle.js";
import { element } from "./element.js";
import { FrameMeter } from "./frame_meter.js";
import { MapView } from "./map_view.js";
import { SelectedCard } from "./selected_card.js";
import { ServerClock } from "./server_clock.js";
import { showSidePanel } from "./side_panel.js";
import { StatusBar } from "./status_bar.js";
import { carName, shortName, Theme } from "./theme.js";

/** Milliseconds between two updates of what is text. */
const TEXTS = 500;

async function fetchConfig(): Promise<{ config: PageConfig; clock: ServerClock }> {
  const asked = Date.now();
  const answer = await fetch("config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  const clock = ServerClock.compare(answer.headers.get("date"), asked, Date.now());
  return { config: readConfig(await answer.json(), location.href), clock };
}

function follow(event: string, config: PageConfig, serverClock: ServerClock): void {
  const topic = `event:${event}`;
  const clock = (): number => serverClock.now();
  const nameOf = (id: string): string => carName(id, config.devices);
  const cars = new Cars();
  const theme = new Theme(config.devices);
  const meter = new FrameMeter();
  const client = new LiveClient({ url: config.socket });

  const title = config.events.find((one) => one.id === event)?.name ?? event;
  element("title", HTMLElement).textContent = title;
  document.title = `${title} · live map`;
  element("app", HTMLElement).hidden = false;
  showSidePanel();

  let [selected, following]: [string | null, boolean] = [null, false];
  const select = (id: string | null, moveAlong: boolean): void => {
    [selected, following] = [id, id !== null && moveAlong];
    map.select(selected, following);
    list.select(selected);
    updateTexts();
  };
  const parts = { config, cars, theme, clock, labelOf: (id: string) => shortName(nameOf(id)) };
  const map = new MapView(parts, {
    picked: (id) => select(id, true),
    moved: () => select(selected, false),
  });
  const list = new CarList(cars, theme, nameOf, (id) => select(id, true));
  const card = new SelectedCard(
    () => select(selected, !following),
    () => select(null, false),
  );
  const status = new StatusBar(client, meter, clock);
  const updateTexts = (): void => {
    if (document.hidden) return;
    const now = clock();
    status.update();
    list.update(now, performance.now());
    const car = selected === null ? undefined : cars.get(selected);
    card.update(car, nameOf(car?.id ?? ""), theme.car(car?.id ?? ""), following, now);
  };

  client.on("positions", ({ origin, moved, faulty }) => {
    cars.apply(moved, faulty);
    if (origin === "frame") {
      const newest = moved.reduce((latest, position) => Math.max(latest, position.at), -Infinity);
      meter.frame(clock(), Number.isFinite(newest) ? newest : null);
    }
    map.carsChanged();
  });
  client.on("subscribed", ({ complete, snapshot }) => {
    meter.restart(clock());
    if (!complete) return;
    cars.keepOnly(new Set(snapshot.map((position) => position.device_id)), clock());
    map.carsForgotten();
  });
  client.on("removed", ({ devices }) => {
    cars.remove(devices);
    map.carsForgotten();
  });
  offerDebugHandle(client, cars, topic, () => status.standing);

  element("filter", HTMLElement).addEventListener("input", updateTexts);
  element("sort", HTMLElement).addEventListener("change", updateTexts);
  theme.onChange(updateTexts);
  addEventListener("keydown", (key) => {
    if (key.key === "Escape" && selected !== null) select(following ? selected : null, false);
  });
  addEventListener("online", () => client.check());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) client.check();
  });
  setInterval(() => {
    updateTexts();
    // Cars grow old and trails fade also while nothing arrives.
    map.carsChanged();
  }, TEXTS);

  client.subscribe(topic);
  client.connect();
}

async function start(): Promise<void> {
  const notice = element("notice", HTMLElement);
  let found: Awaited<ReturnType<typeof fetchConfig>>;
  try {
    found = await fetchConfig();
  } catch (error) {
    console.error(error);
    notice.textContent = "The live map cannot be reached. It is tried again every five seconds.";
    notice.hidden = false;
    setTimeout(() => void start(), 5_000);
    return;
  }
  const { config, clock } = found;
  notice.hidden = true;
  const words = element("attribution", HTMLElement);
  words.hidden = config.tileUrl === null || config.tileAttribution === "";
  words.replaceChildren(...attribution(config.tileAttribution));
  const event = new URLSearchParams(location.search).get("event")?.trim() || config.event;
  if (event === null) showChooser(config);
  else follow(event, config, clock);
}

void start();
