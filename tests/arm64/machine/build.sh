#!/bin/bash
# Have what it takes to run tests on an emulated arm64 machine with a kernel of its own,
# in the user's cache: QEMU, the kernel, and a root folder with what the tests call.
#
#   build.sh PAGES     of memory: 4k or 16k
set -eu

. "$(dirname "$0")/paths.sh"

pages=$1
kernel_dir=$(machine_kernel_dir "$pages")
on_this_machine
[ -d "$kernel_dir" ] || need_packages xz=xz-utils

# Deno is the same as with QEMU's user-mode emulation.
"$arm64/build.sh"
build_root
build "QEMU for arm64" "$(qemu_dir 10 arm)" "$qemu/qemu.sh" 10 "$(qemu_suites 10)" qemu-system-arm
# shellcheck disable=SC2086  # a list of words
build "arm64 root folder" "$machine_root_dir" "$machine/root.sh" \
	"$arm64_suite" "$root_dir" $machine_packages
build "kernel with pages of $pages" "$kernel_dir" "$guest_scripts/debian_kernel.sh" \
	"$arm64_suite" arm64 "$(machine_kernel "$pages")" "$machine/init" "$root_dir"
