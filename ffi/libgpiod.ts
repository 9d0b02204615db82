/**
 * libgpiod, version 2: GPIO chips, their lines, and requests of lines.
 *
 * The library is opened when the first chip is, so that nothing needs it where there is no chip.
 * Strings stand for the enumerations of C; pointers stay in here.
 *
 * Source: `gpiod.h` of libgpiod 2, whose ABI is `libgpiod.so.3`.
 *
 * @module
 */

import { cString, errno, SystemError } from "./errno.ts";

const LIBRARY = "libgpiod.so.3";
/** The ABI of version 1, which has nothing in common with version 2. */
const OLD_LIBRARY = "libgpiod.so.2";

const symbols = {
  /** `struct gpiod_chip *gpiod_chip_open(const char *path)` */
  gpiod_chip_open: { parameters: ["buffer"], result: "pointer" },
  /** `void gpiod_chip_close(struct gpiod_chip *chip)` */
  gpiod_chip_close: { parameters: ["pointer"], result: "void" },
  /** `int gpiod_chip_get_fd(struct gpiod_chip *chip)` */
  gpiod_chip_get_fd: { parameters: ["pointer"], result: "i32" },
  /** `struct gpiod_chip_info *gpiod_chip_get_info(struct gpiod_chip *chip)` */
  gpiod_chip_get_info: { parameters: ["pointer"], result: "pointer" },
  /** `void gpiod_chip_info_free(struct gpiod_chip_info *info)` */
  gpiod_chip_info_free: { parameters: ["pointer"], result: "void" },
  /** `const char *gpiod_chip_info_get_name(struct gpiod_chip_info *info)` */
  gpiod_chip_info_get_name: { parameters: ["pointer"], result: "pointer" },
  /** `const char *gpiod_chip_info_get_label(struct gpiod_chip_info *info)` */
  gpiod_chip_info_get_label: { parameters: ["pointer"], result: "pointer" },
  /** `size_t gpiod_chip_info_get_num_lines(struct gpiod_chip_info *info)` */
  gpiod_chip_info_get_num_lines: { parameters: ["pointer"], result: "u32" },
  /** `struct gpiod_line_info *gpiod_chip_get_line_info(struct gpiod_chip *, unsigned int)` */
  gpiod_chip_get_line_info: {
    parameters: [
      "pointer", // struct gpiod_chip *chip
      "u32", // unsigned int offset
    ],
    result: "pointer",
  },
  /** `void gpiod_line_info_free(struct gpiod_line_info *info)` */
  gpiod_line_info_free: { parameters: ["pointer"], result: "void" },
  /** `const char *gpiod_line_info_get_name(struct gpiod_line_info *info)`, null for none */
  gpiod_line_info_get_name: { parameters: ["pointer"], result: "pointer" },
  /** `bool gpiod_line_info_is_used(struct gpiod_line_info *info)` */
  gpiod_line_info_is_used: { parameters: ["pointer"], result: "bool" },
  /** `const char *gpiod_line_info_get_consumer(struct gpiod_line_info *info)`, null for none */
  gpiod_line_info_get_consumer: { parameters: ["pointer"], result: "pointer" },
  /** `enum gpiod_line_direction gpiod_line_info_get_direction(struct gpiod_line_info *info)` */
  gpiod_line_info_get_direction: { parameters: ["pointer"], result: "i32" },
  /** `enum gpiod_line_drive gpiod_line_info_get_drive(struct gpiod_line_info *info)` */
  gpiod_line_info_get_drive: { parameters: ["pointer"], result: "i32" },
  /** `bool gpiod_line_info_is_active_low(struct gpiod_line_info *info)` */
  gpiod_line_info_is_active_low: { parameters: ["pointer"], result: "bool" },
  /** `struct gpiod_line_settings *gpiod_line_settings_new(void)` */
  gpiod_line_settings_new: { parameters: [], result: "pointer" },
  /** `void gpiod_line_settings_reset(struct gpiod_line_settings *settings)` */
  gpiod_line_settings_reset: { parameters: ["pointer"], result: "void" },
  /** `int gpiod_line_settings_set_direction(struct gpiod_line_settings *, enum …)` */
  gpiod_line_settings_set_direction: {
    parameters: [
      "pointer", // struct gpiod_line_settings *settings
      "i32", // enum gpiod_line_direction direction
    ],
    result: "i32",
  },
  /** `int gpiod_line_settings_set_edge_detection(struct gpiod_line_settings *, enum …)` */
  gpiod_line_settings_set_edge_detection: {
    parameters: [
      "pointer", // struct gpiod_line_settings *settings
      "i32", // enum gpiod_line_edge edge
    ],
    result: "i32",
  },
  /** `int gpiod_line_settings_set_bias(struct gpiod_line_settings *, enum gpiod_line_bias)` */
  gpiod_line_settings_set_bias: {
    parameters: [
      "pointer", // struct gpiod_line_settings *settings
      "i32", // enum gpiod_line_bias bias
    ],
    result: "i32",
  },
  /** `int gpiod_line_settings_set_drive(struct gpiod_line_settings *, enum gpiod_line_drive)` */
  gpiod_line_settings_set_drive: {
    parameters: [
      "pointer", // struct gpiod_line_settings *settings
      "i32", // enum gpiod_line_drive drive
    ],
    result: "i32",
  },
  /** `void gpiod_line_settings_set_active_low(struct gpiod_line_settings *, bool)` */
  gpiod_line_settings_set_active_low: {
    parameters: [
      "pointer", // struct gpiod_line_settings *settings
      "bool", // bool active_low
    ],
    result: "void",
  },
  /** `int gpiod_line_settings_set_output_value(struct gpiod_line_settings *, enum …)` */
  gpiod_line_settings_set_output_value: {
    parameters: [
      "pointer", // struct gpiod_line_settings *settings
      "i32", // enum gpiod_line_value value
    ],
    result: "i32",
  },
  /** `struct gpiod_line_config *gpiod_line_config_new(void)` */
  gpiod_line_config_new: { parameters: [], result: "pointer" },
  /** `void gpiod_line_config_reset(struct gpiod_line_config *config)` */
  gpiod_line_config_reset: { parameters: ["pointer"], result: "void" },
  /** `int gpiod_line_config_add_line_settings(struct gpiod_line_config *config, …)` */
  gpiod_line_config_add_line_settings: {
    parameters: [
      "pointer", // struct gpiod_line_config *config
      "buffer", // const unsigned int *offsets
      "u32", // size_t num_offsets
      "pointer", // struct gpiod_line_settings *settings
    ],
    result: "i32",
  },
  /** `struct gpiod_request_config *gpiod_request_config_new(void)` */
  gpiod_request_config_new: { parameters: [], result: "pointer" },
  /** `void gpiod_request_config_set_consumer(struct gpiod_request_config *, const char *)` */
  gpiod_request_config_set_consumer: {
    parameters: [
      "pointer", // struct gpiod_request_config *config
      "buffer", // const char *consumer, zero-terminated
    ],
    result: "void",
  },
  /** `struct gpiod_line_request *gpiod_chip_request_lines(struct gpiod_chip *chip, …)` */
  gpiod_chip_request_lines: {
    parameters: [
      "pointer", // struct gpiod_chip *chip
      "pointer", // struct gpiod_request_config *req_cfg
      "pointer", // struct gpiod_line_config *line_cfg
    ],
    result: "pointer",
  },
  /** `void gpiod_line_request_release(struct gpiod_line_request *request)` */
  gpiod_line_request_release: { parameters: ["pointer"], result: "void" },
  /** `int gpiod_line_request_get_fd(struct gpiod_line_request *request)` */
  gpiod_line_request_get_fd: { parameters: ["pointer"], result: "i32" },
  /** `enum gpiod_line_value gpiod_line_request_get_value(struct gpiod_line_request *, …)` */
  gpiod_line_request_get_value: {
    parameters: [
      "pointer", // struct gpiod_line_request *request
      "u32", // unsigned int offset
    ],
    result: "i32",
  },
  /** `int gpiod_line_request_set_value(struct gpiod_line_request *request, …)` */
  gpiod_line_request_set_value: {
    parameters: [
      "pointer", // struct gpiod_line_request *request
      "u32", // unsigned int offset
      "i32", // enum gpiod_line_value value
    ],
    result: "i32",
  },
  /** `int gpiod_line_request_reconfigure_lines(struct gpiod_line_request *request, …)` */
  gpiod_line_request_reconfigure_lines: {
    parameters: [
      "pointer", // struct gpiod_line_request *request
      "pointer", // struct gpiod_line_config *config
    ],
    result: "i32",
  },
  /** `int gpiod_line_request_read_edge_events(struct gpiod_line_request *request, …)` */
  gpiod_line_request_read_edge_events: {
    parameters: [
      "pointer", // struct gpiod_line_request *request
      "pointer", // struct gpiod_edge_event_buffer *buffer
      "u32", // size_t max_events
    ],
    result: "i32",
  },
  /** `struct gpiod_edge_event_buffer *gpiod_edge_event_buffer_new(size_t capacity)` */
  gpiod_edge_event_buffer_new: { parameters: ["u32"], result: "pointer" },
  /** `struct gpiod_edge_event *gpiod_edge_event_buffer_get_event(…)` */
  gpiod_edge_event_buffer_get_event: {
    parameters: [
      "pointer", // struct gpiod_edge_event_buffer *buffer
      "u32", // unsigned long index
    ],
    result: "pointer",
  },
  /** `enum gpiod_edge_event_type gpiod_edge_event_get_event_type(struct gpiod_edge_event *)` */
  gpiod_edge_event_get_event_type: { parameters: ["pointer"], result: "i32" },
  /** `unsigned long gpiod_edge_event_get_line_seqno(struct gpiod_edge_event *)` */
  gpiod_edge_event_get_line_seqno: { parameters: ["pointer"], result: "u32" },
  /** `bool gpiod_is_gpiochip_device(const char *path)` */
  gpiod_is_gpiochip_device: { parameters: ["buffer"], result: "bool" },
} as const satisfies Deno.ForeignLibraryInterface;

