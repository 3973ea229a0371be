import type { PageConfig } from "./config.js";
import { element, make } from "./element.js";

/** Asks which event to show: a choice if the server named some, otherwise a field for its id. */
export function showChooser({ events }: PageConfig): void {
  const form = element("chooser", HTMLFormElement);
  form.hidden = false;
  const field = element("event-id", HTMLInputElement);
  if (events.length === 0) return field.focus();
  const choice = element("event-choice", HTMLSelectElement);
  for (const { id, name } of events) {
    const option = make("option", "", name);
    option.value = id;
    choice.append(option);
  }
  choice.name = field.name;
  choice.id = field.id;
  field.remove();
  choice.hidden = false;
  choice.focus();
}
