# The parts of an emulated arm64 machine with a kernel of its own, for build.sh and
# run.sh to source.

. "$(dirname "${BASH_SOURCE[0]}")/../paths.sh"
. "$guest_scripts/qemu/paths.sh"
machine=$arm64/machine

# What the tests call, and what Deno and they load.
machine_packages="base-files dash bash coreutils util-linux mount grep sed gawk findutils procps
	busybox-static libc-bin python3 make gcc libc6-dev binutils-x86-64-linux-gnu $arm64_libraries"
machine_root_dir=$guest_cache/arm64-root-$(hash_of "$arm64_suite $machine_packages" \
	"$machine/root.sh")

# machine_kernel PAGES: Debian's package of the kernel with such pages
machine_kernel() {
	case $1 in
	4k)	echo linux-image-arm64 ;;
	16k)	echo linux-image-arm64-16k ;;
	*)	echo "PAGES=$1: expected 4k or 16k" >&2; return 2 ;;
	esac
}

# machine_kernel_dir PAGES: the folder in which that is
machine_kernel_dir() {
	local package
	package=$(machine_kernel "$1") &&
		echo "$guest_cache/arm64-kernel-$(hash_of "$arm64_suite $package" \
			"$guest_scripts/debian_kernel.sh" "$machine/init")"
}
