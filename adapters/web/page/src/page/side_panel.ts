import { element } from "./element.js";

/** The list beside the map: open where there is room, and opened and closed by its button. */
export function showSidePanel(): void {
  const app = element("app", HTMLElement);
  const toggle = element("toggle-list", HTMLButtonElement);
  const show = (open: boolean): void => {
    app.classList.toggle("side-open", open);
    toggle.setAttribute("aria-expanded", String(open));
    element("side", HTMLElement).inert = !open;
  };
  toggle.addEventListener("click", () => show(toggle.getAttribute("aria-expanded") !== "true"));
  show(matchMedia("(min-width: 48rem)").matches);
}
