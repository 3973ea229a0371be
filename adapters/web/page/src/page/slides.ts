import type { Car } from "./cars.js";

/** Milliseconds in which a marker goes from one fix to the next. */
const SLIDE = 350;
/** Farther than this part of the world (about a kilometre) a marker does not slide: it would sweep over the map. */
const FARTHEST = 2.5e-5;

interface Slide {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
  began: number;
}

/**
 * Where markers are drawn: shortly on the way to the newest fix, then on it. Never beyond it, for where a car
 * is now nobody knows.
 */
export class Slides {
  readonly #slides = new Map<string, Slide>();
  readonly #reduced = matchMedia("(prefers-reduced-motion: reduce)");

  /** Where to draw a car at a time of the screen, and whether it is still on its way. */
  place(car: Car, now: number): { x: number; y: number; moving: boolean } {
    const slide = this.#slides.get(car.id);
    if (slide === undefined) {
      this.#slides.set(car.id, { fromX: car.x, fromY: car.y, toX: car.x, toY: car.y, began: -Infinity });
      return { x: car.x, y: car.y, moving: false };
    }
    if (slide.toX !== car.x || slide.toY !== car.y) this.#begin(slide, car, now);
    const part = (now - slide.began) / SLIDE;
    if (part >= 1) return { x: car.x, y: car.y, moving: false };
    return { ...along(slide, part), moving: true };
  }

  /** Forgets the cars that are gone. */
  keepOnly(known: (id: string) => boolean): void {
    for (const id of this.#slides.keys()) if (!known(id)) this.#slides.delete(id);
  }

  #begin(slide: Slide, car: Car, now: number): void {
    const part = (now - slide.began) / SLIDE;
    const from = part >= 1 ? { x: slide.toX, y: slide.toY } : along(slide, part);
    const far = Math.abs(car.x - from.x) + Math.abs(car.y - from.y) > FARTHEST;
    slide.fromX = from.x;
    slide.fromY = from.y;
    slide.toX = car.x;
    slide.toY = car.y;
    slide.began = far || this.#reduced.matches ? -Infinity : now;
  }
}

function along(slide: Slide, part: number): { x: number; y: number } {
  const eased = 1 - (1 - Math.max(part, 0)) ** 2;
  return {
    x: slide.fromX + (slide.toX - slide.fromX) * eased,
    y: slide.fromY + (slide.toY - slide.fromY) * eased,
  };
}
