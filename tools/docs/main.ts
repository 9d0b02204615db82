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
import { findPrograms as findAll, findTools } from "../programs.ts";
import { allOptions, findPrograms } from "./programs.ts";
import { toolPage } from "./tool_page.ts";

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
  const tools = await findTools();
  const documented = [
    ...programs.map((program) => ({
      completed: { program: program.program, options: allOptions(program) },
      page: manPage(program, VERSION, date),
    })),
    ...tools.map((tool) => ({
      completed: { program: tool.name, options: tool.options, commands: tool.commands },
      page: toolPage(tool, programs.map(({ program }) => program), VERSION, date),
    })),
  ];
  for (const { completed, page } of documented) {
    const name = completed.program;
    const files = {
      [`man1/${name}.1`]: page,
      [`bash/${name}`]: bashCompletion(completed),
      [`zsh/_${name}`]: zshCompletion(completed),
      [`fish/${name}.fish`]: fishCompletion(completed),
    };
    for (const [path, text] of Object.entries(files)) {
      Deno.mkdirSync(`${target}/${path.split("/")[0]}`, { recursive: true });
      Deno.writeTextFileSync(`${target}/${path}`, text);
    }
  }
  const described = (await findAll()).map(({ name }) => {
    const summary = programs.find(({ program }) => program === name)?.summary ??
      tools.find((tool) => tool.name === name)?.summary;
    return summary === undefined ? { name } : { name, summary };
  });
  const page = overviewPage(described, VERSION, date);
  Deno.writeTextFileSync(`${target}/man1/vhost-device.1`, page);
}
