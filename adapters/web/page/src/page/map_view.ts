import { DomEvent, Map as LeafletMap, Point, TileLayer, type LatLngBoundsLiteral } from "leaflet";
import { CarLayer } from "./car_layer.js";
import type { Car, Cars } from "./cars.js";
import type { PageConfig } from "./config.js";
import { element } from "./element.js";
import { scaleBar } from "./graticule.js";
import { GroundLayer } from "./ground_layer.js";
import { LabelSprites } from "./label_sprites.js";
import { latitudeOf, longitudeOf, metresPerPixel } from "./mercator.js";
import { Slides } from "./slides.js";
import { Stage } from "./stage.js";
import type { Theme } from "./theme.js";
import { TrailLayer } from "./trail_layer.js";

/** What a map view is made of. */
export interface MapParts {
  readonly config: PageConfig;
  readonly cars: Cars;
  readonly theme: Theme;
  /** What is written beside a car. */
  readonly labelOf: (id: string) => string;
  /** The time of day by which fixes are old. */
  readonly clock: () => number;
}

/** What people do on the map. */
export interface MapActions {
  /** A car was clicked. */
  readonly picked: (id: string) => void;
  /** The map was moved by hand. */
  readonly moved: () => void;
}

const ROOM = 48;
const CLOSEST = 16;

/** The map with the cars on it. */
export class MapView {
  readonly #map: LeafletMap;
  readonly #stage: Stage;
  readonly #ground: GroundLayer;
  readonly #trails: TrailLayer;
  readonly #markers: CarLayer;
  readonly #slides = new Slides();
  readonly #reduced = matchMedia("(prefers-reduced-motion: reduce)");
  #followed: string | null = null;
  #placed = false;
  /** Nobody moved the map yet: it still shows everything. */
  #untouched = false;

