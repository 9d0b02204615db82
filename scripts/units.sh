#!/bin/sh
# Make what packages have for each device: units, rules, descriptors for QEMU.
#
#   units.sh FOLDER
set -eu

rm -rf "$1"
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
deno=$(scripts/toolchain.sh)
# FFI: the modules of the programs open libc as they are loaded.
exec "$deno" run --quiet --frozen --allow-ffi --allow-read --allow-write \
	tools/packaging/main.ts "$target"
