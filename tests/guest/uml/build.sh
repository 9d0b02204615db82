#!/bin/bash
# Build the User-Mode Linux guest, unless it is there already: a kernel that is
# an ordinary program, and a folder with the programs of the guest.
#
#   build.sh [packages]     with "packages" only see to the Debian packages that
#                           it takes
#
# Both land in the user's cache (see paths.sh), never in the tree.
set -eu

. "$(dirname "$0")/paths.sh"

on_this_machine
if [ ! -d "$kernel_dir" ] || [ "${1:-}" = packages ]; then
	need_packages gcc=gcc libc6-dev make=make flex=flex bison=bison bc=bc patch=patch \
		xz=xz-utils strip=binutils
fi
[ "${1:-}" != packages ] || exit 0

build_root
build kernel "$kernel_dir" "$uml/kernel.sh" "$kernel_suite" "$kernel_package"
