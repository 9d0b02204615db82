# The parts of the QEMU guest, for build.sh and run.sh to source.

. "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
qemu=$guest_scripts/qemu

kernel_dir=$guest_cache/qemu-kernel-$(hash_of "$kernel_suite $kernel_package" \
	"${kernel_inputs[@]}" "$qemu"/{kernel.sh,kernel.config})
initrd_dir=$guest_cache/qemu-initrd-$(hash_of "$root_dir" "$qemu/initrd.sh")

# qemu_suites VERSION: the suites of Debian that have it (and what it needs)
qemu_suites() {
	case $1 in
	7)	echo bookworm ;;
	10)	echo bookworm,bookworm-backports ;;
	11)	echo trixie,trixie-backports ;;
	*)	return 1 ;;
	esac
}

# qemu_dir VERSION: the folder in which that QEMU is unpacked
qemu_dir() {
	local suites
	suites=$(qemu_suites "$1") &&
		echo "$guest_cache/qemu-$1-$(hash_of "$suites" "$qemu/qemu.sh")"
}
