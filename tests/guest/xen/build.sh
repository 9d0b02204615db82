#!/bin/bash
# Build the Xen test bed, unless it is there already: the hypervisor, a kernel and an
# initramfs for domain 0, a program that makes domains, and the QEMU to run them in,
# which are not installed but unpacked.
#
# All land in the user's cache (see paths.sh), never in the tree.
set -eu

. "$(dirname "$0")/paths.sh"

on_this_machine
[ -d "$xen_dir" ] || need_packages gcc=gcc libc6-dev
[ -d "$xen_kernel_dir" ] || need_packages xz=xz-utils

build_root
build initramfs "$initrd_dir" "$qemu/initrd.sh" "$root_dir"
build "QEMU 10" "$(qemu_dir 10)" "$qemu/qemu.sh" 10 "$(qemu_suites 10)" qemu-system-x86
# shellcheck disable=SC2086  # a list of words
build Xen "$xen_dir" "$xen/hypervisor.sh" "$xen_suite" $xen_packages
build "kernel of domain 0" "$xen_kernel_dir" "$guest_scripts/debian_kernel.sh" \
	"$xen_kernel_suite" amd64 "$xen_kernel_package" "$xen/init" "$root_dir"
