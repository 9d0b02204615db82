/**
 * The files of the page, which are a part of the program.
 *
 * @module
 */

import bytes from "./page/bytes.js" with { type: "text" };
import connection from "./page/connection.js" with { type: "text" };
import controls from "./page/controls.js" with { type: "text" };
import daemon from "./page/daemon.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import faults from "./page/faults.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import frames from "./page/frames.js" with { type: "text" };
import history from "./page/history.js" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import memory from "./page/memory.js" with { type: "text" };
import picture from "./page/picture.js" with { type: "text" };
import property from "./page/property.js" with { type: "text" };
import say from "./page/say.js" with { type: "text" };
import things from "./page/things.js" with { type: "text" };
import transactions from "./page/transactions.js" with { type: "text" };
import wave from "./page/wave.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import page from "./page/index.html" with { type: "text" };
import style from "./page/style.css" with { type: "text" };

/** A file. */
interface PageFile {
  readonly type: string;
  readonly text: string;
}

const scripts = {
  bytes,
  connection,
  controls,
  daemon,
  dom,
  faults,
  format,
  frames,
  history,
  main,
  memory,
  picture,
  property,
  say,
  things,
  transactions,
  wave,
};

/** By path behind the token. */
export const files: ReadonlyMap<string, PageFile> = new Map([
  ["", { type: "text/html; charset=utf-8", text: page }],
  ["style.css", { type: "text/css; charset=utf-8", text: style }],
  ["icon.svg", { type: "image/svg+xml", text: icon }],
  ...Object.entries(scripts).map(([name, text]) =>
    [`${name}.js`, { type: "text/javascript; charset=utf-8", text }] as const
  ),
]);
