/** `vhost-device-ctl run`: scenarios with daemons, and with shells in the place of guests. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ctl, type Outcome, RunningCtl } from "../support/ctl.ts";
import { command } from "../support/daemon.ts";
import { exists } from "../support/exists.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { PATIENCE, until } from "../support/wait.ts";

const GPIO = `
start:
  gpio:
    daemon: gpio
    config:
      guests:
        - simulated:
            lines: [{ name: button, direction: input }, { name: lid, direction: input, value: 1 }]
`;
/** Answers what is typed, until it is told to end. */
const ECHO = `
  guest:
    command: while read -r line; do [ "$line" != bye ] || exit 7; echo "got $line"; done
    console: stdio
`;

/** Runs a scenario in a folder of its own. */
async function run(text: string, ...options: string[]): Promise<Outcome> {
  using folder = new TemporaryFolder();
  return await runIn(folder, text, ...options);
}

/** At the end of a scenario: what says nothing else may take as long as tests wait for anything. */
const PATIENTLY = `\nwithin: ${PATIENCE}ms\n`;

async function runIn(folder: TemporaryFolder, text: string, ...options: string[]) {
  const file = folder.file("test.yaml");
  Deno.writeTextFileSync(file, text.includes("\nsteps:") ? text + PATIENTLY : text);
  return await ctl(["run", file, ...options.map((it) => it.replace("FOLDER", folder.path))]);
}

function passes({ code, stdout, stderr }: Outcome): void {
  assertEquals([code, stderr], [0, ""], stdout);
  assertMatch(stdout, /^passed: (\d+) of \1 steps in /m);
}

function fails({ code, stdout, stderr }: Outcome, expected: RegExp, seen: RegExp): void {
  assertEquals(code, 1, stdout + stderr);
  assertMatch(stderr, /^vhost-device-ctl: [^\n]*test\.yaml:\d+: expected [^\n]*\n$/);
  assertMatch(/^ {4}expected {2}(.*)$/m.exec(stdout)?.[1] ?? stdout, expected);
  assertMatch(/^ {4}seen {6}(.*)$/m.exec(stdout)?.[1] ?? stdout, seen);
}

