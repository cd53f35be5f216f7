import assert from "node:assert/strict";
import { test } from "node:test";

import { vertexNormals } from "../../frontend/static/lamina/geometry/normals.js";

test("a flat square looks straight up, whatever its triangles", () => {
  const normals = vertexNormals([0, 0, 0, 2, 0, 0, 2, 2, 0, 0, 2, 0], [0, 1, 2, 0, 2, 3]);
  for (let at = 0; at < 4; at++) assert.deepEqual([...normals.slice(at * 3, at * 3 + 3)], [0, 0, 1]);
});

test("a corner without a triangle has no direction, and nothing is divided by zero", () => {
  assert.deepEqual([...vertexNormals([0, 0, 0, 1, 0, 0, 0, 1, 0, 5, 5, 5], [0, 1, 2]).slice(9)], [0, 0, 0]);
});

test("on a ball every normal leaves the centre", () => {
  const positions = [];
  const index = [];
  const rings = 24;
  for (let ring = 0; ring <= rings; ring++) {
    for (let step = 0; step <= rings; step++) {
      const [up, round] = [(ring / rings) * Math.PI, (step / rings) * 2 * Math.PI];
      positions.push(Math.sin(up) * Math.cos(round), Math.sin(up) * Math.sin(round), Math.cos(up));
      const at = ring * (rings + 1) + step;
      if (ring < rings && step < rings) index.push(at, at + rings + 1, at + 1, at + 1, at + rings + 1, at + rings + 2);
    }
  }
  const normals = vertexNormals(positions, index);
  for (let at = (rings + 1) * 3 + 3; at < positions.length - (rings + 2) * 3; at += 3) {
    if ((at / 3) % (rings + 1) === 0 || (at / 3) % (rings + 1) === rings) continue; // the seam has half its triangles
    const dot = normals[at] * positions[at] + normals[at + 1] * positions[at + 1] + normals[at + 2] * positions[at + 2];
    assert.ok(dot > 0.99, `${at}: ${dot}`);
  }
});
