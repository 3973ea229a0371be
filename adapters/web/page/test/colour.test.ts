import assert from "node:assert/strict";
import { test } from "node:test";
import {
  contrast,
  derivedColour,
  hueOf,
  LEAST_CONTRAST,
  oklch,
  parseHex,
  readable,
  toHex,
  type Rgb,
} from "../src/page/colour.js";

function colour(hex: string): Rgb {
  const read = parseHex(hex);
  assert.ok(read !== null, hex);
  return read;
}

const GROUNDS = ["#f4f4ef", "#ffffff", "#0f1315", "#000000"].map(colour);
const devices = Array.from({ length: 500 }, (_, index) => String(356307042440000 + index));

test("every device has a colour that can be read on light and on dark ground", () => {
  for (const ground of GROUNDS) {
    for (const id of devices) assert.ok(contrast(derivedColour(id, ground), ground) >= LEAST_CONTRAST, id);
  }
});

test("a device has the same colour at every visit", () => {
  const ground = colour("#f4f4ef");
  assert.equal(
    toHex(derivedColour("356307042441013", ground)),
    toHex(derivedColour("356307042441013", ground)),
  );
});

test("neighbouring names are spread over the circle of hues", () => {
  const sectors = new Set(devices.slice(0, 100).map((id) => Math.floor(hueOf(id) / 30)));
  assert.equal(sectors.size, 12);
});

test("a colour that can be read stays as it is, another is changed just enough", () => {
  const white = colour("#ffffff");
  assert.equal(toHex(readable(colour("#1f5fbf"), white)), "#1f5fbf");
  const yellow = readable(colour("#ffe000"), white, 3);
  assert.ok(contrast(yellow, white) >= 3 && contrast(yellow, white) < 3.4);
});

test("colours are read from six digits only", () => {
  assert.deepEqual(parseHex("#ff0080"), [1, 0, 128 / 255]);
  for (const text of ["", "#fff", "red", "#12345g", "url(x)"]) assert.equal(parseHex(text), null, text);
});

test("a colour beyond the screen's is brought within", () => {
  for (let hue = 0; hue < 360; hue += 5) {
    for (const part of oklch(0.5, 0.4, hue)) assert.ok(part >= 0 && part <= 1, String(hue));
  }
});
