/**
 * Pictures: what somebody in front of a display sees.
 *
 * @module
 */

import { element } from "./dom.js";
import { bytesOf } from "./memory.js";

/** So wide a picture is shown at least, and so wide at most, in pixels of the page. */
const LEAST = 256;
const MOST = 512;

/** How bright a pixel of one or eight bits is, in red, green and blue. */
const LIT = [0.75, 0.92, 1];

/**
 * Sets red, green, blue and opacity of each pixel.
 *
 * @param {Uint8Array} bytes
 * @param {import("../../../simulation/property.ts").Picture} picture
 * @param {Uint8ClampedArray} pixels
 */
export function fillPixels(bytes, { width, height, bits }, pixels) {
  const rowSize = bits === 1 ? Math.ceil(width / 8) : width * bits / 8;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const row = y * rowSize;
      if (bits === 24) {
        for (let color = 0; color < 3; color++) pixels[at + color] = bytes[row + 3 * x + color];
      } else {
        const light = bits === 8
          ? bytes[row + x]
          : (bytes[row + (x >> 3)] >> (7 - x % 8) & 1) * 255;
        for (let color = 0; color < 3; color++) pixels[at + color] = light * LIT[color];
      }
      pixels[at + 3] = 255;
    }
  }
}

/**
 * @param {import("./property.js").Property} property whose bytes are a picture
 * @returns {HTMLElement}
 */
export function pictureOf(property) {
  const picture = /** @type {import("../../../simulation/property.ts").Picture} */ (
    property.described.picture
  );
  const memory = /** @type {import("./memory.js").Memory} */ (property.memory);
  const { width, height } = picture;
  const canvas = element("canvas", {
    class: "picture",
    width,
    height,
    role: "img",
    "aria-label": `${property.name}: ${property.described.help}`,
  });
  const scale = Math.max(1, Math.floor(Math.min(MOST, Math.max(LEAST, width)) / width));
  canvas.style.width = `${width * scale}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  let isReading = false;

  async function show() {
    if (memory.isStale && !isReading) {
      isReading = true;
      memory.isStale = false;
      try {
        const { name, daemon, described } = property;
        const { data } = await daemon.call("read", { name, at: 0, length: described.count });
        memory.bytes = bytesOf(data);
      } catch {
        // Once there is a connection, all is read again.
      }
      isReading = false;
      if (memory.isStale) return property.touch();
    }
    if (memory.bytes === undefined) return;
    fillPixels(memory.bytes, picture, image.data);
    context.putImageData(image, 0, 0);
  }

  property.show(show);
  return canvas;
}
