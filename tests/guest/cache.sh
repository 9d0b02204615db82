# Where built guests are kept, for the scripts of the guests to source.
#
# Each part is in a folder named after a hash of everything it is made from: a
# checkout finds just what fits it, and several checkouts share what they have in
# common.

guest_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest_cache=${XDG_CACHE_HOME:-$HOME/.cache}/vhost-device

# Debian's package of the kernel source, and the suite it is taken from.
kernel_package=${KERNEL_PACKAGE:-linux-source-7.3}
kernel_suite=${KERNEL_SUITE:-trixie-backports}
kernel_inputs=("$guest_scripts"/kernel/*)

# The programs inside the guests.
root_suite=trixie
root_packages="busybox bash libtinfo6 libc6 libgcc-s1 gpiod libgpiod3 i2c-tools libi2c0
	spi-tools"

# hash_of TEXT FILE...
hash_of() {
	local text=$1
	shift
	cat - "$@" <<<"$text" | sha256sum | cut -c 1-16
}
root_dir=$guest_cache/guest-root-$(hash_of "$root_suite $root_packages" "$guest_scripts/root.sh")

# build NAME DIR SCRIPT [ARGUMENT...]: have SCRIPT fill DIR, unless it is there.
# SCRIPT is called as SCRIPT WORK OUT ARGUMENT...; what it leaves in WORK is deleted.
# The folder gets its final name as the very last step, so a build that was
# interrupted is not taken for a whole one.
build() {
	local name=$1 dir=$2 script=$3 lock
	shift 3
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
		"$script" "$dir.work" "$dir.new" "$@"
		rm -rf "$dir.work"
		mv "$dir.new" "$dir"
	fi
	rm -f "$dir.lock"
	exec {lock}>&-
}

# need_packages WANTED...: as scripts/packages.sh
need_packages() {
	"$guest_scripts/../../scripts/packages.sh" "$@"
}

# build_root: the root folder is the same for all guests
build_root() {
	# shellcheck disable=SC2086  # a list of words
	build "root folder" "$root_dir" "$guest_scripts/root.sh" "$root_suite" $root_packages
}

# on_this_machine: fail where the guests cannot be built
on_this_machine() {
	[ "$(uname -m)" = x86_64 ] ||
		{ echo "guest: the guests are built on x86-64 only, this is $(uname -m)" >&2; return 1; }
}
