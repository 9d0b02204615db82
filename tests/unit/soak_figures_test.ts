import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { complaints, type DaemonFigures, report } from "../soak/figures.ts";

const good: DaemonFigures = {
  program: "vhost-device-gpio",
  alive: true,
  minutes: 2,
  tried: {
    "connections": 1,
    "messages": 1,
    "chains": 1,
    "scribbles": 1,
    "memory tables": 1,
    "cuts": 1,
  },
  health: { answers: 1000, worst: 12.34, problems: [] },
  hangs: [],
  descriptors: [60, 60],
  memory: [100e6, 150e6],
  most: 170e6,
  log: [10, 1_990_000, 20, 30],
  errors: [],
  lastWords: ["info  guest 0: front-end connected"],
};

Deno.test("a soak in which all went well has nothing to complain of", () => {
  assertEquals(complaints(good), []);
  assertMatch(report(good), /1000 answers, 0 wrong or lost, the worst after 12\.3 ms/);
});

const bad: readonly (readonly [what: string, Partial<DaemonFigures>, complaint: RegExp])[] = [
  ["a death", { alive: false }, /died; the end of its log:\n {2}info {2}guest 0: front-end/],
  ["a hang", { hangs: ["case 7 at socket1: no answer"] }, /case 7 at socket1: no answer/],
  [
    "a wrong answer",
    { health: { ...good.health, problems: ["value: 0 instead of 1"] } },
    /healthy guest: value: 0 instead of 1/,
  ],
  ["no answers", { health: { ...good.health, answers: 0 } }, /has got no answer at all/],
  ["a leaked descriptor", { descriptors: [60, 61] }, /1 descriptors were left open/],
  ["much memory", { memory: [100e6, 360e6] }, /grew by 260\.0 MB/],
  ["a log that was flooded", { log: [0, 0, 2_100_000, 0] }, /wrote 2\.1 MB of log about guest 2/],
  ["the same about no guest", { log: [0, 0, 0, 2_100_000] }, /2\.1 MB of log about no guest/],
  ["an exception", { errors: ["internal error: TypeError"] }, /internal error: TypeError/],
  ["something not tried", { tried: { ...good.tried, chains: 0 } }, /no chains were tried/],
];

for (const [what, figures, complaint] of bad) {
  Deno.test(`a soak complains of ${what}`, () => {
    const found = complaints({ ...good, ...figures });
    assertStrictEquals(found.length, 1, found.join("\n"));
    assertMatch(found[0], complaint);
    assertMatch(found[0], /^vhost-device-gpio: /);
  });
}

Deno.test("a soak that fails all the time says so in a few lines", () => {
  const hangs = Array.from({ length: 100 }, (_, at) => `case ${at}`);
  const found = complaints({ ...good, hangs });
  assertStrictEquals(found.length, 6);
  assertMatch(found[5], /95 more like these/);
});
