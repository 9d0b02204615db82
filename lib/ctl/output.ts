/**
 * Standard input and output.
 *
 * @module
 */

import { RuntimeError } from "../errors.ts";
import { ReaderGone } from "./endings.ts";

const CHUNK = 65536;

/** Writes all of the bytes to standard output. */
export function putBytes(bytes: Uint8Array): void {
  try {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new ReaderGone();
    const { message } = error as Error;
    throw new RuntimeError(`standard output cannot be written: ${message}; redirect it elsewhere`);
  }
}

/** Writes a line to standard output. */
export function put(line: string): void {
  putBytes(new TextEncoder().encode(`${line}\n`));
}

/** Writes something as JSON, in one line. */
export function putJson(value: unknown): void {
  put(JSON.stringify(value));
}

/** All that comes from standard input. */
export function takeBytes(): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const chunk = new Uint8Array(CHUNK);
    let count: number | null;
    try {
      count = Deno.stdin.readSync(chunk);
    } catch (error) {
      const { message } = error as Error;
      throw new RuntimeError(`standard input cannot be read: ${message}; redirect it from a file`);
    }
    if (count === null) break;
    chunks.push(chunk.subarray(0, count));
  }
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
