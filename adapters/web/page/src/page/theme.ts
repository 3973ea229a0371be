import { derivedColour, parseHex, readable, toHex, type Rgb } from "./colour.js";
import type { DeviceConfig } from "./config.js";

/** The colours of the map, from the style sheet, and those of the cars on it. */
export class Theme {
  ground = "#ffffff";
  line = "#000000";
  lineLabel = "#000000";
  route = "#000000";
  routeCasing = "#ffffff";
  ink = "#000000";
  bad = "#ff0000";
  accent = "#0000ff";
  font = "sans-serif";
  readonly #cars = new Map<string, string>();
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");

  constructor(private readonly devices: ReadonlyMap<string, DeviceConfig>) {
    this.#read();
  }

  /** Calls `listener` whenever the colours become others. */
  onChange(listener: () => void): void {
    this.#dark.addEventListener("change", () => {
      this.#read();
      listener();
    });
  }

  /** The colour of a car: its own, or one derived from its name; either can be read on the ground. */
  car(id: string): string {
    const known = this.#cars.get(id);
    if (known !== undefined) return known;
    const ground: Rgb = parseHex(this.ground) ?? [1, 1, 1];
    const own = parseHex(this.devices.get(id)?.colour ?? "");
    const colour = toHex(own === null ? derivedColour(id, ground) : readable(own, ground, 3));
    this.#cars.set(id, colour);
    return colour;
  }

  #read(): void {
    const style = getComputedStyle(document.documentElement);
    const value = (name: string): string => style.getPropertyValue(name).trim();
    this.ground = value("--ground");
    this.line = value("--graticule");
    this.lineLabel = value("--graticule-label");
    this.route = value("--route");
    this.routeCasing = value("--route-casing");
    this.ink = value("--ink");
    this.bad = value("--bad");
    this.accent = value("--accent");
    this.font = value("--font");
    this.#cars.clear();
  }
}

/** What a car is called: its label, or the end of its device's name. */
export function carName(id: string, devices: ReadonlyMap<string, DeviceConfig>): string {
  return devices.get(id)?.label ?? (id.length > 6 ? `…${id.slice(-5)}` : id);
}

/** What is written beside it on the map: only the number, where a label begins with one. */
export function shortName(name: string): string {
  return /^#?\d+[a-z]?(?=\s)/i.exec(name)?.[0] ?? name;
}
