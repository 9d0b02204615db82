/**
 * What the process has, and who of those that it serves gets how much of it.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { memoryLimit } from "../../ffi/memory_limit.ts";
import { descriptorLimit, openDescriptors } from "../../ffi/resource.ts";
import type { Share } from "../vhost_user/session.ts";
import { MAX_MEMORY } from "../virtio/guest_memory.ts";
import { shareDescriptors } from "./descriptor_budget.ts";
import { inherit, listenAll, type Listener, socketPaths } from "./listeners.ts";
import { checkMemory } from "./memory_budget.ts";
import { type DaemonSettings, isObserved, type SocketSettings } from "./settings.ts";

/** How often a second guests together may have memory unmapped in the long run, which is felt by all. */
const UNMAPPINGS = 400;

/** The sockets of all guests. */
export function openSockets(where: SocketSettings, count: number): Listener[] {
  if ("fd" in where) return [inherit(where.fd, "option '--fd'")];
  if ("systemd" in where) return where.systemd.map((fd) => inherit(fd, "systemd"));
  return listenAll(socketPaths(where.path, count));
}

/**
 * How much each front-end may take of what the process has, and how many control clients there may
 * be.
 *
 * @throws {RuntimeError} if that is too little
 */
export function shareOut(
  settings: DaemonSettings<unknown>,
  log: Logger,
): { readonly share: Required<Share>; readonly clients: number } {
  const { guests, control } = settings;
  const { message, clients } = shareDescriptors({
    limit: descriptorLimit(),
    open: openDescriptors(),
    devices: guests.map(({ descriptors }) => descriptors ?? 0),
    controlled: control !== undefined,
  });
  const observed = isObserved(settings);
  const scarcity = checkMemory({ limit: memoryLimit(), guests: guests.length, observed });
  if (scarcity !== undefined) log.warn(scarcity);
  const share = {
    descriptors: message,
    memory: MAX_MEMORY / guests.length,
    unmappings: guests.length === 1 ? Infinity : UNMAPPINGS / guests.length,
  };
  return { share, clients };
}