const VALUE_INACTIVE = 0;
const VALUE_ACTIVE = 1;
const EDGE_EVENT_RISING = 1;

/** The members of an enumeration in the order of gpiod.h, where the first is 1. */
const DIRECTIONS = ["as-is", "input", "output"] as const;
const EDGES = ["none", "rising", "falling", "both"] as const;
const BIASES = ["as-is", "unknown", "disabled", "pull-up", "pull-down"] as const;
const DRIVES = ["push-pull", "open-drain", "open-source"] as const;

export type LineDirection = (typeof DIRECTIONS)[number];
export type LineEdge = (typeof EDGES)[number];
export type LineBias = Exclude<(typeof BIASES)[number], "unknown">;
export type LineDrive = (typeof DRIVES)[number];

/** What is known of a chip. */
export interface ChipInfo {
  /** The kernel's name, for example `gpiochip0`. */
  readonly name: string;
  /** What its driver calls it, for example `pinctrl-bcm2711`. */
  readonly label: string;
  readonly lineCount: number;
}

/** What is known of a line at one moment. */
export interface LineInfo {
  /** Empty for none. */
  readonly name: string;
  /** True if the line is taken, by the kernel or by a process. */
  readonly used: boolean;
  /** Who has taken it; empty if that is not known. */
  readonly consumer: string;
  readonly direction: "input" | "output";
  readonly drive: LineDrive;
  readonly activeLow: boolean;
}

