/**
 * What scripts/compile.sh has to know of the programs.
 *
 *     main.ts flags PROGRAM...   the permissions that they need, as options, one a line
 *     main.ts entry              the main module of the executable that holds all programs
 *
 * @module
 */

import { permissionFlags, union } from "../../lib/permissions.ts";
import { findPrograms, ROOT } from "../programs.ts";

const [what, ...names] = Deno.args;
const programs = await findPrograms();

function permissionsOf(names: readonly string[]) {
  return union(names.map((name) => {
    const program = programs.find((program) => program.name === name);
    if (program === undefined) throw new Error(`there is no program ${name}`);
    return program.permissions;
  }));
}

if (what === "flags") {
  console.log(permissionFlags(permissionsOf(names)).join("\n"));
} else if (what === "entry") {
  const all = programs.map(({ name }) => name);
  const loads = all.map((name) => `  "${name}": () => import("${ROOT.href}cmd/${name}.ts"),`);
  console.log([
    `import { runOneOf } from "${ROOT.href}lib/one_file.ts";`,
    "await runOneOf({",
    ...loads,
    `}, ${JSON.stringify(permissionsOf(all))}, import.meta.url);`,
  ].join("\n"));
} else {
  console.error("usage: main.ts flags PROGRAM... | entry");
  Deno.exit(2);
}
