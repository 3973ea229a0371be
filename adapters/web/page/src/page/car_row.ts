import { ageOf, faultsOf, isFresh, type Car } from "./cars.js";
import { make, setAttribute, setText } from "./element.js";
import { faultName } from "./fault_names.js";
import * as format from "./format.js";

/** One car in the list. What it shows is also in its `data-` attributes, as it came. */
export class CarRow {
  readonly element = make("li", "row");
  readonly #age = make("span", "row-age");
  readonly #speed = make("span", "row-speed");
  readonly #chips = make("span", "row-chips");
  readonly #detail = make("span", "row-detail");
  #faults = "";

  constructor(
    readonly car: Car,
    readonly name: string,
  ) {
    this.element.id = `car-${car.id}`;
    this.element.setAttribute("role", "option");
    this.element.setAttribute("aria-selected", "false");
    this.element.dataset["device"] = car.id;
    const label = make("span", "row-name", name);
    label.title = car.id;
    const unit = make("span", "unit", "km/h");
    const speed = make("span", "row-figure");
    speed.append(this.#speed, " ", unit);
    const below = make("span", "row-below");
    below.append(this.#chips, this.#detail);
    const swatch = make("span", "swatch");
    swatch.setAttribute("aria-hidden", "true");
    this.element.append(swatch, label, speed, below, this.#age);
  }

  /** Shows what is known now. */
  update(now: number, colour: string): void {
    const { car, element } = this;
    const { fix } = car;
    element.style.setProperty("--car", colour);
    setText(this.#speed, format.speed(fix?.speed));
    const age = ageOf(car, now);
    setText(this.#age, age === null ? "no fix yet" : format.age(age));
    setText(this.#detail, detailOf(car));
    this.#showFaults(car);
    setAttribute(element, "data-lat", fix === null ? null : String(fix.latitude));
    setAttribute(element, "data-lon", fix === null ? null : String(fix.longitude));
    setAttribute(element, "data-ts", fix?.ts ?? null);
    setAttribute(element, "data-faulty", String(car.fault !== null));
    setAttribute(element, "data-old", String(!isFresh(car, now)));
  }

  #showFaults(car: Car): void {
    const faults = faultsOf(car);
    const shown = `${car.fault === null ? "" : "!"}${faults.join(" ")}`;
    if (shown === this.#faults) return;
    this.#faults = shown;
    setAttribute(this.element, "data-faults", faults.join(" "));
    this.#chips.replaceChildren(
      ...faults.map((fault) => {
        const { short, long } = faultName(fault);
        const chip = make("span", car.fault === null ? "chip" : "chip chip-bad", short);
        chip.title = long;
        return chip;
      }),
    );
  }
}

function detailOf({ fix }: Car): string {
  if (fix === null) return "";
  return fix.satellites === undefined ? "" : `${fix.satellites} sat`;
}
