/**
 * Pictures of the figures.
 *
 * @module
 */

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Point } from "./curves.ts";
import type { Guests } from "./guests.ts";
import type { Isolation } from "./isolation.ts";
import type { LinuxFigure } from "./linux.ts";
import type { NodeFigure } from "./nodes_inside.ts";
import { type Machine, read, RESULTS } from "./report.ts";
import { DEPTHS, type Trips } from "./round_trips.ts";

const COLORS = { domain: ["ours", "peer"], range: ["#0b6e99", "#d9822b"] };
const CONTENDER = { field: "contender", type: "nominal", title: null, scale: COLORS } as const;
const DEVICE = { field: "device", type: "nominal", title: null } as const;

type Spec = Record<string, unknown>;

function bars(values: readonly unknown[], y: Spec, x: Spec, facets: Spec): Spec {
  return {
    data: { values },
    mark: "bar",
    encoding: { x, y, xOffset: { field: "contender" }, color: CONTENDER, ...facets },
    width: { step: 14 },
    height: 140,
    resolve: { scale: { y: "independent" } },
  };
}

function lines(values: readonly unknown[], x: Spec, y: Spec): Spec {
  return {
    data: { values },
    mark: { type: "line", point: true },
    encoding: { x: { type: "quantitative", ...x }, y, color: CONTENDER },
    width: 190,
    height: 140,
  };
}

function roundTrips(all: readonly Trips[]): Spec {
  const values = all.flatMap(({ device, setting, contender, median, p99 }) => [
    { device, setting, contender, what: "median", value: median },
    { device, setting, contender, what: "99 %", value: p99 },
  ]);
  return bars(
    values,
    { field: "value", type: "quantitative", title: "round trip, µs" },
    { field: "what", type: "nominal", title: null, sort: null, axis: { labelAngle: 0 } },
    { column: { field: "setting", type: "nominal", title: null, sort: null }, row: DEVICE },
  );
}

function throughput(all: readonly Trips[]): Spec {
  const values = all.flatMap(({ device, setting, contender, rates }) =>
    DEPTHS.map((depth) => ({ device, setting, contender, depth, value: rates[depth] / 1000 }))
  );
  return bars(
    values,
    { field: "value", type: "quantitative", title: "1,000 requests/s" },
    { field: "depth", type: "ordinal", title: "requests at a time", axis: { labelAngle: 0 } },
    { column: { field: "setting", type: "nominal", title: null, sort: null }, row: DEVICE },
  );
}

function guests(all: readonly Guests[]): Spec {
  const values = all.filter(({ device }) => device === "gpio")
    .map((one) => ({ ...one, memory: one.memory / 2 ** 20 }));
  const x = { field: "guests", title: "guests", scale: { type: "log", base: 2 } };
  const quantity = (field: string, title: string) =>
    lines(values, x, { field, type: "quantitative", title });
  return {
    hconcat: [
      quantity("start", "to the first answer, ms"),
      quantity("memory", "resident memory, MiB"),
      quantity("processor", "processor time of a request, µs"),
    ],
  };
}

function curves(all: readonly Point[]): Spec {
  const curve = (of: Point["of"]) =>
    lines(
      all.filter((point) => point.of === of),
      { field: "x", title: of, scale: { type: "log" } },
      { field: "median", type: "quantitative", title: "round trip, µs", scale: { zero: true } },
    );
  return { hconcat: [curve("queue size"), curve("memory regions"), curve("lines")] };
}

function isolation(all: readonly Isolation[]): Spec {
  const same = all.filter(({ daemon }) => daemon === "same");
  const quiet = same.filter(({ device, contender }, index) =>
    same.findIndex((one) => one.device === device && one.contender === contender) === index
  ).map((one) => (
    { ...one, other: "does nothing", median: one.quietMedian, p99: one.quietP99 }
  ));
  const values = [...quiet, ...same].flatMap(({ device, contender, other, median, p99 }) => [
    { device, contender, other, what: "median", value: median },
    { device, contender, other, what: "99 %", value: p99 },
  ]);
  return bars(
    values,
    { field: "value", type: "quantitative", title: "round trip, µs" },
    {
      field: "other",
      type: "nominal",
      title: "the other guest",
      sort: null,
      axis: { labelLimit: 0 },
    },
    {
      column: { field: "what", type: "nominal", title: null, sort: ["median", "99 %"] },
      row: DEVICE,
    },
  );
}

function linux(all: readonly LinuxFigure[]): Spec {
  return {
    ...bars(
      all.filter(({ unit }) => unit === "1/s"),
      { field: "value", type: "quantitative", title: "a second" },
      { field: "what", type: "nominal", title: null, sort: null, axis: { labelLimit: 0 } },
      { column: { field: "guest", type: "nominal", title: null } },
    ),
    resolve: { scale: { y: "shared" } },
  };
}

function nodes(all: readonly NodeFigure[]): Spec {
  const values = all.flatMap(({ device, contender, rates }) =>
    Object.entries(rates).map(([depth, rate]) => ({ device, contender, depth, value: rate / 1000 }))
  );
  return bars(
    values,
    { field: "value", type: "quantitative", title: "1,000 requests/s" },
    {
      field: "depth",
      type: "ordinal",
      title: "requests at a time",
      sort: null,
      axis: { labelAngle: 0 },
    },
    { column: DEVICE },
  );
}

/** By section: what is drawn of it. */
const PLOTS: Readonly<Record<string, Readonly<Record<string, (figures: never) => Spec>>>> = {
  "round-trips": { "round-trips": roundTrips, throughput },
  guests: { guests },
  curves: { curves },
  isolation: { isolation },
  nodes: { nodes },
  linux: { linux },
};

function title({ processor, processors, kernel, virtual }: Machine, date: string): Spec {
  const text = `${processors} × ${processor} (${virtual}), Linux ${kernel}, ${date}`;
  return {
    text,
    fontSize: 10,
    fontWeight: "normal",
    color: "#666",
    anchor: "start",
    orient: "bottom",
  };
}

/** Draws everything that has been recorded. */
export async function plot(): Promise<void> {
  const recorded = read();
  for (const [section, pictures] of Object.entries(PLOTS)) {
    if (recorded[section] === undefined) continue;
    const { figures, machine, date } = recorded[section];
    for (const [name, draw] of Object.entries(pictures)) {
      const spec = { ...draw(figures as never), title: title(machine, date), background: "white" };
      const { spec: compiled } = compile(spec as unknown as TopLevelSpec);
      const svg = await new View(parse(compiled), { renderer: "none" }).toSVG();
      Deno.writeTextFileSync(new URL(`${name}.svg`, RESULTS), `${svg}\n`);
    }
  }
}
