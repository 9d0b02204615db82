/**
 * From the command line and the configuration file to one validated description of what to do.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { MAX_GUESTS, MAX_POLL_MICROSECONDS, SANDBOX } from "./common_options.ts";
import type { ConfigNode } from "../input/config_node.ts";
import type { DeviceKind, GuestPlan } from "./device_kind.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogSettings } from "./log.ts";
import type { OptionValues } from "../input/options.ts";
import { checkSocketPath } from "../input/socket_path.ts";
import { readInteger } from "../text/numbers.ts";
import { UsageError } from "../errors.ts";

/** Where front-ends are expected. */
export type SocketSettings =
  /** At sockets that are to be made, named by this path and a number. */
  | { readonly path: string }
  /** At a descriptor given with `--fd`. */
  | { readonly fd: number }
  /** At what systemd has passed. */
  | { readonly systemd: readonly number[] };

/** Everything that a daemon is told. */
export interface DaemonSettings<Settings> {
  readonly sockets: SocketSettings;
  readonly guests: readonly GuestPlan<Settings>[];
  readonly log: LogSettings;
  readonly pollMicroseconds: number;
  /** Where control clients connect; nowhere if `undefined`. */
  readonly control: string | undefined;
  /** The file of a trace; none if `undefined`. */
  readonly trace: string | undefined;
  /** True to give up what is not needed. */
  readonly sandbox: boolean;
}

/** The control socket of the GPIO daemon that interrupts are wired to, if they are. */
export function wiredTo({ guests }: Pick<DaemonSettings<unknown>, "guests">): string | undefined {
  return guests.find(({ gpioControl }) => gpioControl !== undefined)?.gpioControl;
}

/** True if a thread is to observe guests. */
export function isObserved(settings: DaemonSettings<unknown>): boolean {
  const { control, trace } = settings;
  return [control, trace, wiredTo(settings)].some((one) => one !== undefined);
}

/** Keys of the configuration file that all daemons share. */
export const COMMON_KEYS = [
  "socket-path",
  "socket-count",
  "log-level",
  "log-format",
  "poll-us",
  "control",
  "trace",
  "sandbox",
] as const;

type CommonConfig = Partial<Record<(typeof COMMON_KEYS)[number], ConfigNode>>;

function number(
  name: string,
  options: OptionValues,
  minimum: number,
  maximum: number,
  config?: ConfigNode,
): number | undefined {
  const text = options[name];
  if (typeof text !== "string") return config?.integer(minimum, maximum);
  const value = readInteger(text);
  if (value === undefined || value < minimum || value > maximum) {
    throw new UsageError(
      `option '--${name}' has the value '${text}', expected a whole number from ${minimum} to ` +
        `${maximum}`,
    );
  }
  return value;
}

function sockets(count: number): string {
  return count === 1 ? "1 socket" : `${count} sockets`;
}

function whereToListen(
  options: OptionValues,
  config: CommonConfig,
  systemd: readonly number[],
): SocketSettings {
  const given = options["socket-path"] as string | undefined;
  const fd = number("fd", options, 0, 2 ** 20);
  if (fd !== undefined) {
    if (given !== undefined) {
      throw new UsageError(
        `'--fd ${fd}' and '--socket-path ${given}' exclude each other; give one of them`,
      );
    }
    return { fd };
  }
  if (systemd.length > 0) {
    if (given !== undefined) {
      throw new UsageError(
        `'--socket-path ${given}' is given, but systemd has passed ${sockets(systemd.length)}; ` +
          "leave the option out, or start without the socket unit",
      );
    }
    return { systemd };
  }
  const path = given ?? config["socket-path"]?.path();
  if (path === undefined) {
    throw new UsageError(
      "no socket is named; say where front-ends will connect with --socket-path PATH",
    );
  }
  return { path };
}

function path(option: OptionValues[string], config?: ConfigNode): string | undefined {
  return option === undefined ? config?.path() : String(option);
}

