/** Numbers as people read them. */

import { letter } from "./graticule.js";

/** How long ago, from milliseconds. */
export function age(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** How far behind, from milliseconds: with tenths of a second while they mean something. */
export function delay(milliseconds: number): string {
  if (milliseconds < 0) return "0.0 s";
  return milliseconds < 9_950 ? `${(milliseconds / 1_000).toFixed(1)} s` : age(milliseconds);
}

/** Kilometres per hour; a dash if unknown. */
export function speed(kmh: number | undefined): string {
  return kmh === undefined ? "–" : String(Math.round(kmh));
}

/** Degrees clockwise from north and the wind's name. */
export function heading(degrees: number): string {
  const winds = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
  return `${Math.round(degrees) % 360}° ${winds[Math.round(degrees / 45) % 8] ?? ""}`;
}

/** Such as `54.71464° N  25.30322° E`: about a metre. */
export function coordinates(latitude: number, longitude: number): string {
  const north = `${Math.abs(latitude).toFixed(5)}° ${letter(latitude, "latitude")}`;
  return `${north}  ${Math.abs(longitude).toFixed(5)}° ${letter(longitude, "longitude")}`;
}

/** The time of day where the reader is, with seconds. */
export function clock(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
}

/** A number of things. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
