/** What is asked of the kernel for a line, call by call. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createEventfd } from "../../../ffi/eventfd.ts";
import { EPOLLIN } from "../../../ffi/epoll.ts";
import { EBUSY, EIO, ENXIO, SystemError } from "../../../ffi/errno.ts";
import { close } from "../../../ffi/fd.ts";
import type { EdgeEvents, GpioChip, LineInfo, LineSettings } from "../../../ffi/libgpiod.ts";
import { HostLine, type LineHost } from "../../../lib/gpio/host/host_line.ts";
import { LineStates, watchLines } from "../../../lib/gpio/host/line_state.ts";
import { dutyAtEnd, type LineRules, type SafeState } from "../../../lib/gpio/host/settings.ts";
import { DIRECTION_IN, DIRECTION_OUT } from "../../../lib/gpio/protocol.ts";
import { Simulation } from "../../../lib/simulation/simulation.ts";
import { RecordingLog } from "../../support/in_process.ts";

/** A chip with one line that writes down what it is asked. */
class FakeChip implements Disposable {
  readonly calls: string[] = [];
  readonly log = new RecordingLog();
  readonly edges: boolean[] = [];
  /** The error number of the next calls that can fail; 0 for success. */
  fails = 0;
  suspicions = 0;
  isThere = true;
  info: Partial<LineInfo> = { direction: "input" };
  /** Edge events that the kernel has, true for rising. */
  pending: boolean[] = [];
  readonly line: HostLine;
  readonly #fd = createEventfd();
  #read: boolean[] = [];

  constructor(rules: Partial<LineRules> = {}) {
    const request = {
      fd: this.#fd,
      reconfigure: (settings: LineSettings) => this.#call("reconfigure", settings),
      value: () => this.#result("get", 1),
      setValue: (value: number) => this.#result(`set ${value}`, 0),
      readEdges: () => {
        this.#read = this.pending.splice(0, 16);
        return this.#read.length || -1;
      },
      release: () => this.calls.push("release"),
    };
    const chip = {
      request: (_offset: number, settings: LineSettings) => {
        this.#call("request", settings);
        return request;
      },
      lineInfo: () => this.info,
    };
    const events = { isRising: (index: number) => this.#read[index], sequence: () => 1 };
    const isThere = () => this.isThere;
    const settings = { offset: 17, name: "led", access: "read-write", ...rules } as const;
    const states = new LineStates(watchLines(new Simulation(), {
      ...{ kind: "host", path: "/dev/gpiochip0", chip: "gpiochip0", label: "fake" } as const,
      lines: [settings],
    }));
    const host: LineHost = {
      states,
      get isThere() {
        return isThere();
      },
      poller: {
        watch: (_fd, events) => this.calls.push(`watch ${events}`),
        unwatch: () => this.calls.push("unwatch"),
      },
      listener: {
        onEdge: (_line, rising) => this.edges.push(rising),
        onInterruption: (_line, watched) =>
          this.calls.push(watched ? "watched again" : "unwatched"),
      },
      events: events as unknown as EdgeEvents,
      log: this.log.logger,
      chip: () => this.isThere ? chip as unknown as GpioChip : undefined,
      suspect: () => this.suspicions++,
    };
    this.line = new HostLine(host, 0, settings);
  }

  #call(name: string, settings: LineSettings): void {
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    this.calls.push(`${name} ${given.map(([key, value]) => `${key}=${value}`).join(" ")}`);
    if (this.fails !== 0) throw new SystemError("ioctl", this.fails);
  }

  #result(name: string, result: number): number {
    this.calls.push(name);
    return this.fails === 0 ? result : -1;
  }

  /** What has been asked since the last time. */
  take(): string[] {
    return this.calls.splice(0);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

Deno.test("an output's value is in its request, so that it never drives another", () => {
  using chip = new FakeChip();
  assert(chip.line.take(DIRECTION_OUT, 1));
  assertEquals(chip.take(), ["request direction=output value=1"]);
});

Deno.test("an input becomes an output on the same request, with its value", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_IN, 0);
  chip.line.take(DIRECTION_OUT, 1);
  assertEquals(chip.take(), [
    "request direction=input",
    "reconfigure direction=output value=1",
  ]);
});

