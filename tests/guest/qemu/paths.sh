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

# qemu_dir VERSION [MACHINE]: the folder in which that QEMU is unpacked
qemu_dir() {
	local suites
	suites=$(qemu_suites "$1") &&
		echo "$guest_cache/qemu-${2:+$2-}$1-$(hash_of "$suites" "$qemu/qemu.sh")"
}

# qemu_program DIR MACHINE: the command that runs the QEMU in that folder, into $program
qemu_program() {
	local dir=$1 lib=usr/lib/x86_64-linux-gnu ld=$1/usr/lib64/ld-linux-x86-64.so.2
	# Before trixie the C library is below /lib.
	[ -e "$ld" ] || ld=$dir/lib64/ld-linux-x86-64.so.2
	program=("$ld" --library-path "$dir/$lib:$dir/lib/x86_64-linux-gnu"
		"$dir/usr/bin/qemu-system-$2"
		-L "$dir/usr/share/seabios" -L "$dir/usr/share/qemu")
	# Or it would load the modules of a QEMU that is installed.
	export QEMU_MODULE_DIR=$dir/$lib/qemu
}
