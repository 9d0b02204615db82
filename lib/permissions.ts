/**
 * What a program may do, as far as Deno decides on it.
 *
 * The executable that holds all programs is allowed what any of them needs. Each gives up at its
 * start what it does not need itself; its threads have what it has left.
 *
 * @module
 */

/** Permissions by Deno's names. What is not said is not needed. */
export interface Permissions {
  /** To call C libraries, which are found by name, so that this cannot be narrowed. */
  readonly ffi?: boolean;
  readonly read?: boolean;
  readonly write?: boolean;
  readonly net?: boolean;
  /** To start other programs. */
  readonly run?: boolean;
  /** The variables of the environment that it reads. */
  readonly env?: readonly string[];
  /** What it asks of the system, for example `uid`. */
  readonly sys?: readonly string[];
}

const KINDS = ["ffi", "read", "write", "net", "run"] as const;

type SystemKind = NonNullable<Deno.SysPermissionDescriptor["kind"]>;

/** What any of the programs needs. */
export function union(all: readonly Permissions[]): Permissions {
  const names = (of: "env" | "sys") => {
    const found = [...new Set(all.flatMap((one) => one[of] ?? []))].sort();
    return found.length === 0 ? {} : { [of]: found };
  };
  return {
    ...Object.fromEntries(KINDS.map((kind) => [kind, all.some((one) => one[kind])])),
    ...names("env"),
    ...names("sys"),
  };
}

/** As options of `deno run` and `deno compile`. */
export function permissionFlags(permissions: Permissions): string[] {
  const list = (name: string, names: readonly string[] = []) =>
    names.length > 0 ? [`--allow-${name}=${names.join(",")}`] : [];
  return [
    ...KINDS.filter((kind) => permissions[kind]).map((kind) => `--allow-${kind}`),
    ...list("sys", permissions.sys),
    ...list("env", permissions.env),
  ];
}

/**
 * Gives up, for good, what is not needed.
 *
 * @param granted what the process was given, where that is more than `needed`: single variables can
 * be given up only by their names
 */
export function keepOnly(needed: Permissions, granted: Permissions = needed): void {
  const { revokeSync } = Deno.permissions;
  const revoke = revokeSync.bind(Deno.permissions);
  for (const name of KINDS) if (!needed[name]) revoke({ name });
  // Modules from elsewhere.
  revoke({ name: "import" });
  if (!needed.env) revoke({ name: "env" });
  if (!needed.sys) revoke({ name: "sys" });
  for (const variable of granted.env ?? []) {
    if (!needed.env?.includes(variable)) revoke({ name: "env", variable });
  }
  for (const kind of granted.sys ?? []) {
    if (!needed.sys?.includes(kind)) revoke({ name: "sys", kind: kind as SystemKind });
  }
}
