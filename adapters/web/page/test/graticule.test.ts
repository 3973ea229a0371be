import assert from "node:assert/strict";
import { test } from "node:test";
import { graticule, lineLabel, scaleBar } from "../src/page/graticule.js";
import { EDGE, latitudeOf, longitudeOf, metresPerPixel, worldX, worldY } from "../src/page/mercator.js";

const VILNIUS = { west: 25.1, east: 25.5, south: 54.6, north: 54.8 };

test("lines are far enough apart at every zoom, and not too far", () => {
  for (let zoom = 3; zoom <= 19; zoom += 0.25) {
    const pixelsPerDegree = (256 * 2 ** zoom) / 360;
    const apart = graticule(VILNIUS, pixelsPerDegree).step * pixelsPerDegree;
    assert.ok(apart >= 120 && apart <= 310, `${zoom}: ${apart}`);
  }
});

test("lines are whole multiples of the step, within the window", () => {
  const { step, meridians, parallels } = graticule(VILNIUS, 1_500);
  assert.equal(step, 5 / 60);
  assert.deepEqual(
    meridians.map((degrees) => lineLabel(degrees, "longitude", step)),
    ["25°10′E", "25°15′E", "25°20′E", "25°25′E", "25°30′E"].slice(-meridians.length),
  );
  assert.deepEqual(
    parallels.map((degrees) => lineLabel(degrees, "latitude", step)),
    ["54°40′N", "54°45′N"],
  );
});

test("the world has no lines beyond its ends", () => {
  const { meridians, parallels } = graticule({ west: -500, east: 500, south: -99, north: 99 }, 2);
  assert.equal(meridians.length, 13);
  assert.deepEqual([meridians[0], meridians.at(-1)], [-180, 180]);
  assert.deepEqual([parallels[0], parallels.at(-1)], [-90, 90]);
});

test("labels have minutes and seconds only where the step has", () => {
  assert.equal(lineLabel(0, "latitude", 1), "0°");
  assert.equal(lineLabel(-70, "latitude", 10), "70°S");
  assert.equal(lineLabel(-0.5, "longitude", 0.5), "0°30′W");
  assert.equal(lineLabel(25 + 1 / 60 + 5 / 3_600, "longitude", 5 / 3_600), "25°01′05″E");
});

test("a scale bar is a round length that fits", () => {
  for (let metres = 0.01; metres < 1e5; metres *= 1.3) {
    const { label, pixels } = scaleBar(metres, 120);
    assert.ok(pixels <= 120.001 && pixels > 47, `${metres}: ${pixels}`);
    assert.match(label, /^[125]0* (km|m|cm)$/);
  }
});

test("places go to the world and back", () => {
  for (const latitude of [-EDGE, -54.7, 0, 12.3456789, 54.7146368, EDGE]) {
    assert.ok(Math.abs(latitudeOf(worldY(latitude)) - latitude) < 1e-9, String(latitude));
  }
  for (const longitude of [-180, -25.3, 0, 25.3032245, 180]) {
    assert.ok(Math.abs(longitudeOf(worldX(longitude)) - longitude) < 1e-9, String(longitude));
  }
  assert.ok(Math.abs(worldY(90)) < 1e-9);
  assert.ok(Math.abs(metresPerPixel(0, 256) - 156_543.03) < 0.01);
});