function controlPath(
  control: string | undefined,
  where: SocketSettings,
  count: number,
): string | undefined {
  if (control === undefined) return undefined;
  checkSocketPath(control, "'control': socket path");
  for (let guest = 0; "path" in where && guest < count; guest++) {
    if (control !== `${where.path}${guest}`) continue;
    throw new UsageError(
      `'control' is '${control}', and so is the socket of guest ${guest}; choose another path`,
    );
  }
  return control;
}

/** How much is to be logged; known before everything else. */
export function logSettings(options: OptionValues, config: CommonConfig): LogSettings {
  return {
    level: (options["log-level"] as LogSettings["level"] | undefined) ??
      config["log-level"]?.choice(LOG_LEVELS) ?? "info",
    format: (options["log-format"] as LogSettings["format"] | undefined) ??
      config["log-format"]?.choice(LOG_FORMATS) ?? "text",
  };
}

/** The configuration file as a mapping of the common keys and the device's. */
export async function readConfig<Key extends string>(
  kind: Pick<DeviceKind<unknown, Key>, "configKeys" | "formerKeys">,
  options: OptionValues,
): Promise<Partial<Record<Key | (typeof COMMON_KEYS)[number], ConfigNode>>> {
  const file = options.config;
  if (typeof file !== "string") return {};
  // The YAML parser is most of the program; neither guests' threads nor most users need it.
  const { ConfigNode } = await import("../input/config_node.ts");
  return ConfigNode.load(file).mapping([...COMMON_KEYS, ...kind.configKeys], kind.formerKeys);
}

/**
 * Puts everything together and checks that it agrees.
 *
 * @param systemd descriptors that systemd has passed
 * @throws {UsageError} if it does not
 * @throws {RuntimeError} if the host does not have what is asked for
 */
export function readSettings<Settings>(
  kind: DeviceKind<Settings>,
  options: OptionValues,
  config: Partial<Record<string, ConfigNode>>,
  systemd: readonly number[],
  log: Logger,
): DaemonSettings<Settings> {
  const where = whereToListen(options, config, systemd);
  const said = number("socket-count", options, 1, MAX_GUESTS, config["socket-count"]);
  const fixed = "fd" in where ? 1 : "systemd" in where ? where.systemd.length : undefined;
  const origin = options["socket-count"] === undefined ? "'socket-count'" : "'--socket-count'";
  if (fixed !== undefined && said !== undefined && said !== fixed) {
    const source = "fd" in where
      ? "'--fd' is for one guest"
      : `systemd has passed ${sockets(fixed)}`;
    throw new UsageError(`${origin} is ${said}, but ${source}; leave the count out`);
  }
  const guestCount = said ?? fixed;
  const guests = kind.plan({ options, config, guestCount }, log);
  if (guests.length > MAX_GUESTS) {
    throw new UsageError(
      `there are devices for ${guests.length} guests, one daemon serves at most ${MAX_GUESTS}; ` +
        "start several",
    );
  }
  if (guestCount !== undefined && guests.length !== guestCount) {
    const devices = `there are devices for ${guests.length} ${
      guests.length === 1 ? "guest" : "guests"
    }`;
    throw new UsageError(
      said !== undefined
        ? `${origin} is ${said}, but ${devices}; make the two agree or leave the count out`
        : `${devices}, but ${
          "fd" in where ? "'--fd' is for one" : `systemd has passed ${sockets(guestCount)}`
        }; make the two agree`,
    );
  }
  const trace = path(options.trace, config.trace);
  if (trace !== undefined && kind.tracks === undefined) {
    throw new UsageError(
      `'trace' is '${trace}', but a device of this kind has no wires to be drawn; leave it out`,
    );
  }
  const control = controlPath(path(options.control, config.control), where, guests.length);
  if (control === undefined && guests.some(({ remoteParts }) => remoteParts)) {
    throw new UsageError(
      "a part is 'remote', which programs serve at the control socket, and there is none; name one " +
        "with --control PATH",
    );
  }
  return {
    sockets: where,
    guests,
    log: logSettings(options, config),
    pollMicroseconds: number("poll-us", options, 0, MAX_POLL_MICROSECONDS, config["poll-us"]) ?? 0,
    control,
    trace,
    sandbox: (options.sandbox ?? config.sandbox?.choice(SANDBOX) ?? "on") === "on",
  };
}
