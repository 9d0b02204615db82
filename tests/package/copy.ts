/**
 * A copy of this machine, to install packages in.
 *
 * @module
 */

import { TemporaryFolder } from "../support/temporary_folder.ts";
import { isRoot, succeed } from "./build.ts";

/** This machine's files, with whatever is changed in them kept apart. */
export class Copy implements AsyncDisposable {
  readonly root: string;

  private constructor(readonly folder: TemporaryFolder) {
    this.root = folder.file("root");
  }

  static async make(): Promise<Copy> {
    const copy = new Copy(new TemporaryFolder());
    for (const name of ["root", "upper", "work"]) Deno.mkdirSync(copy.folder.file(name));
    const { folder } = copy;
    const layers = `lowerdir=/,upperdir=${folder.file("upper")},workdir=${folder.file("work")}`;
    await succeed("mount", ["-t", "overlay", "overlay", "-o", layers, copy.root]);
    return copy;
  }

  /** A script within it. */
  in(text: string): Promise<string> {
    // The programs read themselves by way of /proc.
    const enter = 'mount -t proc proc "$1/proc" && exec chroot "$1" /bin/sh -ec "$2"';
    return succeed("unshare", ["--mount", "/bin/sh", "-ec", enter, "sh", this.root, text], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await succeed("umount", ["--lazy", this.root]);
    this.folder[Symbol.dispose]();
  }
}

/** Whether a folder can be made to look like this machine. */
async function canCopy(): Promise<boolean> {
  if (!isRoot) return false;
  try {
    await using _copy = await Copy.make();
    return true;
  } catch {
    return false;
  }
}

/** Whether {@linkcode Copy} is to be had. */
export const copies: boolean = await canCopy();