/** What a line is to be. */
export interface LineSettings {
  readonly direction: LineDirection;
  /** What an output drives from the first moment on, 0 or 1. */
  readonly value?: number | undefined;
  /** Edges that make events; for an input. */
  readonly edges?: LineEdge | undefined;
  /** As it is where not given. */
  readonly bias?: LineBias | undefined;
  /** Of an output; push-pull where not given. */
  readonly drive?: LineDrive | undefined;
  readonly activeLow?: boolean | undefined;
}

/** There is no libgpiod of version 2. */
export class LibraryMissing extends Error {
  override readonly name = "LibraryMissing";
  /** The version that is there instead, where there is one. */
  readonly found: string | undefined;

  constructor(message: string, found: string | undefined) {
    super(message);
    this.found = found;
  }
}

type Library = Deno.DynamicLibrary<typeof symbols>["symbols"];
let opened: Library | undefined;

/** The version of the old library if it is there: `gpiod_version_string` of its gpiod.h. */
function oldVersion(): string | undefined {
  try {
    const old = Deno.dlopen(OLD_LIBRARY, {
      /** `const char *gpiod_version_string(void)` */
      gpiod_version_string: { parameters: [], result: "pointer" },
    });
    const version = text(old.symbols.gpiod_version_string());
    old.close();
    return version;
  } catch {
    return undefined;
  }
}

function library(): Library {
  if (opened !== undefined) return opened;
  try {
    opened = Deno.dlopen(LIBRARY, symbols).symbols;
  } catch (error) {
    throw new LibraryMissing((error as Error).message, oldVersion());
  }
  return opened;
}

