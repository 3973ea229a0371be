/** Colours that can be told apart and read on the map's ground, light or dark. */

/** Red, green, blue, each 0…1. */
export type Rgb = readonly [number, number, number];

/** The least contrast of a car with the ground: what WCAG 2 asks of text. */
export const LEAST_CONTRAST = 4.5;

/** Reads `#rrggbb`; null if it is not that. */
export function parseHex(text: string): Rgb | null {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text.trim());
  if (match === null) return null;
  const [red = 0, green = 0, blue = 0] = match.slice(1).map((pair) => parseInt(pair, 16) / 255);
  return [red, green, blue];
}

/** Writes `#rrggbb`. */
export function toHex(colour: Rgb): string {
  const pair = (part: number): string =>
    Math.round(part * 255)
      .toString(16)
      .padStart(2, "0");
  return `#${colour.map(pair).join("")}`;
}

/** The contrast of two colours by WCAG 2: 1 (none) to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

/** The hue of a device that has no colour of its own: the same on every screen and at every visit. */
export function hueOf(id: string): number {
  return ((hash(id) >>> 8) / 0x1000000) * 360;
}

/** FNV-1a, mixed once more: names differ in their last digits only, and neighbours must not look alike. */
function hash(id: string): number {
  let mixed = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) mixed = Math.imul(mixed ^ id.charCodeAt(i), 0x01000193) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 0;
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/** A colour for a device on this ground: one of many hues, in one of two tones. */
export function derivedColour(id: string, ground: Rgb): Rgb {
  const deep = hash(id) % 2 === 0;
  const tones = luminance(ground) > 0.18 ? ([0.4, 0.55] as const) : ([0.68, 0.84] as const);
  return readable(oklch(deep ? tones[0] : tones[1], 0.19, hueOf(id)), ground);
}

/** `colour`, made darker or lighter until it can be read on `ground`; its hue stays. */
export function readable(colour: Rgb, ground: Rgb, least = LEAST_CONTRAST): Rgb {
  const goal: Rgb = luminance(ground) > 0.18 ? [0, 0, 0] : [1, 1, 1];
  for (let share = 0; share < 1; share += 0.02) {
    const mixed = mix(colour, goal, share);
    if (contrast(mixed, ground) >= least) return mixed;
  }
  return goal;
}

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2): number => a[index] + (b[index] - a[index]) * share;
  return [part(0), part(1), part(2)];
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(part: number): number {
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

function gamma(part: number): number {
  return part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055;
}

/** OKLCH (lightness 0…1, chroma, hue in degrees) to RGB; chroma is lowered to what a screen can show. */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  for (let c = chroma; c > 0; c -= 0.005) {
    const rgb = oklab(lightness, c * Math.cos((hue * Math.PI) / 180), c * Math.sin((hue * Math.PI) / 180));
    if (rgb.every((part) => part >= 0 && part <= 1)) return rgb;
  }
  return oklab(lightness, 0, 0).map((part) => Math.min(1, Math.max(0, part))) as unknown as Rgb;
}

function oklab(lightness: number, a: number, b: number): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const red = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
  const green = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
  const blue = -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s;
  return [gamma(Math.max(red, -1)), gamma(green), gamma(blue)];
}
