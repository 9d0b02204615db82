/**
 * Pieces of manual pages in roff, with the macros of man(7).
 *
 * @module
 */

/** Text that roff prints as it is. */
export function plain(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replace(/[^\n -~]/gu, (char) => {
      const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      return `\\[u${code}]`;
    })
    .replace(/^\./gm, "\\&.");
}

/** In bold. */
export const bold = (text: string) => `\\fB${plain(text)}\\fR`;
/** In italics, or underlined. */
export const italic = (text: string) => `\\fI${plain(text)}\\fR`;

/** The widest line of the page's source. */
const WIDTH = 80;

/** The same words in lines of a decent length, none of which roff takes for a request. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replace(/^[.']/, "\\&$&")).join("\n");
}

/** Prose, in which `--options`, `/paths` and PAGE(1) are set off. */
export function prose(text: string): string {
  const words = text.split(" ").map((word) => {
    const [, before, body, after] = /^([("']*)(.*?)([)"',.;:]*)$/.exec(word)!;
    if (/^--[a-z]/.test(body)) return plain(before) + bold(body) + plain(after);
    if (/^\/[a-z]/.test(body)) return plain(before) + italic(body) + plain(after);
    return plain(word);
  });
  return wrapped(words.join(" "));
}

/** With a capital letter and a full stop. */
export function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** A section with its title. */
export function section(title: string, ...lines: string[]): string[] {
  return [`.SH ${title}`, ...lines];
}

/** What a word or an option means. */
export function tagged(tag: string, text: string): string[] {
  return [".TP", tag, text];
}

/** Prose, one paragraph after the other. */
export function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, index) => index === 0 ? [prose(text)] : [".PP", prose(text)]);
}

/** Lines as they are, indented. */
export function literal(lines: readonly string[]): string[] {
  return [".PP", ".in +4n", ".EX", ...lines.map(plain), ".EE", ".in"];
}

/** What a page of section 1 begins with. */
export function header(name: string, version: string, date: string): string[] {
  return [
    `.TH ${name.toUpperCase()} 1 ${date} "vhost\\-device ${version}" "User Commands"`,
    // Names of programs and options are not to be broken at the end of a line.
    ".nh",
    ".ad l",
  ];
}
