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

# build NAME SCRIPT DIR: have SCRIPT fill DIR.  The folder gets its final name
# as the very last step, so a build that was interrupted is not taken for a guest.
build() {
	local name=$1 script=$2 dir=$3 lock
	[ ! -d "$dir" ] || return 0
	mkdir -p "$guest_cache"
	exec {lock}>"$dir.lock"
	if ! flock -n "$lock"; then
		echo "guest: waiting for another build of the same $name"
		flock "$lock"
	fi
	if [ ! -d "$dir" ]; then
		rm -rf "$dir.new" "$dir.work"
		mkdir "$dir.new" "$dir.work"
		"$guest_here/$script" "$dir.work" "$dir.new"
		rm -rf "$dir.work"
		mv "$dir.new" "$dir"
	fi
	rm -f "$dir.lock"
	exec {lock}>&-
}

machine=$(uname -m)
if [ "$machine" != x86_64 ]; then
	echo "guest: User-Mode Linux runs on x86-64 only, this is $machine" >&2
	exit 1
fi
if [ ! -d "$kernel_dir" ] || [ "${1:-}" = packages ]; then
	"$guest_here/../../../scripts/packages.sh" gcc=gcc libc6-dev make=make flex=flex \
		bison=bison bc=bc patch=patch xz=xz-utils strip=binutils
fi
[ "${1:-}" != packages ] || exit 0

export kernel_package kernel_suite root_suite root_packages
build "root folder" root.sh "$root_dir"
build kernel kernel.sh "$kernel_dir"
