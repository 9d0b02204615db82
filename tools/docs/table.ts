/**
 * Tables in Markdown, aligned as `deno fmt` does it.
 *
 * @module
 */

/** The lines of a table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) =>
    Math.max(...all.map((cells) => [...cells[column]].length))
  );
  const line = (cells: readonly string[], fill: string) =>
    `| ${cells.map((cell, i) => cell + fill.repeat(widths[i] - [...cell].length)).join(" | ")} |`;
  return [
    line(all[0], " "),
    line(head.map(() => ""), "-"),
    ...all.slice(1).map((cells) => line(cells, " ")),
  ];
}
