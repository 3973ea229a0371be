import { CarRow } from "./car_row.js";
import type { Cars } from "./cars.js";
import { element, setAttribute } from "./element.js";
import * as format from "./format.js";
import { comparison, matches, ORDERS, type Order } from "./order.js";
import type { Theme } from "./theme.js";

/** Milliseconds between two sortings: rows that change places all the time cannot be read. */
const RESORT = 2_000;
/** Rows of one leap with Page Up and Page Down. */
const PAGE = 8;

/**
 * The list of cars: sortable, searchable, and a list box for the keyboard. The focus stays on the list and the
 * active row is named by it, so that sorting cannot take the focus away.
 */
export class CarList {
  readonly #list = element("list", HTMLUListElement);
  readonly #filter = element("filter", HTMLInputElement);
  readonly #sort = element("sort", HTMLSelectElement);
  readonly #empty = element("empty", HTMLElement);
  readonly #count = element("car-count", HTMLElement);
  readonly #rows = new Map<string, CarRow>();
  #shown: CarRow[] = [];
  #active: string | null = null;
  #selected: string | null = null;
  #sortedAt = -Infinity;

  constructor(
    private readonly cars: Cars,
    private readonly theme: Theme,
    private readonly nameOf: (id: string) => string,
    private readonly picked: (id: string) => void,
  ) {
    this.#list.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-device]") : null;
      const id = row?.dataset["device"];
      if (id === undefined) return;
      this.#activate(id);
      this.picked(id);
    });
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("focus", () =>
      this.#activate(this.#active ?? this.#shown[0]?.car.id ?? null),
    );
    this.#filter.addEventListener("input", () => this.#resort());
    this.#filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") {
        event.preventDefault();
        this.#list.focus();
      }
    });
    this.#sort.addEventListener("change", () => this.#resort());
  }

  /** Shows what is known at this time of day. */
  update(now: number, screen: number): void {
    let changed = false;
    for (const car of this.cars.all()) {
      let row = this.#rows.get(car.id);
      if (row?.car !== car) {
        row?.element.remove();
        row = new CarRow(car, this.nameOf(car.id));
        this.#rows.set(car.id, row);
        changed = true;
      }
      row.update(now, this.theme.car(car.id));
    }
    for (const [id, row] of this.#rows) {
      if (this.cars.get(id) !== undefined) continue;
      row.element.remove();
      this.#rows.delete(id);
      changed = true;
    }
    if (changed || screen - this.#sortedAt > RESORT) this.#arrange(now, screen);
  }

  /** Marks the selected car, or none, and brings it into view. */
  select(id: string | null): void {
    this.#selected = id;
    for (const [other, row] of this.#rows) setAttribute(row.element, "aria-selected", String(other === id));
    if (id === null) return;
    this.#activate(id);
  }

  #resort(): void {
    this.#sortedAt = -Infinity;
  }

  #arrange(now: number, screen: number): void {
    this.#sortedAt = screen;
    const order = ORDERS.find((one) => one === this.#sort.value) ?? ("name" satisfies Order);
    const typed = this.#filter.value.trim();
    this.#shown = [...this.#rows.values()].filter((row) => matches(row, typed)).sort(comparison(order, now));
    // Only rows that are in the wrong place are moved.
    let next = this.#list.firstElementChild;
    for (const { element: row } of this.#shown) {
      if (row === next) next = next.nextElementSibling;
      else this.#list.insertBefore(row, next);
    }
    while (next !== null) {
      const rest = next;
      next = next.nextElementSibling;
      rest.remove();
    }
    const total = this.#rows.size;
    this.#count.textContent =
      typed === ""
        ? format.count(total, "car", "cars")
        : `${this.#shown.length} of ${format.count(total, "car", "cars")}`;
    this.#empty.hidden = this.#shown.length > 0;
    this.#empty.textContent = total === 0 ? "No car has been heard of yet." : "No car is called that.";
    this.#mark();
  }

  #key(event: KeyboardEvent): void {
    const at = this.#shown.findIndex((row) => row.car.id === this.#active);
    const last = this.#shown.length - 1;
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? last : at - 1,
      Home: 0,
      End: last,
      PageDown: at + PAGE,
      PageUp: at - PAGE,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.#activate(this.#shown[Math.max(0, Math.min(last, to))]?.car.id ?? null);
    } else if ((event.key === "Enter" || event.key === " ") && this.#active !== null) {
      event.preventDefault();
      this.picked(this.#active);
    }
  }

  #activate(id: string | null): void {
    this.#active = id;
    this.#mark();
    const row = id === null ? undefined : this.#rows.get(id)?.element;
    if (row === undefined || !row.isConnected) return;
    // Not scrollIntoView: it would also scroll the page to a list that is closed.
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    const list = this.#list;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }

  #mark(): void {
    for (const [id, { element: row }] of this.#rows) {
      row.classList.toggle("active", id === this.#active);
      setAttribute(row, "aria-selected", String(id === this.#selected));
    }
    const active = this.#active === null ? undefined : this.#rows.get(this.#active);
    setAttribute(this.#list, "aria-activedescendant", active?.element.isConnected ? active.element.id : null);
  }
}
