/**
 * Tables for people: columns that are aligned.
 *
 * @module
 */

/** The lines of a table; a column is as wide as it has to be, the last one has no end. */
export function alignedLines(rows: readonly (readonly string[])[], indent = ""): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, [...cell].length);
    });
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => cell + " ".repeat(widths[column] - [...cell].length));
    return (indent + cells.join("  ")).trimEnd();
  });
}