/** True if a process lives. */
function lives(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("run: what is started is there, steps act on it and see it, and nothing is left", async () => {
  using folder = new TemporaryFolder();
  // Of an earlier run.
  Deno.mkdirSync(folder.file("logs"));
  Deno.writeTextFileSync(folder.file("logs/guest.log"), "x".repeat(1000));
  const outcome = await runIn(
    folder,
    `${GPIO}${ECHO}
steps:
  - expect: { lid: 1, gpio:button: 0 }
  - set: { lid: 0 }
  - expect: { lid: { not: 1 }, button: { from: 0, to: 0 } }
  - pulse: button
    for: 100ms
  - type: hello
  - expect: /^got hel+o$/
  - repeat: 3
    steps:
      - type: again
      - expect: got again
  - name: the socket is there
    run: test -S "$gpio" -a -S "$gpio_0" -a -S "$gpio_control" && echo "$folder" >folder
  - run: echo no; exit 3
    status: 3
    prints: /^no$/
  - type: "bye\\n"
  - exit: { guest: 7 }
  - expect: control clients
    on: gpio
`,
    ...["--keep", "FOLDER/logs", "--junit", "FOLDER/junit.xml"],
  );
  passes(outcome);
  const lines = outcome.stdout.split("\n").filter((line) => line.startsWith("  ok"));
  assertEquals(lines.map((line) => line.replace(/^ {2}ok +\d+ {2}(.*) {2}\(.*\)$/, "$1")), [
    "start gpio",
    "start guest",
    "expect lid=1 gpio:button=0",
    "set lid=0",
    "expect lid!=1 button>=0 button<=0",
    "pulse button for 100 ms",
    'type "hello"',
    "expect /^got hel+o$/",
    'repeat 3 times: type "again"; expect "got again"',
    "the socket is there",
    "run echo no; exit 3",
    'type "bye\\n"',
    "exit guest=7",
    'expect "control clients" from gpio',
  ]);
  const logs = [...Deno.readDirSync(folder.file("logs"))].map(({ name }) => name).sort();
  assertEquals(logs.filter((name) => !name.startsWith("run-")), ["gpio.log", "guest.log"]);
  assertMatch(
    Deno.readTextFileSync(folder.file("logs/gpio.log")),
    /guest 0: 2 simulated lines at /,
  );
  assertMatch(
    Deno.readTextFileSync(folder.file("logs/guest.log")),
    /^got hello\n(got again\n){3}$/,
  );
  const left = Deno.readTextFileSync(folder.file("folder")).trim();
  assertMatch(left, /^\/.*vhost-device-run-/);
  assertEquals([...Deno.readDirSync(folder.path)].length, 4);
  assert(!exists(left), left);
});

Deno.test("run: a step that fails says what was expected, what was seen, and what came before", async () => {
  using folder = new TemporaryFolder();
  const outcome = await runIn(
    folder,
    `${GPIO}${ECHO}
steps:
  - type: <first> & "last"
  - expect: got
  - set: { lid: 0 }
  - expect: { lid: 1 }
    within: 200ms
  - sleep: 60s
`,
    ...["--junit", "FOLDER/junit.xml"],
  );
  fails(outcome, /^lid=1 within 200 ms$/, /^lid is 0, and was all the time$/);
  assertMatch(outcome.stdout, /^ {4}events {4}\d\d:\d\d:\d\d\.\d{6} lid=0$/m);
  assertMatch(outcome.stdout, /^ {4}guest {5}\| got <first> & "last"$/m);
  assertMatch(outcome.stdout, /^failed: 5 of 7 steps in /m);
  // The library that CI systems' own tools are made of.
  const script = `
from junitparser import JUnitXml
import sys
suite = next(iter(JUnitXml.fromfile(sys.argv[1])))
print(suite.name, suite.tests, suite.failures, suite.skipped)
for case in suite:
    kinds = [type(result).__name__ for result in case.result]
    print(case.name, kinds, *(result.message for result in case.result if result.message))
`;
  const python = new Deno.Command("/usr/bin/python3", {
    args: ["-c", script, folder.file("junit.xml")],
  });
  const { stdout, stderr } = await python.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(decode(stderr), "");
  const read = decode(stdout).trimEnd().split("\n").map((line) => line.replace(/^\d+: /, ""));
  assertEquals(read, [
    "test 7 1 1",
    "start gpio []",
    "start guest []",
    'type "<first> & \\"last\\"" []',
    'expect "got" []',
    "set lid=0 []",
    "expect lid=1 within 200 ms ['Failure'] expected lid=1 within 200 ms; lid is 0, and was all the time",
    "sleep 60 s ['Skipped']",
  ]);
});

Deno.test("run: hold and never see what comes and goes, for a time, during steps, and until the end", async () => {
  const cases: [string, RegExp, RegExp][] = [
    [
      "  - hold: { lid: 1 }\n    during:\n      - pulse: lid\n        for: 1ms\n",
      /^lid=1 during 1 steps \(line \d+\)$/,
      /^lid is 0 after \d+ ms$/,
    ],
    [
      "  - never: { button: 1, lid: 0 }\n  - set: { button: 1 }\n  - pulse: lid\n    for: 1ms\n  - sleep: 60s",
      /^never button=1 lid=0 from here on \(line \d+\)$/,
      /^so it was after \d+ ms$/,
    ],
    [
      "  - never: got panic\n    for: 60s\n",
      /^never "got panic" for 60 s \(line \d+\)$/,
      /^it was printed after \d+ ms$/,
    ],
    [
      "  - hold: { button: 1 }\n    for: 100ms\n    within: 200ms\n",
      /^button=1 for 100 ms \(line \d+\) within 200 ms$/,
      /^button is 0$/,
    ],
  ];
  await Promise.all(cases.map(async ([steps, expected, seen]) => {
    const outcome = await run(`${GPIO}${ECHO}\nsteps:\n  - type: panic\n${steps}`);
    fails(outcome, expected, seen);
  }));
  passes(
    await run(`${GPIO}${ECHO}
steps:
  - never: panic
  - hold: { lid: 1 }
  - hold: { button: 0 }
    for: 50ms
  - never: { button: 1 }
    during:
      - sleep: 50ms
      - type: x
  - expect: got x
`),
  );
});

Deno.test("run: whatever ends it, everything that was started is ended, also what wants to get away", async () => {
  const hiding = (name: string) => `
  guest:
    command: |
      trap '' TERM
      (setsid sh -c 'trap "" TERM HUP; echo $$ >${name}2; while :; do sleep 1; done' &)
      echo $$ >${name}1
      echo started
      while :; do sleep 1; done
    console: stdio
`;
  using folder = new TemporaryFolder();
  const pids = (name: string) => {
    const read = (file: string) => Deno.readTextFileSync(folder.file(file)).trim();
    return [read(`${name}1`), read(`${name}2`), read(`${name}3`)];
  };
  const noted = (name: string) => {
    try {
      return pids(name).every((pid) => pid !== "");
    } catch {
      return false;
    }
  };
  const steps = (name: string) =>
    `steps:\n  - expect: started\n  - run: until [ -s ${name}2 ]; do sleep 0.01; done; echo $gpio_pid >${name}4; echo $folder >${name}5; echo $PPID >${name}3\n`;
  const gone = (name: string, of: number) => {
    for (const pid of pids(name).slice(0, of)) until(`${name}: end of ${pid}`, () => !lives(pid));
  };
  const start = async (name: string) => {
    Deno.writeTextFileSync(
      folder.file(`${name}.yaml`),
      `${GPIO}${hiding(name)}${steps(name)}  - sleep: 600s\n${PATIENTLY}`,
    );
    const running = new RunningCtl(["run", folder.file(`${name}.yaml`)]);
    while (!(await running.line()).includes("run until")) {
      // What comes before it.
    }
    assert(noted(name));
    return running;
  };
  await Promise.all(
    ([["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129], ["SIGKILL", "SIGKILL"]] as const).map(
      async ([signal, code]) => {
        const name = signal.toLowerCase();
        await using running = await start(name);
        running.kill(signal);
        assertEquals(await running.ended(), code);
        // Nobody is left to look for what has left its group once this is killed.
        gone(name, signal === "SIGKILL" ? 1 : 3);
        if (signal === "SIGKILL") Deno.kill(Number(pids(name)[1]), "SIGKILL");
        const [daemon, made] = [4, 5].map((number) =>
          Deno.readTextFileSync(folder.file(`${name}${number}`)).trim()
        );
        until(`${name}: end of the daemon`, () => !lives(daemon));
        until(`${name}: end of ${made}`, () => !exists(made));
      },
    ),
  );
  // A start that fails.
  const text = `start:${hiding("first")}  second:\n    command: exit 3\n    ready: never\n` +
    "steps: [sleep: 1]\n";
  const withPid = text.replace("ready: never", "ready: never\n  third: { command: exit }");
  const outcome = await runIn(
    folder,
    withPid.replace("exit 3", "until [ -s first2 ]; do sleep 0.01; done; exit 3"),
  );
  fails(outcome, /^'second' to serve$/, /^it has ended with exit status 3$/);
  Deno.writeTextFileSync(folder.file("first3"), "0");
  gone("first", 2);
});

Deno.test("run: a daemon that ends, and a guest that ends before its time, are told at once", async () => {
  const kill = "  - run: kill -KILL $gpio_pid\n  - sleep: 60s\n";
  fails(
    await run(`${GPIO}\nsteps:\n${kill}`),
    /^'gpio' to serve$/,
    /^it has ended with signal SIGKILL$/,
  );
  const leave = "  - type: bye\n  - expect: never printed\n    within: 60s\n";
  fails(
    await run(`start:${ECHO}\nsteps:\n${leave}`),
    /^"never printed" within 60 s$/,
    /^'guest' has ended with exit status 7 without it$/,
  );
  // What it has printed with its last breath is there.
  const last = "start: { guest: { console: stdio, command: printf 'last words' } }";
  passes(await run(`${last}\nsteps: [{ expect: words }, { exit: { guest: 0 } }]\n`));
  const idle = "  - type: bye\n  - expect: { button: 1 }\n    within: 60s\n";
  fails(
    await run(`${GPIO}${ECHO}\nsteps:\n${idle}`),
    /^button=1 within 60 s$/,
    /^'guest' has ended with exit status 7 without it$/,
  );
});

Deno.test("run: a daemon can be any program with the same options", async () => {
  using folder = new TemporaryFolder();
  const program = command("vhost-device-gpio").map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(
    folder.file("my-daemon"),
    `#!/bin/sh\necho mine >&2; exec ${program} "$@"\n`,
    { mode: 0o755 },
  );
  passes(
    await runIn(
      folder,
      `start: { mine: { daemon: ./my-daemon, options: '-l s2 --log-level debug' } }
steps: [{ expect: mine, on: mine }, { set: { mine:dummy1: 1 } }]
`,
    ),
  );
});

Deno.test("run: daemons and commands are stopped and started by steps", async () => {
  passes(
    await run(`${GPIO.replace("config:", "later: true\n    config:")}${ECHO}
steps:
  - start: gpio
  - set: { lid: 0 }
  - stop: gpio
  - run: test ! -S "$gpio_control"
  - start: gpio
  - expect: { lid: 1 }
  - stop: guest
  - start: guest
  - type: there
  - expect: got there
`),
  );
});

Deno.test("run: a trace is played onto lines, in its time, or slower", async () => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(
    folder.file("trace.vcd"),
    `$timescale 100us $end $scope module guest0 $end
     $var wire 1 ! button $end $var wire 1 " lid $end $var wire 1 # lid_output $end
     $upscope $end $enddefinitions $end
     #100 $dumpvars 0! x" 1# $end #110 1! #115 0! #1000 1! 0" #1300 z! 1"\n`,
  );
  const outcome = await runIn(
    folder,
    `${GPIO}
steps:
  - never: { button: 1, lid: 1 }
    during:
      - set: { lid: 0 }
  - replay: trace.vcd
  - expect: { button: 1, lid: 1 }
  - set: { button: 0 }
  - replay: trace.vcd
    as: { guest0.button: lid }
    speed: 0.5
  - expect: { lid: 1, button: 0 }
    within: 0
  - run: vhost-device-ctl --version
    within: 0
`,
    ...["--json"],
  );
  const told = outcome.stdout.trim().split("\n").map((line) => JSON.parse(line));
  const [first, second] = told.filter(({ title }) => title === "replay trace.vcd");
  // 120 ms, and as slowly as it is told to 180 ms.
  assert(first.milliseconds >= 120 && first.milliseconds < 5000, `${first.milliseconds}`);
  assert(second.milliseconds >= 180 && second.milliseconds < 5000, `${second.milliseconds}`);
  const { failure: { events, expected } } = told.at(-1);
  assertMatch(expected, /within 0 ms/);
  const seen = events.map((line: string) => line.replace(/^\S+ /, ""));
  // What changes nothing is no event.
  assertEquals(
    seen,
    [
      ...["lid=0", "button=1", "button=0", "button=1", "lid=1", "button=0"],
      ...["lid=0", "lid=1", "lid=0", "lid=1"],
    ].slice(-10),
  );
});

Deno.test("run: a console can be a terminal, or a socket", async () => {
  const listener = "import os, socket; s = socket.socket(socket.AF_UNIX); " +
    `s.bind(os.environ["console"]); s.listen(); c = s.accept()[0]; ` +
    'c.sendall(b"boot\\r\\n\\x1b[32mlogin\\x1b[0m: "); c.sendall(b"name " + c.recv(100))';
  passes(
    await run(`
start:
  terminal:
    command: |
      exec <$console >$console
      stty -echo; echo "on $(tty)"; read -r word; echo "read $word"
    console: pty
    ready: /^on .*/
  socket:
    command: |
      python3 -c '${listener}'
    console: socket
steps:
  - expect: /^on \\/dev\\/pts\\/\\d+$/
    on: terminal
  - type: this
    on: terminal
  - expect: read this
    on: terminal
  - expect: "boot\\nlogin: "
    on: socket
  - type: root
    on: socket
  - expect: name root
    on: socket
  - exit: { terminal: 0, socket: 0 }
`),
  );
});

Deno.test("run: a file that makes no sense is one line with its place, and nothing is started", async () => {
  const steps = "\nsteps:\n";
  const cases: [string, RegExp][] = [
    ["steps: [sleep: 1", /test\.yaml:1: not valid YAML/],
    ["", /test\.yaml:1: the key 'steps' is missing/],
    ["step: []", /test\.yaml:1: unknown key 'step'; did you mean 'steps'\?/],
    [`${GPIO}${steps}  - press: 1`, /:\d+: steps\[0\]: unknown key 'press'; expected expect, /],
    [`${GPIO}${steps}  - sleep: soon`, /steps\[0\]\.sleep: expected a time such as 50ms.*'soon'/],
    [`${GPIO}${steps}  - for: 1s`, /says nothing to do; add one of expect, /],
    [`${GPIO}${steps}  - set: { a: 1 }\n    pulse: b`, /'set' is a step by itself/],
    [`${GPIO}${steps}  - set: { a: 1 }\n    within: 1s`, /is not for 'set', which has none/],
    [`${GPIO}${steps}  - expect: text`, /there is no console; say 'console: stdio'/],
    [`${GPIO}${ECHO}${steps}  - expect: /(/`, /expect: .*[Uu]nterminated group/],
    [
      `${GPIO}${ECHO}${steps}  - expect: x\n    on: gest`,
      /'gest' is started; did you mean 'guest'/,
    ],
    [`${GPIO}${steps}  - pulse: lid`, /does not say how long; add 'for'/],
    [`${GPIO}${steps}  - set: {}`, /expected at least one name/],
    [
      "start: { gpio: { daemon: gpio, command: x } }\nsteps: []",
      /is not for what is started as 'd/,
    ],
    ["start: { Folder: { command: x } }\nsteps: []", /'Folder' cannot be its name/],
    ["start: { folder: { command: x } }\nsteps: []", /'folder' cannot be its name/],
    ["start: { a: {} }\nsteps: []", /expected 'daemon' or 'command'/],
  ];
  await Promise.all(cases.map(async ([text, message]) => {
    const { code, stdout, stderr } = await run(text);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^vhost-device-ctl: [^\n]*test\.yaml:\d+: [^\n]+\n$/);
    assertMatch(stderr, message);
  }));
  const { code, stderr } = await ctl(["run", "/nonexistent.yaml"]);
  assertEquals(code, 2);
  assertMatch(stderr, /scenario '\/nonexistent.yaml' cannot be read: No such file/);
});

Deno.test("run: mistakes in a configuration, in options and in names are told where they are", async () => {
  const line = (text: string, of: string) =>
    text.split("\n").findIndex((line) => line.includes(of)) + 1;
  const wrong = (text: string, of: string, message: string) => async () => {
    const { code, stderr } = await run(text);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, `test.yaml:${line(text, of)}: ${message}`);
  };
  const config = `${GPIO.replace("value: 1", "valeu: 1")}\nsteps: []\n`;
  const option =
    "start:\n  a: { command: sleep 9 }\n  gpio:\n    daemon: gpio\n    options: --poll-us x\nsteps: []\n";
  const name =
    `${GPIO}\nsteps:\n  - sleep: 1\n  - repeat: 2\n    steps:\n      - set: { lit: 1 }\n`;
  const value = `${GPIO}\nsteps:\n  - set: { lid: up }\n`;
  await Promise.all([
    wrong(
      config,
      "valeu",
      "start.gpio.config: guests[0].simulated.lines[1]: unknown key 'valeu'",
    )(),
    wrong(option, "  gpio:", "start.gpio: ")(),
    wrong(name, "lit", "steps[1].steps[0].set.lit: there is no 'lit'; did you mean 'lid'?")(),
    wrong(value, "lid: up", "steps[0].set.lid: lid=up: expected a whole number from 0 to 1")(),
  ]);
});

