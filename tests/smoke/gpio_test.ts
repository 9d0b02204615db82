/** The GPIO daemon behind QEMU 10: libgpiod's tools on simulated lines. */

import { assertEquals, assertMatch, assertNotMatch, assertStrictEquals } from "@std/assert";
import { Daemon } from "../support/daemon.ts";
import { guestChecks, qemuOutput } from "../support/qemu.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";

/** Lines 0 to 3 are wired to lines 4 to 7. */
const config = `
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
        - { name: "a sensor", direction: input }
        - { name: led, direction: output, value: 1 }
        - {}
      wires:
        - { from: out0, to: in0 }
        - { from: out1, to: in1 }
        - { from: out2, to: in2 }
        - { from: out3, to: a sensor }
`;

/** What the daemon has logged once the guest has gone. */
let log = "";

/** Watches in1 for one kind of edge while out1 goes up and down three times. */
const watch = (edges: string, count: number) => `
  gpiomon --edges ${edges} --format '%e' -n ${count} -c 0 in1 >/tmp/edges & monitor=$!
  until gpioinfo -c 0 in1 | grep -q consumer; do :; done
  gpioset -t 20ms,20ms,20ms,20ms,20ms,20ms,0 -c 0 out1=0
  wait $monitor; cat /tmp/edges`;

guestChecks([
  {
    name: "QEMU 10: gpioinfo shows names and directions as they are configured",
    script: "gpiodetect; gpioinfo; gpioget --as-is -c 0 led",
    check(output) {
      assertMatch(output, /^gpiochip0 \[.*\] \(10 lines\)/);
      assertMatch(output, /line +0:\s+"out0"\s+input\n/);
      assertMatch(output, /line +7:\s+"a sensor"\s+input\n/);
      assertMatch(output, /line +8:\s+"led"\s+output\n/);
      assertMatch(output, /line +9:\s+unnamed\s+input\n/);
      assertMatch(output, /"led"=active/);
    },
  },
  {
    name: "QEMU 10: every line can be set and is read where its wire leads",
    script: `
      for level in 0 1; do
        for wire in out0:in0 out1:in1 out2:in2 'out3:a sensor'; do
          gpioset -t 300ms,0 -c 0 \${wire%:*}=$level &
          # The output is there once the consumer is shown.
          until gpioinfo -c 0 \${wire%:*} | grep -q consumer; do :; done
          gpioget --numeric -c 0 "\${wire#*:}"
          kill $!; wait $! 2>/dev/null || :
        done
      done`,
    check(output) {
      assertEquals(output.trim().split(/\s+/), ["0", "0", "0", "0", "1", "1", "1", "1"]);
      assertMatch(log, /info .*line 3 "out3": direction output/);
      assertMatch(log, /info .*line 3 "out3": value 1/);
      assertMatch(log, /info .*line 3 "out3": direction none/);
    },
  },
  ...([
    ["rising", ["1", "1", "1"]],
    ["falling", ["2", "2", "2"]],
    ["both", ["1", "2", "1", "2", "1", "2"]],
  ] as const).map(([edges, expected]) => ({
    name: `QEMU 10: gpiomon sees ${edges} edges that arrive through a wire`,
    script: watch(edges, expected.length),
    check: (output: string) => assertEquals<readonly string[]>(output.trim().split("\n"), expected),
  })),
  {
    name: "QEMU 10: a value set before the direction is driven from the first moment on",
    script: `
      gpiomon --format '%e' -n 2 -c 0 in0 >/tmp/edges & monitor=$!
      until gpioinfo -c 0 in0 | grep -q consumer; do :; done
      gpioset -t 50ms,0 -c 0 out0=1
      wait $monitor; cat /tmp/edges`,
    // 1 is rising, 2 falling: there is no pulse to 0 in between.
    check: (output) => assertEquals(output, "1\n2\n"),
  },
  {
    name: "QEMU 10: of 500 edges none is lost",
    script: `
      gpiomon --format '%e' -n 500 -c 0 in2 >/tmp/edges & monitor=$!
      until gpioinfo -c 0 in2 | grep -q consumer; do :; done
      gpioset -t "$(printf '3ms,%.0s' $(seq 500))0" -c 0 out2=0
      wait $monitor; tr -d '\\n' </tmp/edges`,
    check: (output) => assertStrictEquals(output.trim(), "12".repeat(250)),
  },
  {
    name: "QEMU 10: an edge that comes while the interrupt is masked is delivered afterwards",
    // Both edges of a pulse come at once; the driver has the interrupt masked for the second one.
    script: `
      gpiomon --format '%e' -n 100 -c 0 in2 >/tmp/edges & monitor=$!
      until gpioinfo -c 0 in2 | grep -q consumer; do :; done
      gpioset -t "$(printf '10ms,1us,%.0s' $(seq 50))0" -c 0 out2=0
      wait $monitor; wc -l </tmp/edges`,
    check: (output) => assertEquals(output.trim(), "100"),
  },
  {
    name: "QEMU 10: the GPIO driver can be unbound, with an interrupt enabled, and bound again",
    script: `
      cd /sys/bus/virtio/drivers/gpio_virtio 2>/dev/null || cd /sys/bus/virtio/drivers/*gpio*
      device=$(basename virtio*)
      for round in 1 2 3; do
        gpiomon -c 0 in0 & monitor=$!
        until gpioinfo -c 0 in0 | grep -q consumer; do :; done
        echo $device >unbind
        [ ! -e /dev/gpiochip0 ]
        wait $monitor 2>/dev/null || :
        echo $device >bind
        gpiomon --format 'edge %e' -n 1 -c 0 in0 >/tmp/edge & monitor=$!
        until gpioinfo -c 0 in0 | grep -q consumer; do :; done
        gpioset -t 10ms,0 -c 0 out0=1
        wait $monitor; cat /tmp/edge
      done
      ! dmesg | grep -E 'BUG|WARNING|GPIO request failed'`,
    check(output) {
      assertEquals(output.match(/^edge 1$/gm)?.length, 3, output);
      assertEquals(log.match(/ready:/g)?.length, 4, log);
    },
  },
], async (script) => {
  using folder = new TemporaryFolder();
  Deno.writeTextFileSync(folder.file("gpio.yaml"), config);
  const args = ["--config", folder.file("gpio.yaml")];
  await using daemon = await Daemon.start("vhost-device-gpio", args);
  const output = await qemuOutput(script, { devices: [[daemon.socket(), "gpio"]] });
  await daemon.stop();
  log = daemon.log;
  return output;
});

