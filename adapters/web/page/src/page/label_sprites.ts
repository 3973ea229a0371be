import type { Theme } from "./theme.js";

/** A label as a picture, in CSS pixels. */
export interface Sprite {
  readonly picture: HTMLCanvasElement;
  readonly width: number;
  readonly height: number;
}

const HEIGHT = 18;

/** Labels drawn once and then copied: text with an outline is the most costly thing on the map. */
export class LabelSprites {
  readonly #sprites = new Map<string, Sprite>();
  #ratio = 0;

  constructor(private readonly theme: Theme) {}

  /** The picture of a text. */
  get(text: string, strong: boolean): Sprite {
    if (this.#ratio !== window.devicePixelRatio) {
      this.clear();
      this.#ratio = window.devicePixelRatio;
    }
    const key = `${strong ? "!" : ""}${text}`;
    const known = this.#sprites.get(key);
    if (known !== undefined) return known;
    const sprite = this.#draw(text, strong);
    this.#sprites.set(key, sprite);
    return sprite;
  }

  /** The colours are others now. */
  clear(): void {
    this.#sprites.clear();
  }

  #draw(text: string, strong: boolean): Sprite {
    const picture = document.createElement("canvas");
    const context = picture.getContext("2d");
    if (context === null) throw new Error("the browser has no canvas");
    const font = `${strong ? 700 : 600} 12px ${this.theme.font}`;
    context.font = font;
    const width = Math.ceil(context.measureText(text).width) + 8;
    picture.width = width * this.#ratio;
    picture.height = HEIGHT * this.#ratio;
    context.scale(this.#ratio, this.#ratio);
    context.font = font;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = this.theme.ground;
    context.strokeText(text, 4, HEIGHT / 2);
    context.fillStyle = this.theme.ink;
    context.fillText(text, 4, HEIGHT / 2);
    return { picture, width, height: HEIGHT };
  }
}
