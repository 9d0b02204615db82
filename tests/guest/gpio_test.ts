import { assert, assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Daemon } from "../support/daemon.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { guestOutput, runInGuest, startGuest } from "../support/uml.ts";
import { until } from "../support/wait.ts";

/** Lines 0 to 3 are wired to lines 4 to 7. */
const wired = `
guests:
  - simulated:
      lines:
        - name: out0
        - name: out1
        - name: out2
        - name: out3
        - name: in0
        - name: in1
        - name: in2
        - name: in3
      wires:
        - { from: out0, to: in0 }
        - { from: out1, to: in1 }
        - { from: out2, to: in2 }
        - { from: out3, to: in3 }
`;

async function withDaemon(
  config: string,
  use: (daemon: Daemon, folder: TemporaryFolder) => Promise<void>,
): Promise<void> {
  using folder = new TemporaryFolder();
  const file = folder.file("gpio.yaml");
  Deno.writeTextFileSync(file, config);
  await using daemon = await Daemon.start("vhost-device-gpio", ["--config", file]);
  await use(daemon, folder);
}

function boot(daemon: Daemon, guest = 0) {
  return { devices: [[daemon.socket(guest), "gpio"]] as const };
}

/** Waits until the log has this many matches. */
function logged(daemon: Daemon, pattern: RegExp, times: number): void {
  until(
    `${times} times ${pattern}`,
    () => (daemon.log.match(pattern)?.length ?? 0) >= times,
    20_000,
  );
}

Deno.test("gpioinfo shows names and directions as they are configured", async () => {
  const config = `
guests:
  - simulated:
      lines:
        - { name: led, direction: output, value: 1 }
        - {}
        - { name: "a button", direction: input }
        - { name: spare }
`;
  await withDaemon(config, async (daemon) => {
    const output = await guestOutput(
      "gpiodetect; gpioinfo; gpioget --as-is -c 0 led",
      boot(daemon),
    );
    assertMatch(output, /^gpiochip0 \[.*\] \(4 lines\)/);
    assertMatch(output, /line +0:\s+"led"\s+output\n/);
    assertMatch(output, /line +1:\s+unnamed\s+input\n/);
    assertMatch(output, /line +2:\s+"a button"\s+input\n/);
    assertMatch(output, /line +3:\s+"spare"\s+input\n/);
    assertMatch(output, /"led"=active/);
  });
});

Deno.test("a plain list of lines has the names that the reference gives them", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8"]);
  const output = await guestOutput("gpioinfo -c 0", boot(daemon));
  const names = [...output.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  assertEquals(names, Array.from({ length: 8 }, (_, line) => `dummy${line}`));
});

Deno.test("every line can be set and is read where its wire leads", async () => {
  const script = `
    for level in 0 1; do
      for line in 0 1 2 3; do
        gpioset -t 300ms,0 -c 0 out$line=$level &
        # The output is there once the consumer is shown.
        until gpioinfo -c 0 out$line | grep -q consumer; do :; done
        gpioget --numeric -c 0 in$line
        kill $!; wait $! 2>/dev/null || :
      done
    done`;
  await withDaemon(wired, async (daemon) => {
    const output = await guestOutput(script, boot(daemon));
    assertEquals(output.trim().split(/\s+/), ["0", "0", "0", "0", "1", "1", "1", "1"]);
  });
});

Deno.test("line changes are logged at info", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8"]);
  await guestOutput("gpioset -t0 -c 0 dummy3=1", boot(daemon));
  assertMatch(daemon.log, /info .*line 3 "dummy3": direction output/);
  assertMatch(daemon.log, /info .*line 3 "dummy3": value 1/);
  assertMatch(daemon.log, /info .*line 3 "dummy3": direction none/);
});

Deno.test("a value set before the direction is driven from the first moment on", async () => {
  const script = `
    gpiomon --format '%e' -n 2 -c 0 in0 >/tmp/edges & monitor=$!
    until gpioinfo -c 0 in0 | grep -q consumer; do :; done
    gpioset -t 50ms,0 -c 0 out0=1
    wait $monitor; cat /tmp/edges`;
  await withDaemon(wired, async (daemon) => {
    // 1 is rising, 2 falling: there is no pulse to 0 in between.
    const output = await guestOutput(script, boot(daemon));
    assertEquals(output.trim().split("\n"), ["1", "2"]);
    assertMatch(daemon.log, /direction output/);
  });
});