  constructor(
    private readonly parts: MapParts,
    actions: MapActions,
  ) {
    const { config, cars, theme, clock } = parts;
    const still = this.#reduced.matches;
    this.#map = new LeafletMap(element("map", HTMLElement), {
      zoomControl: false,
      attributionControl: false,
      zoomAnimation: !still,
      fadeAnimation: !still,
      inertia: !still,
      zoomSnap: 0.25,
      zoomDelta: 1,
      wheelPxPerZoomLevel: 90,
      minZoom: 2,
      maxZoom: 20,
      worldCopyJump: false,
      maxBounds: [
        [-90, -360],
        [90, 360],
      ],
    });
    this.#map.setView([30, 10], 3);
    if (config.tileUrl !== null)
      new TileLayer(config.tileUrl, { maxZoom: 20, maxNativeZoom: 19 }).addTo(this.#map);
    const labels = new LabelSprites(theme);
    this.#ground = new GroundLayer(theme, config.route, config.tileUrl === null);
    this.#trails = new TrailLayer(cars, theme, clock);
    this.#markers = new CarLayer(cars, this.#slides, theme, labels, parts.labelOf, clock);
    this.#stage = new Stage(this.#map, [this.#ground, this.#trails, this.#markers], (now) =>
      this.#follow(now),
    );
    theme.onChange(() => {
      labels.clear();
      this.#stage.redraw();
    });
    this.#listen(actions);
    this.#showAllOf(this.#routeBounds());
  }

  /** The cars are in other places now. */
  carsChanged(): void {
    if (!this.#placed && this.parts.cars.newest !== null) {
      this.#placed = true;
      this.#showAllOf(this.#routeBounds() ?? this.#carBounds());
    }
    this.#stage.redraw(this.#trails, this.#markers);
  }

  /** Cars may be gone. */
  carsForgotten(): void {
    this.#slides.keepOnly((id) => this.parts.cars.get(id) !== undefined);
    this.#stage.redraw(this.#trails, this.#markers);
  }

  /** Marks a car, or none, and moves the map with it. */
  select(id: string | null, follow: boolean): void {
    this.#markers.selected = this.#trails.selected = id;
    this.#followed = follow ? id : null;
    if (follow) this.#untouched = false;
    // While a car is followed, a wheel or a pinch zooms about it.
    this.#map.options.scrollWheelZoom = this.#map.options.touchZoom = follow ? "center" : true;
    this.#stage.redraw(this.#trails, this.#markers);
  }

  #listen(actions: MapActions): void {
    const map = this.#map;
    map.on("click", ({ containerPoint }) => {
      const id = this.#markers.nearest(containerPoint.x, containerPoint.y);
      if (id !== null) actions.picked(id);
    });
    map.on("mousemove", ({ containerPoint }) => {
      const over = this.#markers.nearest(containerPoint.x, containerPoint.y) !== null;
      map.getContainer().classList.toggle("over-car", over);
    });
    map.on("dragstart", actions.moved);
    DomEvent.on(map.getContainer(), "keydown", (event) => {
      if (event instanceof KeyboardEvent && event.key.startsWith("Arrow")) actions.moved();
    });
    map.on("move resize", () => this.#scaleBar());
    element("zoom-in", HTMLButtonElement).addEventListener("click", () => map.zoomIn());
    element("zoom-out", HTMLButtonElement).addEventListener("click", () => map.zoomOut());
    element("show-all", HTMLButtonElement).addEventListener("click", () => {
      actions.moved();
      this.#showAllOf(this.#carBounds() ?? this.#routeBounds());
    });
    map.on("dragstart zoomstart", () => (this.#untouched = false));
    new ResizeObserver(() => this.#resized()).observe(map.getContainer());
  }

  /** Brings the map closer to the car it follows; true while there is way to go. */
  #follow(now: number): boolean {
    const car: Car | undefined = this.#followed === null ? undefined : this.parts.cars.get(this.#followed);
    if (car === undefined || car.fix === null || this.#stage.zooming) return false;
    const place = this.#slides.place(car, now);
    const point = this.#map.latLngToContainerPoint([latitudeOf(place.y), longitudeOf(place.x)]);
    const away = point.subtract(this.#map.getSize().divideBy(2));
    const size = this.#map.getSize();
    const near = Math.abs(away.x) < size.x && Math.abs(away.y) < size.y;
    const part = near && !this.#reduced.matches ? 0.2 : 1;
    const step = new Point(stepOf(away.x, part), stepOf(away.y, part));
    if (step.x === 0 && step.y === 0) return place.moving;
    this.#map.panBy(step, { animate: false });
    return true;
  }

  #showAllOf(bounds: LatLngBoundsLiteral | null): void {
    if (bounds === null) return;
    this.#map.fitBounds(bounds, { padding: [ROOM, ROOM], maxZoom: CLOSEST, animate: false });
    this.#untouched = true;
  }

  #resized(): void {
    const untouched = this.#untouched;
    this.#map.invalidateSize({ animate: false });
    if (untouched) this.#showAllOf(this.#routeBounds() ?? this.#carBounds());
  }

  #routeBounds(): LatLngBoundsLiteral | null {
    return boundsOf(this.parts.config.route);
  }

  #carBounds(): LatLngBoundsLiteral | null {
    return boundsOf(
      [...this.parts.cars.all()].flatMap(({ fix }) =>
        fix === null ? [] : [[fix.latitude, fix.longitude] as const],
      ),
    );
  }

  #scaleBar(): void {
    const scale = 256 * 2 ** this.#map.getZoom();
    const bar = scaleBar(metresPerPixel(this.#map.getCenter().lat, scale), 120);
    const drawn = element("scale", HTMLElement);
    drawn.style.width = `${bar.pixels}px`;
    if (drawn.firstElementChild !== null) drawn.firstElementChild.textContent = bar.label;
  }
}

/** Whole pixels of a part of the way, and never none before the end. */
function stepOf(away: number, part: number): number {
  if (Math.abs(away) < 1) return 0;
  return Math.sign(away) * Math.max(1, Math.round(Math.abs(away) * part));
}

function boundsOf(places: readonly (readonly [number, number])[]): LatLngBoundsLiteral | null {
  if (places.length === 0) return null;
  let [south, north, west, east] = [90, -90, 180, -180];
  for (const [latitude, longitude] of places) {
    [south, north] = [Math.min(south, latitude), Math.max(north, latitude)];
    [west, east] = [Math.min(west, longitude), Math.max(east, longitude)];
  }
  return [
    [south, west],
    [north, east],
  ];
}
