#!/bin/bash
# Have what it takes to run tests as on an arm64 machine, in the user's cache.
set -eu

. "$(dirname "$0")/paths.sh"

if [ "$(uname -m)" = aarch64 ]; then
	echo "arm64: this machine is one; make unit integration"
	exit
fi
on_this_machine
# The second is for tests that make a library.
need_packages gcc=gcc libc6-dev aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu libc6-dev-arm64-cross
# shellcheck disable=SC2086  # a list of words
build "arm64 root" "$arm64_dir" "$arm64/root.sh" \
	"$arm64/wrap.c" "$arm64_deno" "$arm64_suite" "$arm64_qemu" $arm64_libraries
