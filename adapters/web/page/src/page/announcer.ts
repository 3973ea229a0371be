import { element, setText } from "./element.js";

/** Milliseconds for which a state must last before it is worth a word: an interruption of a second is not. */
const SETTLED = 1_500;

let pending: ReturnType<typeof setTimeout> | undefined;

/** Tells screen readers, politely, unless something else is to be told at once after. */
export function announce(text: string): void {
  clearTimeout(pending);
  pending = setTimeout(() => setText(element("announcer", HTMLElement), text), SETTLED);
}