Deno.test("QEMU 10: two guests have chips of their own", async () => {
  await using daemon = await Daemon.start("vhost-device-gpio", ["-l", "s8:s4"], { count: 2 });
  using folder = new TemporaryFolder();
  // Each holds its line until the other one holds its own.
  const hold = (guest: number, line: string) =>
    qemuOutput(
      `gpioinfo
       gpioset -c 0 ${line}=1 & until gpioinfo -c 0 ${line} | grep -q consumer; do :; done
       touch /meet/${guest}; until [ -e /meet/0 -a -e /meet/1 ]; do usleep 10000; done
       for line in dummy0 dummy1 dummy2 dummy3; do
         gpioget --numeric --as-is -c 0 $line 2>/dev/null || echo held
       done; touch /meet/done${guest}
       until [ -e /meet/done0 -a -e /meet/done1 ]; do usleep 10000; done`,
      {
        devices: [[daemon.socket(guest), "gpio"]],
        options: ["-M", `${folder.path}:/meet:rw`],
      },
    );
  const [first, second] = await Promise.all([hold(0, "dummy7"), hold(1, "dummy2")]);
  assertMatch(first, /8 lines/);
  assertMatch(second, /4 lines/);
  assertMatch(first, /\n0\n0\n0\n0\n$/);
  assertMatch(second, /\n0\n0\nheld\n0\n$/);
  assertMatch(daemon.log, /guest 0: line 7 "dummy7": value 1/);
  assertMatch(daemon.log, /guest 1: line 2 "dummy2": value 1/);
  assertNotMatch(daemon.log, /guest 0: line 2|guest 1: line 7/);
});
