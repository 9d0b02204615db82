#!/bin/bash
# Build the QEMU guest, unless it is there already: a kernel, an initramfs, and
# the QEMUs to run them, which are not installed but unpacked.
#
#   build.sh [VERSION...]     QEMU 7, 10 or 11 (default: 10 and 11)
#
# SPI takes QEMU 11, edge events of GPIO take 10.  All land in the user's cache
# (see paths.sh), never in the tree.
set -eu

. "$(dirname "$0")/paths.sh"

[ $# -gt 0 ] || set -- 10 11
for version; do
	qemu_suites "$version" >/dev/null ||
		{ echo "build.sh: QEMU $version: expected 7, 10 or 11" >&2; exit 2; }
done

on_this_machine
if [ ! -d "$kernel_dir" ]; then
	need_packages gcc=gcc libc6-dev make=make flex=flex bison=bison bc=bc patch=patch \
		xz=xz-utils libelf-dev
fi

build_root
build initramfs "$initrd_dir" "$qemu/initrd.sh" "$root_dir"
for version; do
	build "QEMU $version" "$(qemu_dir "$version")" "$qemu/qemu.sh" \
		"$version" "$(qemu_suites "$version")" qemu-system-x86
done
build kernel "$kernel_dir" "$qemu/kernel.sh" "$kernel_suite" "$kernel_package"
