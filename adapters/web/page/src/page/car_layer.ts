import { isFresh, type Car, type Cars } from "./cars.js";
import type { LabelSprites } from "./label_sprites.js";
import { Occupancy } from "./occupancy.js";
import type { Slides } from "./slides.js";
import type { Layer, View } from "./stage.js";
import type { Theme } from "./theme.js";

/** An arrow that points north, around its middle, in CSS pixels. */
const ARROW = [
  [0, -11],
  [8, 9],
  [0, 5],
  [-8, 9],
] as const;
const DOT = 6.5;
/** More cars than this in the window are drawn smaller, and moved thirty times a second. */
const CROWD = 120;
const SMALLER = 0.75;
/** Milliseconds, a little less than two frames of the screen. */
const CROWDED = 30;
/** Pixels around a click in which a car is meant. */
const REACH = 24;

interface Shown {
  readonly car: Car;
  readonly x: number;
  readonly y: number;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** The cars: an arrow along the heading (a dot where that is not known), hollow if the latest record is faulty. */
export class CarLayer implements Layer {
  selected: string | null = null;
  #shown: Shown[] = [];
  /** On which side of a car its label is. */
  readonly #sides = new Map<string, number>();

  constructor(
    private readonly cars: Cars,
    private readonly slides: Slides,
    private readonly theme: Theme,
    private readonly labels: LabelSprites,
    private readonly labelOf: (id: string) => string,
    private readonly clock: () => number,
  ) {}

  paint(context: CanvasRenderingContext2D, view: View, now: number): number | null {
    let moving = false;
    const shown: Shown[] = [];
    for (const car of this.cars.all()) {
      if (car.fix === null) continue;
      const place = this.slides.place(car, now);
      moving ||= place.moving;
      const [x, y] = [place.x * view.scale - view.left, place.y * view.scale - view.top];
      if (x < -40 || y < -40 || x > view.width + 40 || y > view.height + 40) continue;
      shown.push({ car, x, y });
    }
    const time = this.clock();
    const rank = ({ car }: Shown): number => (car.id === this.selected ? 2 : isFresh(car, time) ? 1 : 0);
    shown.sort((a, b) => rank(a) - rank(b));
    this.#shown = shown;
    this.#paintLabels(context, shown, time);
    context.lineJoin = "round";
    const size = shown.length > CROWD ? SMALLER : 1;
    for (const one of shown) this.#paintCar(context, one, time, one.car.id === this.selected ? 1 : size);
    context.globalAlpha = 1;
    if (!moving) return null;
    return shown.length > CROWD ? CROWDED : 0;
  }

  /** The car nearest to a point of the window, if one is near. */
  nearest(x: number, y: number): string | null {
    let [found, least]: [string | null, number] = [null, REACH];
    for (const one of this.#shown) {
      const distance = Math.hypot(one.x - x, one.y - y);
      if (distance <= least) [found, least] = [one.car.id, distance];
    }
    return found;
  }

  #paintCar(context: CanvasRenderingContext2D, { car, x, y }: Shown, time: number, size: number): void {
    const colour = this.theme.car(car.id);
    if (car.id === this.selected) this.#paintRing(context, x, y);
    context.globalAlpha = isFresh(car, time) ? 1 : 0.45;
    context.beginPath();
    const angle = car.fix?.angle;
    if (angle === undefined) context.arc(x, y, DOT * size, 0, 2 * Math.PI);
    else arrow(context, x, y, (angle * Math.PI) / 180, size);
    const hollow = car.fault !== null;
    // The outline parts cars that lie on each other and on trails of their own colour.
    context.lineWidth = hollow ? 6 : 4;
    context.strokeStyle = this.theme.ground;
    context.stroke();
    context.fillStyle = hollow ? this.theme.ground : colour;
    context.fill();
    if (!hollow) return;
    context.lineWidth = 2.25;
    context.strokeStyle = colour;
    context.stroke();
    context.beginPath();
    context.arc(x + 9 * size, y - 9 * size, 4 * size, 0, 2 * Math.PI);
    context.fillStyle = this.theme.bad;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = this.theme.ground;
    context.stroke();
  }

  #paintRing(context: CanvasRenderingContext2D, x: number, y: number): void {
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, y, 19, 0, 2 * Math.PI);
    context.lineWidth = 5;
    context.strokeStyle = this.theme.ground;
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = this.theme.accent;
    context.stroke();
  }

  #paintLabels(context: CanvasRenderingContext2D, shown: readonly Shown[], time: number): void {
    const taken = new Occupancy();
    for (const { x, y } of shown) taken.block({ x: x - 7, y: y - 7, width: 14, height: 14 });
    for (let index = shown.length - 1; index >= 0; index -= 1) {
      const one = shown[index];
      if (one === undefined) continue;
      const strong = one.car.id === this.selected;
      const { picture, width, height } = this.labels.get(this.labelOf(one.car.id), strong);
      const place = this.#placeLabel(one, taken, width, height, strong ? 20 : 11);
      if (place === null) continue;
      context.globalAlpha = isFresh(one.car, time) ? 1 : 0.6;
      context.drawImage(picture, place.x, place.y, width, height);
    }
  }

  /** A free place beside the car: the one it had before if it can be, so that labels do not jump about. */
  #placeLabel(
    { car, x, y }: Shown,
    taken: Occupancy,
    width: number,
    height: number,
    away: number,
  ): Place | null {
    const places: readonly Place[] = [
      { x: Math.round(x + away), y: Math.round(y - height / 2) },
      { x: Math.round(x - away - width), y: Math.round(y - height / 2) },
      { x: Math.round(x - width / 2), y: Math.round(y + away) },
      { x: Math.round(x - width / 2), y: Math.round(y - away - height) },
    ];
    const before = this.#sides.get(car.id) ?? 0;
    for (const side of [before, 0, 1, 2, 3]) {
      const place = places[side];
      // The outline of a label may touch others.
      if (
        place === undefined ||
        !taken.take({ x: place.x + 2, y: place.y + 3, width: width - 4, height: height - 6 })
      )
        continue;
      this.#sides.set(car.id, side);
      return place;
    }
    return null;
  }
}

function arrow(context: CanvasRenderingContext2D, x: number, y: number, angle: number, size: number): void {
  const [sine, cosine] = [Math.sin(angle) * size, Math.cos(angle) * size];
  for (const [across, along] of ARROW) {
    context.lineTo(x + across * cosine - along * sine, y + across * sine + along * cosine);
  }
  context.closePath();
}
