import { graticule, lineLabel, type Bounds } from "./graticule.js";
import { latitudeOf, longitudeOf, worldX, worldY } from "./mercator.js";
import type { Layer, View } from "./stage.js";
import type { Theme } from "./theme.js";

/** The ground that needs no server: a net of meridians and parallels, and the route. */
export class GroundLayer implements Layer {
  readonly #route: readonly (readonly [number, number])[];

  constructor(
    private readonly theme: Theme,
    route: readonly (readonly [number, number])[],
    /** False over tiles, which have lines enough. */
    private readonly net: boolean,
  ) {
    this.#route = route.map(([latitude, longitude]) => [worldX(longitude), worldY(latitude)]);
  }

  paint(context: CanvasRenderingContext2D, view: View): null {
    if (this.net) this.#paintNet(context, view);
    this.#paintRoute(context, view);
    return null;
  }

  #paintNet(context: CanvasRenderingContext2D, view: View): void {
    const { theme } = this;
    const net = graticule(boundsOf(view), view.scale / 360);
    // On the middle of a pixel, so that a line is one pixel and not two half ones.
    const across = net.meridians.map((degrees) => Math.round(worldX(degrees) * view.scale - view.left) + 0.5);
    const down = net.parallels.map((degrees) => Math.round(worldY(degrees) * view.scale - view.top) + 0.5);
    context.beginPath();
    for (const x of across) {
      context.moveTo(x, 0);
      context.lineTo(x, view.height);
    }
    for (const y of down) {
      context.moveTo(0, y);
      context.lineTo(view.width, y);
    }
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.stroke();

    context.font = `500 11px ${theme.font}`;
    context.textBaseline = "top";
    const write = (text: string, x: number, y: number): void => {
      const width = context.measureText(text).width;
      context.fillStyle = theme.ground;
      context.fillRect(x - 3, y - 2, width + 6, 15);
      context.fillStyle = theme.lineLabel;
      context.fillText(text, x, y);
    };
    net.meridians.forEach((degrees, index) => {
      const text = lineLabel(degrees, "longitude", net.step);
      const x = (across[index] ?? 0) - context.measureText(text).width / 2;
      if (x > 72) write(text, x, 5);
    });
    net.parallels.forEach((degrees, index) => {
      const y = (down[index] ?? 0) - 6;
      if (y > 20 && y < view.height - 44) write(lineLabel(degrees, "latitude", net.step), 6, y);
    });
  }

  #paintRoute(context: CanvasRenderingContext2D, view: View): void {
    const points = this.#route.map(
      ([x, y]) => [x * view.scale - view.left, y * view.scale - view.top] as const,
    );
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.lineJoin = context.lineCap = "round";
    for (const [width, colour] of [
      [7, this.theme.routeCasing],
      [4, this.theme.route],
    ] as const) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
    const circuit = Math.hypot(first[0] - last[0], first[1] - last[1]) < 2;
    this.#paintEnd(context, first, circuit ? "Start, finish" : "Start");
    if (!circuit) this.#paintEnd(context, last, "Finish");
  }

  #paintEnd(context: CanvasRenderingContext2D, [x, y]: readonly [number, number], name: string): void {
    const { theme } = this;
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.fillStyle = theme.ground;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = theme.lineLabel;
    context.stroke();
    context.font = `600 12px ${theme.font}`;
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = theme.ground;
    context.strokeText(name, x + 10, y - 12);
    context.fillStyle = theme.lineLabel;
    context.fillText(name, x + 10, y - 12);
  }
}

function boundsOf(view: View): Bounds {
  return {
    west: longitudeOf(view.left / view.scale),
    east: longitudeOf((view.left + view.width) / view.scale),
    north: latitudeOf(view.top / view.scale),
    south: latitudeOf((view.top + view.height) / view.scale),
  };
}
