import { ageOf, faultsOf, type Car } from "./cars.js";
import { element, make, setText } from "./element.js";
import { faultName } from "./fault_names.js";
import * as format from "./format.js";

/** All that is known of the selected car, over the map. */
export class SelectedCard {
  readonly #card = element("selected", HTMLElement);
  readonly #name = make("strong", "card-name");
  readonly #speed = make("span", "card-speed");
  readonly #facts = make("dl", "card-facts");
  readonly #fault = make("p", "card-fault");
  readonly #follow = make("button", "button button-small");
  readonly #values = new Map<string, HTMLElement>();

  constructor(follow: () => void, close: () => void) {
    const head = make("div", "card-head");
    const swatch = make("span", "swatch");
    swatch.setAttribute("aria-hidden", "true");
    const shut = make("button", "card-close", "×");
    shut.setAttribute("aria-label", "Close");
    this.#follow.type = shut.type = "button";
    this.#follow.addEventListener("click", follow);
    shut.addEventListener("click", close);
    head.append(swatch, this.#name, shut);
    const figure = make("p", "card-figure");
    const speed = make("span");
    speed.append(this.#speed, " ", make("span", "unit", "km/h"));
    figure.append(speed, this.#follow);
    for (const name of ["Heading", "Altitude", "Satellites", "Last fix", "Place"]) {
      const value = make("dd");
      const pair = make("div");
      pair.append(make("dt", "", name), value);
      this.#facts.append(pair);
      this.#values.set(name, value);
    }
    this.#card.append(head, figure, this.#facts, this.#fault);
  }

  /** Shows a car, or nothing. */
  update(car: Car | undefined, name: string, colour: string, following: boolean, now: number): void {
    this.#card.hidden = car === undefined;
    if (car === undefined) return;
    this.#card.style.setProperty("--car", colour);
    setText(this.#name, name);
    setText(this.#follow, following ? "Following" : "Follow");
    this.#follow.setAttribute("aria-pressed", String(following));
    const { fix } = car;
    setText(this.#speed, format.speed(fix?.speed));
    this.#set("Heading", fix?.angle, format.heading);
    this.#set("Altitude", fix?.altitude, (metres) => `${Math.round(metres)} m`);
    this.#set("Satellites", fix?.satellites, String);
    const age = ageOf(car, now);
    const ago = age === null || age < 1_000 ? "" : `, ${format.age(age)} ago`;
    this.#set("Last fix", fix?.at, (at) => format.clock(at) + ago);
    this.#set("Place", fix?.latitude, (latitude) => format.coordinates(latitude, fix?.longitude ?? 0));
    setText(
      this.#fault,
      faultsOf(car)
        .map((fault) => faultName(fault).long)
        .join(". "),
    );
  }

  #set(name: string, value: number | undefined, text: (value: number) => string): void {
    const target = this.#values.get(name);
    if (target !== undefined) setText(target, value === undefined ? "–" : text(value));
  }
}