Deno.test("run: a scenario takes no longer than it may", async () => {
  const outcome = await run(`timeout: 300ms\n${GPIO}\nsteps:\n  - sleep: 60s\n`);
  fails(outcome, /^all to be over within 300 ms$/, /^it is not$/);
  // Not even where a daemon does not answer.
  const stopped =
    `timeout: 1s\n${GPIO}\nsteps:\n  - run: kill -STOP $gpio_pid\n  - sleep: 200ms\n  - set: { lid: 0 }\n`;
  fails(await run(stopped), /^all to be over within 1 s$/, /^it is not$/);
  // Timers cannot be set for that long.
  passes(await run(`timeout: 1000h\n${GPIO}\nsteps:\n  - expect: { lid: 1 }\n    within: 1000h\n`));
});

Deno.test("run: daemons that run already can be named, and JSON is for machines", async () => {
  using folder = new TemporaryFolder();
  passes(
    await runIn(
      folder,
      `${GPIO}
steps:
  - run: |
      cat >inner.yaml <<END
      steps:
        - set: { gpio:lid: 0 }
      END
      exec ${Deno.execPath()} run --quiet --no-prompt --allow-all ${
        new URL("../../cmd/vhost-device-ctl.ts", import.meta.url).pathname
      } --control "$gpio_control" --json run inner.yaml
    prints: '{"kind":"end","passed":true,"milliseconds":'
  - expect: { lid: 0 }
`,
    ),
  );
});

/** A program that tries to start another one at the end of a command. */
const PROBE = `
const { ctl } = await import(Deno.args[0]);
addEventListener("unload", () => {
  try {
    new Deno.Command("true").outputSync();
    console.log("started");
  } catch (error) {
    console.log(error.name);
  }
});
await ctl.run(import.meta.url, Deno.args.slice(1));
`;

Deno.test("run is the only command that may start programs", async () => {
  using folder = new TemporaryFolder();
  const ctlModule = new URL("../../lib/ctl/main.ts", import.meta.url).href;
  Deno.writeTextFileSync(folder.file("probe.ts"), PROBE);
  Deno.writeTextFileSync(folder.file("empty.yaml"), "steps: []\n");
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const probe = async (...args: string[]) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--config", config, "--allow-all"],
        folder.file("probe.ts"),
        ctlModule,
        ...args,
      ],
    }).output();
    return new TextDecoder().decode(stdout).trim().split("\n").at(-1) +
      (stdout.length === 0 ? new TextDecoder().decode(stderr) : "");
  };
  assertEquals(await probe("run", folder.file("empty.yaml")), "started");
  assertEquals(await probe("-c", folder.file("none"), "info"), "NotCapable");
});
