import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
/** The folders of the devices. */
const DEVICES = [...Deno.readDirSync(new URL("lib", ROOT))]
  .filter(({ name, isDirectory }) => isDirectory && isFile(`lib/${name}/kind.ts`))
  .map(({ name }) => `lib/${name}`)
  .sort();
const BASE = ["ffi", "lib/errors.ts", "lib/text", "lib/threads"];

/** What the files of each room may import, beside each other. The longest name of a room counts. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "ffi": [],
  "lib/errors.ts": [],
  "lib/permissions.ts": [],
  "lib/program.ts": ["lib/permissions.ts"],
  "lib/one_file.ts": ["ffi", "lib/permissions.ts", "lib/program.ts", "deno.json"],
  "lib/text": [],
  "lib/threads": ["ffi", "lib/errors.ts"],
  "lib/input": BASE,
  "lib/virtio": BASE,
  "lib/vhost_user": [...BASE, "lib/virtio"],
  "lib/events": BASE,
  "lib/control": [...BASE, "lib/events", "lib/simulation", "lib/virtio"],
  "lib/trace": [...BASE, "lib/events", "lib/simulation", "lib/virtio"],
  "lib/simulation": [...BASE, "lib/input", "lib/virtio"],
  ...Object.fromEntries(DEVICES.flatMap((device) => {
    const below = [...BASE, "lib/input", "lib/virtio"];
    return [
      [device, [
        ...below,
        ...["lib/simulation", "lib/events", "lib/trace"],
        ...[`${device}/host`, `${device}/simulated`],
      ]],
      [`${device}/kind.ts`, [
        ...below,
        ...[device, "lib/simulation", "lib/events", "lib/daemon/device_kind.ts"],
      ]],
      [`${device}/about.ts`, ["lib/daemon/device_kind.ts"]],
      [`${device}/device.ts`, [...below, device]],
      [`${device}/protocol.ts`, ["lib/virtio"]],
      [`${device}/host`, [...below, "lib/simulation", device]],
      [`${device}/simulated`, [...below, "lib/simulation", device]],
    ];
  })),
  "lib/daemon": [
    ...BASE,
    "lib/permissions.ts",
    "lib/program.ts",
    "deno.json",
    "lib/input",
    "lib/virtio",
    "lib/vhost_user",
    "lib/simulation",
    "lib/events",
    "lib/trace",
    "lib/control",
  ],
  "lib/ctl": [
    ...BASE,
    "lib/permissions.ts",
    "lib/program.ts",
    "deno.json",
    "lib/input",
    "lib/simulation",
    "lib/control",
    "lib/trace",
  ],
  "cmd": ["lib/daemon", "lib/ctl", "lib/program.ts", ...DEVICES],
};

/** Within its own device: `protocol.ts` says only types of others, device and rooms stay apart. */
const APART: readonly (readonly [string, string])[] = DEVICES.flatMap((device) =>
  [
    [`${device}/host`, `${device}/simulated`],
    [`${device}/simulated`, `${device}/host`],
    [`${device}/device.ts`, `${device}/host`],
    [`${device}/device.ts`, `${device}/simulated`],
    [`${device}/host`, `${device}/kind.ts`],
    [`${device}/simulated`, `${device}/kind.ts`],
  ] as const
);

/** Pure modules: bytes in, values out. What they import has to be a type. */
const PURE = ["lib/vhost_user/message.ts", ...DEVICES.map((device) => `${device}/protocol.ts`)];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)).isFile;
  } catch {
    return false;
  }
}

function isIn(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`);
}

function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* sources(path);
    else if (path.endsWith(".ts")) yield path;
  }
}

function importsOf(path: string): Import[] {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const statements = text.matchAll(/^(?:import|export)\s(?:[^;"]*?\sfrom\s)?"(\.[^"]+)"/gm);
  const dynamic = text.matchAll(/\bimport\("(\.[^"]+)"\)/g);
  return [...statements, ...dynamic].map(([statement, specifier]) => ({
    from: path,
    to: new URL(specifier, new URL(path, ROOT)).pathname.slice(ROOT.pathname.length),
    isType: /^(import|export) type\s/.test(statement) ||
      /^import \{(\s*type \w+( as \w+)?,?)+\s*\}/.test(statement),
  }));
}

function roomOf(path: string): string | undefined {
  return Object.keys(ARROWS).filter((room) => isIn(path, room))
    .sort((a, b) => b.length - a.length)[0];
}

const files = ["cmd", "lib", "ffi"].flatMap((folder) => [...sources(folder)]);
const imports = files.flatMap(importsOf);

Deno.test("every file of cmd, lib and ffi is in a room", () => {
  assertEquals(files.filter((file) => roomOf(file) === undefined), []);
  // A pattern that finds nothing would let everything pass.
  assert(DEVICES.length >= 3);
  assert(imports.length > 200, `only ${imports.length} imports were found`);
  assert(imports.some(({ to }) => to === "lib/input/config_node.ts"));
});

Deno.test("imports follow the arrows of the house", () => {
  const wrong = imports.filter(({ from, to }) => {
    const room = roomOf(from)!;
    const folder = room.endsWith(".ts") ? undefined : room;
    if (folder !== undefined && isIn(to, folder)) return false;
    return !ARROWS[room].some((allowed) => isIn(to, allowed));
  });
  assertEquals(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("a device, its host's side and its simulated side are apart", () => {
  const wrong = imports.filter(({ from, to }) =>
    APART.some(([room, other]) => isIn(from, room) && isIn(to, other))
  );
  assertEquals(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("of a device, kind.ts and about.ts know the daemon, and only its types", () => {
  const upward = imports.filter(({ from, to }) =>
    isIn(to, "lib/daemon") && !isIn(from, "lib/daemon") && !isIn(from, "cmd")
  );
  assertEquals(
    upward.map(({ from, to, isType }) => `${from} -> ${to}${isType ? " (type)" : ""}`).sort(),
    DEVICES.flatMap((device) =>
      ["about", "kind"].map((name) => `${device}/${name}.ts -> lib/daemon/device_kind.ts (type)`)
    ),
  );
});

Deno.test("codecs import nothing but types", () => {
  const wrong = imports.filter(({ from, isType }) => PURE.includes(from) && !isType);
  assertEquals(wrong.map(({ from, to }) => `${from} -> ${to}`), []);
});
