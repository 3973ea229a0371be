/** Web Mercator with the whole world as the unit square: x grows eastward, y southward. */

/** The latitude at which the square ends, in degrees. */
export const EDGE = 85.0511287798066;

/** Metres around the equator. */
const EQUATOR = 40_075_016.686;

/** Degrees to 0…1. */
export function worldX(longitude: number): number {
  return longitude / 360 + 0.5;
}

/** Degrees to 0…1; latitudes beyond {@link EDGE} are at the edge. */
export function worldY(latitude: number): number {
  const sine = Math.sin((Math.max(-EDGE, Math.min(EDGE, latitude)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

/** 0…1 to degrees. */
export function longitudeOf(x: number): number {
  return (x - 0.5) * 360;
}

/** 0…1 to degrees. */
export function latitudeOf(y: number): number {
  return (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI;
}

/** How many metres one pixel is at a latitude, where the world is `scale` pixels wide. */
export function metresPerPixel(latitude: number, scale: number): number {
  return (EQUATOR * Math.cos((latitude * Math.PI) / 180)) / scale;
}
