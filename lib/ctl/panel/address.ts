/**
 * Where the panel listens, and by which names it may be called there.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { readInteger } from "../../text/numbers.ts";

/** Where to listen. */
export interface ListenAddress {
  /** An address or a name, without brackets. */
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
}

const USUAL: ListenAddress = { hostname: "127.0.0.1", port: 0 };
const MAX_PORT = 65535;

/**
 * Reads `ADDRESS:PORT`, `ADDRESS` or `:PORT`; an IPv6 address stands in brackets where a port
 * follows.
 *
 * @throws {UsageError} if it is nothing of that
 */
export function readListenAddress(text: string): ListenAddress {
  const wrong = new UsageError(
    `option '--listen' has the value '${text}', expected ADDRESS:PORT, for example 127.0.0.1:8080`,
  );
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*|[^\s:\[\]/]*))(?::(\d+))?$/
      .exec(text) ?? [];
  const hostname = bracketed ?? plain;
  if (text === "" || hostname === undefined) throw wrong;
  const port = digits === undefined ? USUAL.port : readInteger(digits);
  if (port === undefined || port > MAX_PORT) throw wrong;
  return { hostname: hostname || USUAL.hostname, port };
}

/** `127.0.0.1:8080`, `[::1]:8080` */
export function showAddress({ hostname, port }: ListenAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** The name in a header such as `Host`, in lower case and without its port. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "");
}

function isAddress(name: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(name) || /^\[[0-9a-f:.]+\]$/.test(name);
}

/** True if only programs of the same machine can connect. */
export function isLocal(hostname: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(hostname) || ["::1", "localhost"].includes(hostname);
}

/**
 * True if a page may have been loaded from there. Names are not taken on trust, since whoever owns
 * a name can let it lead here: only that which is listened on, and `localhost`, which is nobody's.
 * The port may be another one, as it is at the end of an ssh tunnel.
 *
 * @param host as the header `Host` has it
 */
export function isOwnHost(host: string, listening: ListenAddress): boolean {
  const name = nameOf(host);
  return isAddress(name) || name === "localhost" || name === listening.hostname.toLowerCase();
}