Deno.test("the same direction again changes nothing on the host", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_IN, 0);
  chip.take();
  chip.line.take(DIRECTION_IN, 0);
  assertEquals(chip.take(), []);
});

Deno.test("get and set are one call each", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_OUT, 0);
  chip.take();
  assert(chip.line.drive(1));
  assertEquals(chip.line.value(), 1);
  assertEquals(chip.take(), ["set 1", "get"]);
});

Deno.test("what is configured goes along with every change, as far as it fits the direction", () => {
  using chip = new FakeChip({ bias: "pull-up", drive: "open-drain", activeLow: true });
  chip.line.take(DIRECTION_OUT, 0);
  chip.line.take(DIRECTION_IN, 0);
  chip.line.watch(3);
  assertEquals(chip.take(), [
    "request direction=output value=0 bias=pull-up drive=open-drain activeLow=true",
    "reconfigure direction=input bias=pull-up activeLow=true",
    "reconfigure direction=input edges=both bias=pull-up activeLow=true",
    `watch ${EPOLLIN}`,
  ]);
});

Deno.test("interrupts come and go on the same request", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_IN, 0);
  chip.take();
  assert(chip.line.watch(1));
  assert(chip.line.watch(0));
  assertEquals(chip.take(), [
    "reconfigure direction=input edges=rising",
    `watch ${EPOLLIN}`,
    "unwatch",
    "reconfigure direction=input",
  ]);
});

Deno.test("what the kernel still has of a disabled interrupt is thrown away", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_IN, 0);
  chip.line.watch(3);
  chip.pending = new Array(16).fill(true);
  chip.line.watch(0);
  assertEquals(chip.pending, []);
  assertEquals(chip.edges, []);
});

Deno.test("all edges that there are come with one wake-up, in order", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_IN, 0);
  chip.line.watch(3);
  chip.pending = [true, false, true];
  chip.line.onEvents(EPOLLIN);
  assertEquals(chip.edges, [true, false, true]);
});

Deno.test("an interrupt that the chip cannot do is refused, and one line in the log", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_IN, 0);
  chip.fails = ENXIO;
  for (let count = 0; count < 3; count++) assertEquals(chip.line.watch(1), false);
  assertEquals(chip.log.of("warn"), [
    'line 0 "led" (the host\'s 17) is refused by the host: ioctl: No such device or address (ENXIO)',
  ]);
});

Deno.test("an interrupt that is refused gives a line back that was only taken for it", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_IN, 0);
  chip.line.giveBack();
  chip.fails = EBUSY;
  assertEquals(chip.line.watch(1), false);
  chip.fails = 0;
  chip.take();
  assert(chip.line.watch(1));
  chip.line.watch(0);
  assertEquals(chip.take().at(-1), "release");
});

Deno.test("a line that is taken is complained about once, again when another has it", () => {
  using chip = new FakeChip();
  chip.fails = EBUSY;
  for (const consumer of ["led", "led", "spi0 CS0", "spi0 CS0"]) {
    chip.info = { direction: "input", consumer };
    assertEquals(chip.line.take(DIRECTION_IN, 0), false);
  }
  const [first, second, ...rest] = chip.log.of("warn");
  assertMatch(first, /in use by "led" on the host; requests fail until it is free/);
  assertMatch(second, /in use by "spi0 CS0"/);
  assertEquals(rest, []);
});

Deno.test("a guest that tries what it may not, in any order, cannot fill the log", () => {
  using chip = new FakeChip({ access: "output" });
  for (let count = 0; count < 10; count++) {
    chip.line.take(DIRECTION_IN, 0);
    chip.line.watch(1);
    chip.line.value();
    chip.line.take(DIRECTION_OUT, 0);
    chip.line.giveBack();
  }
  assertEquals(chip.log.of("warn").length, 3);
  chip.line.leave();
  chip.line.take(DIRECTION_IN, 0);
  assertEquals(chip.log.of("warn").length, 4, "the next guest's trouble is news");
});

Deno.test("a line that is taken again after it was free is complained about again", () => {
  using chip = new FakeChip();
  chip.info = { direction: "input", consumer: "led" };
  for (let count = 0; count < 2; count++) {
    chip.fails = EBUSY;
    assertEquals(chip.line.take(DIRECTION_IN, 0), false);
    chip.fails = 0;
    assertEquals(chip.line.take(DIRECTION_IN, 0), true);
    chip.line.giveBack();
  }
  assertEquals(chip.log.of("warn").length, 2);
});

