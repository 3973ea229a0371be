import { DomUtil, type Map as LeafletMap, type Point, type ZoomAnimEvent } from "leaflet";

/** What of the world is in the window: a place (x, y) of it is at (x · scale − left, y · scale − top). */
export interface View {
  /** How many pixels the whole world is wide. */
  readonly scale: number;
  readonly left: number;
  readonly top: number;
  /** The window in CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** Something that is drawn over the window. */
export interface Layer {
  /**
   * Draws on a cleared canvas in CSS pixels.
   *
   * @returns in how many milliseconds it must be drawn again; null if not before something changes
   */
  paint(context: CanvasRenderingContext2D, view: View, now: number): number | null;
}

interface Sheet {
  readonly layer: Layer;
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  /** When it must be drawn again, by the time of the screen; null if it shows everything. */
  due: number | null;
}

/**
 * Canvases over the map, one per layer, each redrawn only when something of it changed and at most once per
 * frame of the screen. They move with the map; while it animates a zoom they are stretched like its tiles.
 */
export class Stage {
  readonly #sheets: Sheet[];
  #frame = 0;
  #zooming = false;

  constructor(
    private readonly map: LeafletMap,
    layers: readonly Layer[],
    /** Called before each frame with the time of the screen, true if it must be called at the next one too. */
    private readonly before: (now: number) => boolean,
  ) {
    this.#sheets = layers.map((layer) => this.#sheet(layer));
    map.on("move viewreset resize", () => this.redraw());
    map.on("zoomanim", (event) => this.#stretch(event));
    map.on("zoomend", () => {
      this.#zooming = false;
      this.redraw();
    });
  }

  /** Whether the map animates a zoom: nothing may move it now. */
  get zooming(): boolean {
    return this.#zooming;
  }

  /** Draws these layers, or all, at the next frame. */
  redraw(...layers: readonly Layer[]): void {
    for (const sheet of this.#sheets) {
      if (layers.length === 0 || layers.includes(sheet.layer)) sheet.due = 0;
    }
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    const again = this.before(now);
    if (!this.#zooming) {
      const view = this.#view();
      const origin = this.map.containerPointToLayerPoint([0, 0]);
      for (const sheet of this.#sheets) {
        if (sheet.due !== null && sheet.due <= now) this.#paint(sheet, view, origin, now);
      }
    }
    const unfinished = !this.#zooming && this.#sheets.some((sheet) => sheet.due !== null);
    if ((again || unfinished) && this.#frame === 0) {
      this.#frame = requestAnimationFrame((next) => this.#draw(next));
    }
  }

  #paint(sheet: Sheet, view: View, origin: Point, now: number): void {
    const { canvas, context } = sheet;
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${view.width}px`;
      canvas.style.height = `${view.height}px`;
    }
    DomUtil.setPosition(canvas, origin);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    const again = sheet.layer.paint(context, view, now);
    sheet.due = again === null ? null : now + again;
  }

  #view(): View {
    const size = this.map.getSize();
    const corner = this.map.getPixelBounds().min ?? { x: 0, y: 0 };
    const scale = 256 * 2 ** this.map.getZoom();
    return { scale, left: corner.x, top: corner.y, width: size.x, height: size.y };
  }

  /** Where the window will be after the zoom, as the map itself does it to its tiles. */
  #stretch({ center, zoom }: ZoomAnimEvent): void {
    this.#zooming = true;
    const scale = this.map.getZoomScale(zoom);
    const half = this.map.getSize().multiplyBy(0.5);
    const pane = DomUtil.getPosition(this.map.getPane("mapPane") ?? this.map.getContainer());
    const origin = this.map.project(center, zoom).subtract(half).add(pane).round();
    const offset = this.map
      .project(this.map.getCenter(), zoom)
      .subtract(half.multiplyBy(scale))
      .subtract(origin);
    for (const { canvas } of this.#sheets) DomUtil.setTransform(canvas, offset, scale);
  }

  #sheet(layer: Layer): Sheet {
    const canvas = document.createElement("canvas");
    canvas.className = "sheet leaflet-zoom-animated";
    canvas.setAttribute("aria-hidden", "true");
    this.map.getPane("overlayPane")?.append(canvas);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("the browser has no canvas");
    return { layer, canvas, context, due: 0 };
  }
}
