/**
 * Makes everything that says what the options are from the tables that `--help` is made from.
 *
 *     main.ts FOLDER     manual pages and completions, into FOLDER
 *     main.ts --guides   the tables in docs/
 *
 * The manual pages bear the date of SOURCE_DATE_EPOCH.
 *
 * @module
 */

import { VERSION } from "../../lib/daemon/help.ts";
import { bashCompletion, fishCompletion, zshCompletion } from "./completions.ts";
import { guideOf, withTables } from "./guides.ts";
import { manPage } from "./man_page.ts";
import { overviewPage } from "./overview_page.ts";
import { findPrograms as findAll } from "../programs.ts";
import { findPrograms } from "./programs.ts";

const [target] = Deno.args;
if (target === undefined) {
  console.error("usage: main.ts FOLDER | --guides");
  Deno.exit(2);
}

const programs = await findPrograms();

if (target === "--guides") {
  for (const program of programs) {
    const path = guideOf(program);
    if (path === undefined) continue;
    Deno.writeTextFileSync(path, withTables(Deno.readTextFileSync(path), program));
  }
} else {
  const seconds = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? Date.now() / 1000);
  const date = new Date(seconds * 1000).toISOString().slice(0, 10);
  for (const program of programs) {
    const { program: name } = program;
    const files = {
      [`man1/${name}.1`]: manPage(program, VERSION, date),
      [`bash/${name}`]: bashCompletion(program),
      [`zsh/_${name}`]: zshCompletion(program),
      [`fish/${name}.fish`]: fishCompletion(program),
    };
    for (const [path, text] of Object.entries(files)) {
      Deno.mkdirSync(`${target}/${path.split("/")[0]}`, { recursive: true });
      Deno.writeTextFileSync(`${target}/${path}`, text);
    }
  }
  const described = (await findAll()).map(({ name }) => {
    const summary = programs.find(({ program }) => program === name)?.summary;
    return summary === undefined ? { name } : { name, summary };
  });
  const page = overviewPage(described, VERSION, date);
  Deno.writeTextFileSync(`${target}/man1/vhost-device.1`, page);
}