/** Watches in1 for one kind of edge while out1 goes up and down three times. */
const watch = (edges: string, count: number) => `
  gpiomon --edges ${edges} --format '%e' -n ${count} -c 0 in1 >/tmp/edges & monitor=$!
  until gpioinfo -c 0 in1 | grep -q consumer; do :; done
  gpioset -t 20ms,20ms,20ms,20ms,20ms,20ms,0 -c 0 out1=0
  wait $monitor; cat /tmp/edges`;

for (
  const [edges, expected] of [
    ["rising", ["1", "1", "1"]],
    ["falling", ["2", "2", "2"]],
    ["both", ["1", "2", "1", "2", "1", "2"]],
  ] as const
) {
  Deno.test(`gpiomon sees ${edges} edges that arrive through a wire`, async () => {
    await withDaemon(wired, async (daemon) => {
      const output = await guestOutput(watch(edges, expected.length), boot(daemon));
      assertEquals<readonly string[]>(output.trim().split("\n"), expected);
    });
  });
}

/**
 * Sends pulses through a wire and counts those of which both edges arrived. Each is sent only when
 * the one before is over: of several edges that come while the interrupt is masked, one is kept by
 * design.
 */
const pulses = (count: number) => `
  exec 3< <(exec gpiomon --format '%e' -c 0 in2)
  until gpioinfo -c 0 in2 | grep -q consumer; do :; done
  whole=0
  for i in $(seq ${count}); do
    gpioset -t0 -c 0 out2=1
    read -t 5 -u 3 first && read -t 5 -u 3 second || break
    whole=$((whole + 1))
  done
  ! read -t 0.1 -u 3 more || echo and more
  echo $whole`;

Deno.test("of 1,000 edges none is lost", async () => {
  await withDaemon(wired, async (daemon) => {
    assertEquals((await guestOutput(pulses(500), boot(daemon))).trim(), "500");
  });
});

Deno.test("an edge that comes while the interrupt is masked is delivered afterwards", async () => {
  // The second edge of a pulse comes at once; for some the driver is still busy with the first.
  await withDaemon(wired, async (daemon) => {
    assertEquals((await guestOutput(pulses(200), boot(daemon))).trim(), "200");
  });
});

Deno.test("level interrupts come as long as the level lasts, and no longer", async () => {
  const script = `
    count() { awk -v irq="$1" '$NF == irq { print $2 }' /proc/interrupts; }
    cat /proc/interrupts
    echo before $(count high-key) $(count low-key)
    # Toggled together: out0 goes up and out1 down for a while.
    gpioset -t 50ms,100ms,100ms,0 -c 0 out0=0 out1=1 & setter=$!
    until [ "$(count high-key)" -gt 1 ] && [ "$(count low-key)" -gt 1 ]; do :; done
    wait $setter
    after="$(count high-key) $(count low-key)"
    sleep 0.2
    echo after $after now $(count high-key) $(count low-key)`;
  const config = wired.replace("- name: in1", "- { name: in1, value: 1 }");
  await withDaemon(config, async (daemon, folder) => {
    Deno.symlinkSync(daemon.socket(), folder.file("gpio.sock"));
    const output = await guestOutput(script, {
      devicetree: fileURLToPath(new URL("gpio_levels.dts", import.meta.url)),
      sockets: folder.path,
    });
    assertMatch(output, /^before 0 0$/m);
    const [, ...counts] = /after (\d+) (\d+) now (\d+) (\d+)/.exec(output)!.map(Number);
    assert(counts[0] > 1 && counts[1] > 1, output);
    assertEquals(counts.slice(0, 2), counts.slice(2), output);
  });
});

