/**
 * Serves the page, and its connections to the daemons.
 *
 * @module
 */

import { RuntimeError } from "../../errors.ts";
import { admit, makeToken, type Refusal } from "./access.ts";
import { type ListenAddress, showAddress } from "./address.ts";
import { Bridge } from "./bridge.ts";
import { files } from "./files.ts";
import { Readiness } from "./readiness.ts";

const HEADERS: Readonly<Record<string, string>> = {
  // All of it comes from here, and nobody shows it within a page of theirs.
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // The token is in the address.
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** In seconds: a page that has not answered for so long has gone. */
const IDLE_TIMEOUT = 30;

function answer(text: string, type: string, status = 200): Response {
  return new Response(text, { status, headers: { ...HEADERS, "content-type": type } });
}

function refuse({ status, text }: Refusal): Response {
  return answer(`${text}\n`, "text/plain; charset=utf-8", status);
}

/**
 * Begins to serve.
 *
 * @param sockets the paths of the daemons' control sockets
 * @returns the address of the page, and a promise that fails where serving does
 * @throws {RuntimeError} if nobody can listen there
 */
export function servePanel(
  sockets: readonly string[],
  listen: ListenAddress,
): { readonly address: string; readonly ended: Promise<void> } {
  const token = makeToken();
  const readiness = new Readiness();

  function serve(request: Request): Response {
    const path = admit(request, token, listen);
    if (typeof path !== "string") return refuse(path);
    const file = files.get(path);
    if (file !== undefined) return answer(file.text, file.type);
    if (path === "daemons") {
      return answer(JSON.stringify(sockets), "application/json; charset=utf-8");
    }
    const [, digits] = /^daemon\/(\d+)$/.exec(path) ?? [];
    const socket = digits === undefined ? undefined : sockets[Number(digits)];
    if (socket === undefined) return refuse({ status: 404, text: "there is no such file" });
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refuse({ status: 426, text: "this is for WebSockets" });
    }
    const { socket: page, response } = Deno.upgradeWebSocket(request, {
      idleTimeout: IDLE_TIMEOUT,
    });
    new Bridge(page, socket, readiness);
    return response;
  }

  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ ...listen, onListen: () => {}, onError }, serve);
  } catch (error) {
    throw new RuntimeError(
      `cannot listen on ${showAddress(listen)}: ${(error as Error).message}; ` +
        "choose another address or port with --listen",
    );
  }
  const address = `http://${showAddress({ ...listen, port: server.addr.port })}/${token}/`;
  return { address, ended: Promise.race([server.finished, readiness.run()]) };
}

function onError(): Response {
  return refuse({ status: 500, text: "internal error" });
}