function text(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** An object of C that has been made or asked for. */
function object(call: string, pointer: Deno.PointerValue): Deno.PointerObject {
  if (pointer === null) throw new SystemError(call, errno());
  return pointer;
}

/** A setter of gpiod.h refuses only values that are not in the enumeration. */
function set(call: string, result: number): void {
  if (result < 0) throw new SystemError(call, errno());
}

/** A line configuration for one line, used again and again. */
class Configuration {
  readonly pointer: Deno.PointerObject;
  readonly #library: Library;
  readonly #settings: Deno.PointerObject;
  readonly #offset = new Uint32Array(1);

  constructor(library: Library) {
    this.#library = library;
    this.pointer = object("gpiod_line_config_new", library.gpiod_line_config_new());
    this.#settings = object("gpiod_line_settings_new", library.gpiod_line_settings_new());
  }

  fill(offset: number, settings: LineSettings): void {
    const to = this.#settings;
    const gpiod = this.#library;
    gpiod.gpiod_line_settings_reset(to);
    const direction = DIRECTIONS.indexOf(settings.direction) + 1;
    set("direction", gpiod.gpiod_line_settings_set_direction(to, direction));
    const value = settings.value === 1 ? VALUE_ACTIVE : VALUE_INACTIVE;
    set("value", gpiod.gpiod_line_settings_set_output_value(to, value));
    const edges = EDGES.indexOf(settings.edges ?? "none") + 1;
    set("edge detection", gpiod.gpiod_line_settings_set_edge_detection(to, edges));
    const bias = BIASES.indexOf(settings.bias ?? "as-is") + 1;
    set("bias", gpiod.gpiod_line_settings_set_bias(to, bias));
    const drive = DRIVES.indexOf(settings.drive ?? "push-pull") + 1;
    set("drive", gpiod.gpiod_line_settings_set_drive(to, drive));
    gpiod.gpiod_line_settings_set_active_low(to, settings.activeLow ?? false);
    gpiod.gpiod_line_config_reset(this.pointer);
    this.#offset[0] = offset;
    const { pointer } = this;
    const bytes = this.#offset.buffer;
    set("settings", gpiod.gpiod_line_config_add_line_settings(pointer, bytes, 1, to));
  }
}

let shared: Configuration | undefined;

/** The thread's line configuration, filled. */
function configuration(offset: number, settings: LineSettings): Deno.PointerObject {
  shared ??= new Configuration(library());
  shared.fill(offset, settings);
  return shared.pointer;
}

/** An open chip. */
export class GpioChip {
  /** Reports `EPOLLERR` and `EPOLLHUP` when the chip goes away. */
  readonly fd: number;
  readonly #library: Library;
  #pointer: Deno.PointerValue;

  /**
   * @param path of the character device
   * @throws {LibraryMissing} if there is no library
   * @throws {SystemError} as open(2), or `ENODEV` and `ENOTTY` for what is no GPIO chip
   */
  constructor(path: string) {
    this.#library = library();
    this.#pointer = object("gpiod_chip_open", this.#library.gpiod_chip_open(cString(path)));
    this.fd = this.#library.gpiod_chip_get_fd(this.#pointer);
  }

  /** True if the file at `path` is a GPIO chip. */
  static isChip(path: string): boolean {
    return library().gpiod_is_gpiochip_device(cString(path));
  }

  /** @throws {SystemError} `ENODEV` if the chip has gone */
  info(): ChipInfo {
    const gpiod = this.#library;
    const info = object("gpiod_chip_get_info", gpiod.gpiod_chip_get_info(this.#pointer));
    const result = {
      name: text(gpiod.gpiod_chip_info_get_name(info)),
      label: text(gpiod.gpiod_chip_info_get_label(info)),
      lineCount: gpiod.gpiod_chip_info_get_num_lines(info),
    };
    gpiod.gpiod_chip_info_free(info);
    return result;
  }

  /** @throws {SystemError} `ENODEV` if the chip has gone, `EINVAL` if it has no such line */
  lineInfo(offset: number): LineInfo {
    const gpiod = this.#library;
    const info = object(
      "gpiod_chip_get_line_info",
      gpiod.gpiod_chip_get_line_info(this.#pointer, offset),
    );
    const direction = DIRECTIONS[gpiod.gpiod_line_info_get_direction(info) - 1];
    const result: LineInfo = {
      name: text(gpiod.gpiod_line_info_get_name(info)),
      used: gpiod.gpiod_line_info_is_used(info),
      consumer: text(gpiod.gpiod_line_info_get_consumer(info)),
      direction: direction === "output" ? "output" : "input",
      drive: DRIVES[gpiod.gpiod_line_info_get_drive(info) - 1],
      activeLow: gpiod.gpiod_line_info_is_active_low(info),
    };
    gpiod.gpiod_line_info_free(info);
    return result;
  }

  /**
   * Takes a line.
   *
   * @param consumer is what others are told about who has the line
   * @throws {SystemError} `EBUSY` if another has it, `ENODEV` if the chip has gone
   */
  request(offset: number, settings: LineSettings, consumer: string): LineRequest {
    const gpiod = this.#library;
    const config = configuration(offset, settings);
    requestConfig ??= object("gpiod_request_config_new", gpiod.gpiod_request_config_new());
    gpiod.gpiod_request_config_set_consumer(requestConfig, cString(consumer));
    const pointer = gpiod.gpiod_chip_request_lines(this.#pointer, requestConfig, config);
    return new LineRequest(gpiod, object("gpiod_chip_request_lines", pointer), offset);
  }

  /** Closes the chip. Its requests live on. */
  close(): void {
    if (this.#pointer === null) return;
    this.#library.gpiod_chip_close(this.#pointer);
    this.#pointer = null;
  }
}

let requestConfig: Deno.PointerObject | undefined;

/** A line that has been taken. Made by {@linkcode GpioChip.request}. */
export class LineRequest {
  /** Readable when there are edge events; reports `EPOLLHUP` when the chip goes away. */
  readonly fd: number;
  readonly offset: number;
  readonly #library: Library;
  #pointer: Deno.PointerValue;

  constructor(library: Library, pointer: Deno.PointerObject, offset: number) {
    this.#library = library;
    this.#pointer = pointer;
    this.offset = offset;
    this.fd = library.gpiod_line_request_get_fd(pointer);
  }

  /** The line's level: 0, 1, or -1 with errno set. */
  value(): number {
    return this.#library.gpiod_line_request_get_value(this.#pointer, this.offset);
  }

  /** Drives an output to 0 or 1. Returns 0, or -1 with errno set. */
  setValue(value: number): number {
    return this.#library.gpiod_line_request_set_value(this.#pointer, this.offset, value);
  }

  /**
   * Makes the line something else without giving it back.
   *
   * @throws {SystemError} if the chip cannot do this
   */
  reconfigure(settings: LineSettings): void {
    const config = configuration(this.offset, settings);
    const result = this.#library.gpiod_line_request_reconfigure_lines(this.#pointer, config);
    if (result < 0) throw new SystemError("gpiod_line_request_reconfigure_lines", errno());
  }

  /**
   * Reads events, waiting for one where {@linkcode fd} has not been made non-blocking.
   *
   * @returns how many, or -1 with errno set
   */
  readEdges(events: EdgeEvents): number {
    return events.read(this.#pointer);
  }

  /** Gives the line back. */
  release(): void {
    if (this.#pointer === null) return;
    this.#library.gpiod_line_request_release(this.#pointer);
    this.#pointer = null;
  }
}

/** Room for edge events of any request; reading them allocates nothing. */
export class EdgeEvents {
  readonly capacity: number;
  readonly #library = library();
  readonly #buffer: Deno.PointerObject;
  /** The events' places in the buffer, which stay the same. */
  readonly #events: Deno.PointerValue[] = [];

  /** @throws {LibraryMissing} if there is no library */
  constructor(capacity: number) {
    this.capacity = capacity;
    const buffer = this.#library.gpiod_edge_event_buffer_new(capacity);
    this.#buffer = object("gpiod_edge_event_buffer_new", buffer);
  }

  /** For {@linkcode LineRequest.readEdges}. */
  read(request: Deno.PointerValue): number {
    const { capacity } = this;
    const count = this.#library.gpiod_line_request_read_edge_events(
      request,
      this.#buffer,
      capacity,
    );
    for (let index = this.#events.length; index < count; index++) {
      this.#events.push(this.#library.gpiod_edge_event_buffer_get_event(this.#buffer, index));
    }
    return count;
  }

  /** True if the event at `index` of the last read is of a rising edge, otherwise falling. */
  isRising(index: number): boolean {
    const type = this.#library.gpiod_edge_event_get_event_type(this.#events[index]);
    return type === EDGE_EVENT_RISING;
  }

  /** The number, from 1, that the kernel has given to the event among those of its line. */
  sequence(index: number): number {
    return this.#library.gpiod_edge_event_get_line_seqno(this.#events[index]);
  }
}
