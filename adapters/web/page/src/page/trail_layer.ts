import type { Car, Cars } from "./cars.js";
import type { Layer, View } from "./stage.js";
import type { Theme } from "./theme.js";
import { HOLE, TRAIL } from "./trail.js";

/** From the oldest part of a trail to the newest. */
const SHADES = [0.1, 0.2, 0.32, 0.48, 0.7] as const;
/** Pixels that a point must be away from the last one drawn. */
const NEAR = 2.5;

/** The way of each car in the last minutes, fading. */
export class TrailLayer implements Layer {
  /** The car that is selected: its trail is drawn last and wider. */
  selected: string | null = null;

  constructor(
    private readonly cars: Cars,
    private readonly theme: Theme,
    private readonly clock: () => number,
  ) {}

  paint(context: CanvasRenderingContext2D, view: View): null {
    context.lineJoin = "round";
    context.lineCap = "butt";
    context.lineWidth = 2.5;
    const now = this.clock();
    for (const car of this.cars.all())
      if (car.id !== this.selected) this.#paintTrail(context, view, car, now);
    const selected = this.selected === null ? undefined : this.cars.get(this.selected);
    if (selected !== undefined) {
      context.lineWidth = 4;
      this.#paintTrail(context, view, selected, now);
    }
    context.globalAlpha = 1;
    return null;
  }

  #paintTrail(context: CanvasRenderingContext2D, view: View, { id, trail }: Car, now: number): void {
    const oldest = now - TRAIL;
    let [lastX, lastY, lastAt, shade] = [0, 0, -Infinity, -1];
    let begun = false;
    context.strokeStyle = this.theme.car(id);
    for (let index = 0; index < trail.length; index += 1) {
      const at = trail.at(index);
      if (at < oldest) continue;
      const x = trail.x(index) * view.scale - view.left;
      const y = trail.y(index) * view.scale - view.top;
      const hole = at - lastAt > HOLE;
      const newest = index === trail.length - 1;
      if (!hole && !newest && Math.abs(x - lastX) + Math.abs(y - lastY) < NEAR) {
        lastAt = at;
        continue;
      }
      const next = Math.min(
        SHADES.length - 1,
        Math.max(0, Math.floor(((at - oldest) / TRAIL) * SHADES.length)),
      );
      if (next !== shade) {
        if (begun) context.stroke();
        shade = next;
        context.globalAlpha = SHADES[shade] ?? 1;
        context.beginPath();
        context.moveTo(hole ? x : lastX, hole ? y : lastY);
        begun = true;
      }
      if (hole) context.moveTo(x, y);
      else context.lineTo(x, y);
      [lastX, lastY, lastAt] = [x, y, at];
    }
    if (begun) context.stroke();
  }
}
