/**
 * The picture of the demo in the README: an SVG of what a terminal shows during `make demo`.
 *
 *     picture.ts OUTPUT PICTURE     from what scripts/demo.sh has printed
 *
 * Some of the commands are shown with what came of them, without the times of the log.
 *
 * @module
 */

/** The commands to be shown, by how they begin; the order is the run's. */
const SHOWN = [
  "vhost-device-gpio",
  "gpiomon",
  "gpioset -t 50ms",
  "vhost-device-ctl",
  "printf 'hello",
  "head -c 32 /sys",
  "cat /sys/class/hwmon",
  "printf 'kept",
  "head -c 32 /dev",
];

/** In pixels. */
const LINE = 18;
const COLUMN = 7.83;
const MARGIN = 16;
const COLUMNS = 92;

/** A line, and what it is; each kind has a look of its own. */
interface Line {
  readonly kind: "title" | "command" | "log" | "output";
  readonly text: string;
}

// deno-lint-ignore no-control-regex
const ESCAPE = /\x1b\[([0-9;]*)m/g;

/** As a terminal shows it, with a tab stop every eight columns. */
function expanded(text: string): string {
  return text.split("\t").reduce((line, part) => line.padEnd((line.length >> 3) * 8 + 8) + part);
}

/** A line of the run as it is shown, if it is. */
export function lineOf(raw: string): Line {
  const text = expanded(raw.replaceAll(ESCAPE, "")).trimEnd();
  if (text.startsWith("=== ")) return { kind: "title", text: text.slice(4) };
  if (/^(guest# |\$ )/.test(text)) {
    return { kind: "command", text: text.replace(/\/tmp\/[^/ ]+\//g, "/tmp/") };
  }
  const log = /^ {2}(\[\w+\]) \S+Z (.*)$/.exec(text);
  if (log !== null) return { kind: "log", text: `${log[1]} ${log[2]}` };
  return { kind: "output", text };
}

/** What of a run is shown. */
function selected(run: string): Line[] {
  const lines: Line[] = [];
  let title: Line | undefined;
  let shown = false;
  for (const line of run.split("\n").map(lineOf)) {
    if (line.text === "" || line.text.includes("front-end gone")) continue;
    if (line.kind === "title") {
      title = line;
      shown = false;
      continue;
    }
    if (line.kind === "command") {
      const command = line.text.replace(/^(guest#|\$) /, "");
      shown = SHOWN.some((start) => command.startsWith(start));
      if (shown && title !== undefined) lines.push(title);
      if (shown) title = undefined;
    }
    if (shown) lines.push(line);
  }
  return lines;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function cut(text: string): string {
  return text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 1)}…`;
}

/** The picture. */
export function picture(run: string): string {
  let y = 34;
  const texts = selected(run).map(({ kind, text }) => {
    y += kind === "title" ? LINE + 8 : LINE;
    return `  <text class="${kind}" x="${MARGIN}" y="${y}">${escaped(cut(text))}</text>`;
  });
  const width = Math.ceil(COLUMNS * COLUMN) + 2 * MARGIN;
  const height = y + MARGIN + 4;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"
  xml:space="preserve">
  <title>make demo: a Linux guest at work on simulated GPIO, I2C and SPI devices</title>
  <style>
    text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace }
    .title { fill: #56d4dd; font-weight: bold }
    .command { fill: #ffffff; font-weight: bold }
    .log { fill: #8ddb8c }
    .output { fill: #c9d1d9 }
    .bar { fill: #8b949e }
  </style>
  <rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
  <circle cx="20" cy="20" r="6" fill="#f85149"/>
  <circle cx="40" cy="20" r="6" fill="#d29922"/>
  <circle cx="60" cy="20" r="6" fill="#3fb950"/>
  <text class="bar" x="84" y="24">make demo</text>
${texts.join("\n")}
</svg>
`;
}

if (import.meta.main) {
  const [output, file] = Deno.args;
  Deno.writeTextFileSync(file, picture(Deno.readTextFileSync(output)));
}