Deno.test("a read and a write that fail make somebody look whether the chip is there", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_OUT, 0);
  chip.fails = EIO;
  assertEquals(chip.line.value(), -1);
  assertEquals(chip.line.drive(1), false);
  assertEquals(chip.suspicions, 2);
});

Deno.test("a line that is only to be looked at is requested for its level alone, as it is", () => {
  using chip = new FakeChip({ access: "read-only", activeLow: true });
  assert(chip.line.take(DIRECTION_IN, 0));
  assertEquals(chip.line.direction(), DIRECTION_IN);
  assertEquals(chip.line.take(DIRECTION_OUT, 0), false);
  assertEquals(chip.take(), []);
  assertEquals(chip.line.value(), 1);
  assertEquals(chip.take(), ["request direction=as-is activeLow=true", "get"]);
  chip.line.giveBack();
  assertEquals(chip.take(), ["release"]);
});

Deno.test("a line that is only to be looked at is not requested as an output, or if another has it", () => {
  using chip = new FakeChip({ access: "read-only" });
  for (
    const info of [{ direction: "output" }, { direction: "input", used: true }] as const
  ) {
    chip.info = info;
    assertEquals(chip.line.take(DIRECTION_IN, 0), false);
    assertEquals(chip.line.value(), -1);
    assertEquals(chip.take(), []);
  }
  chip.line.leave();
  chip.info = { direction: "output" };
  assertEquals(chip.line.watch(1), false);
  assertEquals(chip.line.direction(), DIRECTION_OUT);
  assertEquals(chip.take(), []);
  assertEquals(chip.log.of("warn").length, 4);
});

Deno.test("a line that only its interrupt needs is requested for that, and given back after it", () => {
  using chip = new FakeChip();
  assert(chip.line.watch(1));
  assert(chip.line.take(DIRECTION_IN, 0), "the interrupt goes on");
  assert(chip.line.watch(0));
  chip.line.giveBack();
  assert(chip.line.watch(3));
  assert(chip.line.watch(0));
  assertEquals(chip.take(), [
    "request direction=input edges=rising",
    `watch ${EPOLLIN}`,
    "reconfigure direction=input edges=rising",
    "unwatch",
    "reconfigure direction=input",
    "release",
    "request direction=input edges=both",
    `watch ${EPOLLIN}`,
    "unwatch",
    "release",
  ]);
});

/** The chip goes away: whatever is asked of it fails. */
function goAway(chip: FakeChip): void {
  chip.isThere = false;
  chip.line.lose();
  chip.take();
}

function comeBack(chip: FakeChip): void {
  chip.isThere = true;
  chip.take();
}

Deno.test("G9 an output drives again what the guest has set, once its chip is back", () => {
  using chip = new FakeChip({ drive: "open-drain" });
  chip.line.take(DIRECTION_OUT, 0);
  chip.line.drive(1);
  goAway(chip);
  assertEquals([chip.line.drive(0), chip.line.take(DIRECTION_OUT, 0)], [false, false]);
  assertEquals([chip.line.value(), chip.line.direction()], [-1, -1]);
  comeBack(chip);
  assert(chip.line.restore());
  assertEquals(chip.take(), ["request direction=output value=1 drive=open-drain"]);
  assert(chip.line.drive(0));
  assertEquals(chip.take(), ["set 0"]);
});

Deno.test("G9 an output that cannot be had again refuses values until it can", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_OUT, 1);
  goAway(chip);
  comeBack(chip);
  chip.fails = EBUSY;
  assertEquals(chip.line.restore(), false);
  assertEquals([chip.line.drive(0), chip.line.value()], [false, -1]);
  assertEquals(chip.line.direction(), DIRECTION_OUT);
  chip.fails = 0;
  chip.take();
  assert(chip.line.drive(0));
  assertEquals(chip.take(), ["request direction=output value=0"]);
});

Deno.test("G9 what a guest gives back while the chip is away is not taken again", () => {
  using chip = new FakeChip();
  chip.line.take(DIRECTION_OUT, 1);
  goAway(chip);
  chip.line.giveBack();
  comeBack(chip);
  assert(chip.line.restore());
  assertEquals(chip.take(), []);
});

