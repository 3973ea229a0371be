/** A rectangle on the screen. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const CELL = 64;

/** Which parts of the screen are taken, so that labels do not lie on each other. */
export class Occupancy {
  readonly #cells = new Map<number, Box[]>();

  /** Takes a rectangle if none of it is taken; says whether it did. */
  take(box: Box): boolean {
    const cells = this.#cellsOf(box);
    for (const cell of cells) if (this.#cells.get(cell)?.some((other) => overlap(box, other))) return false;
    this.#put(box, cells);
    return true;
  }

  /** Takes a rectangle whether or not it is free. */
  block(box: Box): void {
    this.#put(box, this.#cellsOf(box));
  }

  #put(box: Box, cells: readonly number[]): void {
    for (const cell of cells) {
      const boxes = this.#cells.get(cell);
      if (boxes === undefined) this.#cells.set(cell, [box]);
      else boxes.push(box);
    }
  }

  #cellsOf(box: Box): number[] {
    const cells: number[] = [];
    for (let row = Math.floor(box.y / CELL); row * CELL < box.y + box.height; row += 1) {
      for (let column = Math.floor(box.x / CELL); column * CELL < box.x + box.width; column += 1) {
        cells.push(row * 4096 + column);
      }
    }
    return cells;
  }
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
