/** The net of meridians and parallels: which ones to draw, and what to write at them. */

/** The window, in degrees. */
export interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

/** Lines in degrees; all are whole multiples of `step`. */
export interface Graticule {
  /** Degrees between lines. */
  readonly step: number;
  readonly meridians: readonly number[];
  readonly parallels: readonly number[];
}

/** A compass letter belongs to the axis. */
export type Axis = "longitude" | "latitude";

const MINUTE = 60;
const DEGREE = 3_600;

/** Distances between lines that a reader can count in, in seconds of arc. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 5, 10, 15, 30].map((degrees) => degrees * DEGREE),
];

/**
 * The finest net whose meridians are at least `least` pixels apart.
 *
 * @param pixelsPerDegree of longitude; degrees of latitude are never shorter in Mercator
 */
export function graticule(bounds: Bounds, pixelsPerDegree: number, least = 120): Graticule {
  const wanted = (least / pixelsPerDegree) * DEGREE;
  const step = STEPS.find((one) => one >= wanted) ?? 30 * DEGREE;
  return {
    step: step / DEGREE,
    meridians: multiples(step, Math.max(bounds.west, -180), Math.min(bounds.east, 180)),
    parallels: multiples(step, Math.max(bounds.south, -90), Math.min(bounds.north, 90)),
  };
}

// Counted in whole seconds of arc: sums of fractions of a degree would drift.
function multiples(step: number, from: number, to: number): number[] {
  const lines: number[] = [];
  const last = Math.floor((to * DEGREE) / step);
  for (let n = Math.ceil((from * DEGREE) / step); n <= last; n += 1) lines.push((n * step) / DEGREE);
  return lines;
}

/** Such as `54°42′N`, with minutes and seconds only where the step has them. */
export function lineLabel(degrees: number, axis: Axis, step: number): string {
  const seconds = Math.round(Math.abs(degrees) * DEGREE);
  const parts = [`${Math.floor(seconds / DEGREE)}°`];
  const stepSeconds = Math.round(step * DEGREE);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (stepSeconds % DEGREE !== 0) parts.push(`${two(Math.floor(seconds / MINUTE) % 60)}′`);
  if (stepSeconds % MINUTE !== 0) parts.push(`${two(seconds % 60)}″`);
  return parts.join("") + (seconds === 0 ? "" : letter(degrees, axis));
}

/** The compass letter of a signed angle. */
export function letter(degrees: number, axis: Axis): string {
  if (axis === "longitude") return degrees < 0 ? "W" : "E";
  return degrees < 0 ? "S" : "N";
}

/** A length for a scale bar. */
export interface ScaleBar {
  readonly label: string;
  readonly pixels: number;
}

/** The longest bar of 1, 2 or 5 times a power of ten metres that is at most `most` pixels long. */
export function scaleBar(metresPerPixel: number, most: number): ScaleBar {
  const longest = metresPerPixel * most;
  const power = 10 ** Math.floor(Math.log10(longest));
  const metres = power * ([5, 2].find((factor) => factor * power <= longest) ?? 1);
  const label = metres >= 1_000 ? `${metres / 1_000} km` : metres >= 1 ? `${metres} m` : `${metres * 100} cm`;
  return { label, pixels: metres / metresPerPixel };
}
