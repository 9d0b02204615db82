/**
 * Who gets in: those who know the address with its token, and only from a page that came from here.
 *
 * @module
 */

import { timingSafeEqual } from "node:crypto";
import { hexadecimal } from "../../control/protocol.ts";
import { isOwnHost, type ListenAddress } from "./address.ts";

/** In bytes: nobody guesses that. */
const TOKEN_SIZE = 16;

/** A token for addresses. */
export function makeToken(): string {
  return hexadecimal(crypto.getRandomValues(new Uint8Array(TOKEN_SIZE)));
}

/** Why somebody does not get in; a status of HTTP and a line for people. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

function isToken(word: string, token: string): boolean {
  const encoder = new TextEncoder();
  const [one, other] = [encoder.encode(word), encoder.encode(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Looks at a request. @returns the path behind the token, or why there is none */
export function admit(
  request: Pick<Request, "url" | "headers" | "method">,
  token: string,
  listening: ListenAddress,
): string | Refusal {
  const { headers, method } = request;
  const host = headers.get("host") ?? "";
  if (!isOwnHost(host, listening)) {
    return { status: 403, text: `'${host}' is not where the panel was told to listen` };
  }
  const origin = headers.get("origin");
  const connects = headers.get("upgrade") !== null;
  // Browsers send it with every connection of that kind.
  if ((origin !== null || connects) && origin?.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return { status: 403, text: "the panel answers no other page than its own" };
  }
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, text: "the panel is only looked at" };
  }
  const [, word, ...rest] = new URL(request.url).pathname.split("/");
  if (!isToken(word, token) || rest.length === 0) {
    return {
      status: 404,
      text: "there is nothing here; the address that vhost-device-ctl has printed is longer",
    };
  }
  return rest.join("/");
}