Deno.test("the driver can be unbound and bound again", async () => {
  const script = `
    cd /sys/bus/virtio/drivers/gpio_virtio 2>/dev/null || cd /sys/bus/virtio/drivers/*gpio*
    device=$(basename $(echo virtio*))
    for round in 1 2 3; do
      gpiomon --format '%e' -n 1 -c 0 in0 >/tmp/edge & monitor=$!
      until gpioinfo -c 0 in0 | grep -q consumer; do :; done
      gpioset -t 10ms,0 -c 0 out0=1
      wait $monitor
      # Torn out while an interrupt is enabled: nobody disables it.
      gpiomon -c 0 in0 & monitor=$!
      until gpioinfo -c 0 in0 | grep -q consumer; do :; done
      echo $device >unbind
      [ ! -e /dev/gpiochip0 ]
      wait $monitor || :
      echo $device >bind
      gpioget --numeric -c 0 in0
    done
    ! dmesg | grep -E 'BUG|GPIO request failed'`;
  await withDaemon(wired, async (daemon) => {
    const output = await guestOutput(script, boot(daemon));
    assertEquals(output.match(/^0$/gm)?.length, 3, output);
    assertEquals(daemon.log.match(/ready:/g)?.length, 4, daemon.log);
  });
});

Deno.test("a guest killed and booted again 20 times leaves nothing behind", async () => {
  await withDaemon(wired, async (daemon) => {
    const rounds = 20;
    let fds = 0;
    let memory = 0;
    for (let round = 1; round <= rounds; round++) {
      const guest = startGuest("gpiomon -c 0 in0 & echo ready; sleep 60", boot(daemon));
      logged(daemon, /line 4 "in0": direction input/g, round);
      guest.kill("SIGKILL");
      await Promise.all([guest.status, guest.stdout.cancel(), guest.stderr.cancel()]);
      logged(daemon, /front-end gone/g, round);
      if (round === 3) {
        fds = daemon.fdCount();
        memory = daemon.residentMemory();
      }
    }
    assertStrictEquals(daemon.fdCount(), fds);
    // Mapped guest memory would be 128 MiB a guest; a little is the collector's business.
    const growth = daemon.residentMemory() - memory;
    assert(growth < 16 * 2 ** 20, `${growth} bytes`);
    const output = await guestOutput("gpioget --numeric -c 0 in0", boot(daemon));
    assertEquals(output.trim(), "0");
  });
});

Deno.test("two guests have chips of their own", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8:s4"], { count: 2 });
  // Each holds its line until both have been seen by the host.
  const hold = (line: string) =>
    `gpiodetect; gpioset -c 0 ${line}=1 & until gpioinfo -c 0 ${line} | grep -q consumer; do :; done
     sleep 1; gpioget --numeric --as-is -c 0 dummy0 dummy1 2>&1 || :; kill %1`;
  const [first, second] = await Promise.all([
    runInGuest(hold("dummy7"), boot(daemon, 0)),
    runInGuest(hold("dummy2"), boot(daemon, 1)),
  ]);
  assertMatch(first.output, /\(8 lines\)/);
  assertMatch(second.output, /\(4 lines\)/);
  assertMatch(daemon.log, /guest 0: line 7 "dummy7": value 1/);
  assertMatch(daemon.log, /guest 1: line 2 "dummy2": value 1/);
  assertNotMatch(daemon.log, /guest 0: line 2|guest 1: line 7/);
});

Deno.test("drivers of Linux work on top of the lines: a key and an LED", async () => {
  const script = `
    echo 1 >/sys/class/leds/test-led/brightness
    od -An -tu2 -w24 -N48 </dev/input/event0 >/tmp/key & reader=$!
    sleep 0.1
    echo 0 >/sys/class/leds/test-led/brightness
    wait $reader
    awk '{ print $9, $10, $11 }' /tmp/key`;
  await withDaemon(wired, async (daemon, folder) => {
    Deno.symlinkSync(daemon.socket(), folder.file("gpio.sock"));
    const output = await guestOutput(script, {
      devicetree: fileURLToPath(new URL("gpio_consumers.dts", import.meta.url)),
      sockets: folder.path,
    });
    // struct input_event: type EV_KEY (1), code KEY_ENTER (28), value; then EV_SYN.
    assertMatch(output, /^1 28 [01]$/m);
    assertMatch(daemon.log, /line 3 "out3": value 1/);
  });
});
