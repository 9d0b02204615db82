/**
 * All changes that are tried.
 *
 * @module
 */

import { deviceFiles } from "./devices.ts";
import { ffiFiles } from "./ffi.ts";
import type { MutatedFile } from "./mutation.ts";
import { vhostUserFiles } from "./vhost_user.ts";
import { virtioFiles } from "./virtio.ts";

export const mutatedFiles: readonly MutatedFile[] = [
  ...ffiFiles,
  ...virtioFiles,
  ...vhostUserFiles,
  ...deviceFiles,
];
