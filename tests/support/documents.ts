/**
 * What the project tells its users in Markdown: README, guides, and what contributors read.
 *
 * @module
 */

import { findDaemons } from "../../tools/programs.ts";

const ROOT = new URL("../../", import.meta.url);

/** A fenced block, with the program that its document or its section is about. */
export interface Block {
  readonly language: string;
  /** True for what is typed in the guest: "guest" comes after the language. */
  readonly inGuest: boolean;
  readonly program: string;
  readonly text: string;
}

/** A link to something in this project. */
export interface Link {
  /** As it is written. */
  readonly target: string;
  /** The path from the project's folder; the document itself, if only an anchor is given. */
  readonly path: string;
  /** What comes after the `#`. */
  readonly anchor: string | undefined;
}

export interface Document {
  /** From the project's folder, for example `docs/gpio.md`. */
  readonly path: string;
  readonly text: string;
  /** The text without its fenced blocks. */
  readonly prose: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** What may come after the `#` of a link to it, as GitHub makes it from the headings. */
  readonly anchors: readonly string[];
}

const daemons = await findDaemons();

const FENCED = /^( *)```(\w*)( guest)?\n(.*?)^ *```$/gms;

/** The guide's program; in a document about all of them that of the section, or of the text. */
function blocksOf(path: string, text: string): Block[] {
  const guide = daemons.find(({ type }) => path === `docs/${type}.md`)?.program;
  return text.split(/^(?=## )/m).flatMap((section) => {
    const title = /^## (.*)$/m.exec(section)?.[1];
    const heading = daemons.find(({ about }) => about.title === title)?.program;
    return [...section.matchAll(FENCED)].map(([, indent, language, guest, lines]) => {
      const text = lines.replaceAll(new RegExp(`^${indent}`, "gm"), "");
      const own = /^(?:# )?(vhost-device-\w+)\b/m.exec(text)?.[1];
      const program = guide ?? heading ?? own ?? "vhost-device-gpio";
      return { language, inGuest: guest !== undefined, program, text };
    });
  });
}

function anchorsOf(prose: string): string[] {
  const seen = new Map<string, number>();
  return [...prose.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

function linksOf(path: string, prose: string): Link[] {
  const text = prose.replaceAll(/`[^`]*`/g, "");
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  const html = [...text.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, target]) => target);
  return [...inline, ...html].filter((target) => !/^[a-z]+:/.test(target)).map((target) => {
    const url = new URL(target, new URL(path, ROOT));
    return {
      target,
      path: url.pathname.slice(ROOT.pathname.length),
      anchor: url.hash === "" ? undefined : decodeURIComponent(url.hash.slice(1)),
    };
  });
}

function read(path: string): Document {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const prose = text.replaceAll(FENCED, "");
  return {
    path,
    text,
    prose,
    blocks: blocksOf(path, text),
    links: linksOf(path, prose),
    anchors: anchorsOf(prose),
  };
}

/** True for a scenario, or steps of one; else a block of YAML is a daemon's configuration. */
export function isScenario(yaml: string): boolean {
  return /^(?:steps:|- )/m.test(yaml);
}

/** README, guides and CONTRIBUTING. */
export const documents: readonly Document[] = [
  "README.md",
  "CONTRIBUTING.md",
  ...[...Deno.readDirSync(new URL("docs", ROOT))]
    .filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => `docs/${name}`)
    .sort(),
].map(read);