Deno.test("G9 interrupts are armed again", () => {
  for (const taken of [true, false]) {
    using chip = new FakeChip({ bias: "pull-up" });
    if (taken) chip.line.take(DIRECTION_IN, 0);
    chip.line.watch(3);
    goAway(chip);
    comeBack(chip);
    assert(chip.line.restore());
    assertEquals(chip.take(), [
      "request direction=input edges=both bias=pull-up",
      `watch ${EPOLLIN}`,
      "watched again",
    ]);
    chip.pending = [true];
    chip.line.onEvents(EPOLLIN);
    assertEquals(chip.edges, [true]);
  }
});

Deno.test("G9 an interrupt that cannot be armed again is told to be lost, once", () => {
  using chip = new FakeChip();
  chip.line.watch(1);
  goAway(chip);
  comeBack(chip);
  chip.fails = ENXIO;
  chip.line.restore();
  chip.line.restore();
  assertEquals(chip.take(), ["request direction=input edges=rising", "unwatched"]);
});

Deno.test("G9 an interrupt whose chip has gone once more is kept for the next time", () => {
  using chip = new FakeChip();
  chip.line.watch(1);
  goAway(chip);
  assertEquals(chip.line.restore(), false);
  assertEquals(chip.take(), []);
  comeBack(chip);
  assert(chip.line.restore());
  assertEquals(chip.take().at(-1), "watched again");
});

Deno.test("G9 a safe state is driven again, also that of a guest that went meanwhile", () => {
  for (const [safe, value] of [[0, 0], ["keep", 1]] as const) {
    for (const early of [true, false]) {
      using chip = new FakeChip({ safe });
      chip.line.take(DIRECTION_OUT, 1);
      if (early) chip.line.leave();
      goAway(chip);
      if (!early) chip.line.leave();
      comeBack(chip);
      chip.fails = EBUSY;
      assertEquals(chip.line.restore(), false, "to be tried again");
      chip.fails = 0;
      chip.take();
      assert(chip.line.restore());
      assertEquals(chip.take(), [`request direction=output value=${value}`]);
      assertEquals(chip.log.of("error"), []);
    }
  }
});

Deno.test("the safe state is driven on the request that the guest had", () => {
  using chip = new FakeChip({ safe: 0 });
  chip.line.take(DIRECTION_OUT, 1);
  chip.take();
  chip.line.giveBack();
  assertEquals(chip.take(), ["set 0"]);
  chip.line.take(DIRECTION_OUT, 1);
  assertEquals(chip.take(), ["reconfigure direction=output value=1"]);
});

Deno.test("a safe state that cannot be had is an error in the log", () => {
  using chip = new FakeChip({ safe: 0 });
  chip.line.take(DIRECTION_OUT, 1);
  chip.fails = EIO;
  chip.line.giveBack();
  assertEquals(chip.log.of("error"), [
    'line 0 "led" (the host\'s 17) could not be set to its safe state 0',
  ]);
});

Deno.test("an input has no safe state: it is given back", () => {
  using chip = new FakeChip({ safe: 0 });
  chip.line.take(DIRECTION_IN, 0);
  chip.take();
  chip.line.giveBack();
  assertEquals(chip.take(), ["release"]);
});

Deno.test("a line that was only looked at is not driven when the guest goes", () => {
  using chip = new FakeChip({ safe: 0 });
  chip.info = { direction: "output" };
  assertEquals(chip.line.value(), 1);
  chip.line.giveBack();
  assertEquals(chip.take(), ["request direction=as-is", "get", "release"]);
});

Deno.test("V18 the safe states that are driven are what must not be left out at the end", () => {
  const duty = (...states: (SafeState | undefined)[]) =>
    dutyAtEnd(states.map((safe, offset) => ({ offset, name: "", access: "read-write", safe })));
  assertEquals(duty(), undefined);
  assertEquals(duty(undefined, "keep"), undefined);
  assertEquals(duty("keep", 0, undefined), "driving the safe state of line 1 (0)");
  assertEquals(duty(1, 0), "driving the safe states of lines 0 (1), 1 (0)");
});
