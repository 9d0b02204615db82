#!/bin/bash
# Run a command on an emulated arm64 machine with a kernel of its own, and exit with its
# status.
#
#   run.sh [options] [--] COMMAND [ARGUMENT...]
#   run.sh [options]                            a shell on the terminal
#
#   -p PAGES      of memory: 4k or 16k (default)
#   -M HOSTDIR[:GUESTDIR][:rw|:cow]
#                 mount a folder of the host, at the same place without GUESTDIR
#                 (repeatable); read-only, with rw also for writing, with cow for
#                 writing to the machine's memory only
#   -e NAME=VALUE set a variable for the command (repeatable)
#   -a ARG        one more kernel parameter (repeatable)
#   -t SECONDS    kill it all after that long (default 240)
#   -m SIZE       memory of the machine (default 3G)
#   -v            show the kernel's log on standard error
#   -D FILE       write the kernel's log to FILE
#
# The machine has a processor as the Raspberry Pi 5, two of its cores, a few huge pages,
# and `deno`.
# Otherwise it is as with the guests of QEMU: see tests/guest/qemu/run.sh.
set -u

. "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
. "$guest_scripts/job.sh"

limit=240 mem=3G pages=16k log='' verbose=''
mounts=("$arm64_dir") vars=() append=() args=()

while getopts p:M:e:a:t:m:vD: opt; do
	case $opt in
	p)	pages=$OPTARG ;;
	M)	mounts+=("$OPTARG") ;;
	e)	vars+=("$OPTARG") ;;
	a)	append+=("$OPTARG") ;;
	t)	limit=$OPTARG ;;
	m)	mem=$OPTARG ;;
	v)	verbose=1 ;;
	D)	log=$OPTARG ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))

kernel_dir=$(machine_kernel_dir "$pages") || exit
[ -d "$kernel_dir" ] && [ -d "$machine_root_dir" ] && [ -d "$(qemu_dir 10 arm)" ] &&
	[ -d "$arm64_dir" ] || fail "the machine is not here yet (run: make arm64 PAGES=$pages)"
qemu_program "$(qemu_dir 10 arm)" aarch64

job_open
cp "$job/inside" "$job/init"
echo /dev/hvc0 /dev/hvc1 >"$job/terminals"
echo "cgroup /sys/fs/cgroup cgroup2 defaults 0 0" >>"$job/fstab"
job_mounts_9p "${mounts[@]}"
vars+=("PATH=$arm64_dir:/usr/sbin:/usr/bin")
job_command '' "$@"

cat "$machine_root_dir/initrd" "$kernel_dir/modules.gz" >"$job/initrd"

job_pipes

exec {qemu_err}>"$job/err"
job_boot "$limit" "${program[@]}" \
	-nodefaults -no-user-config -display none -no-reboot \
	-machine virt,gic-version=3 -accel tcg,thread=multi,tb-size=512 -cpu cortex-a76 -smp 2 -m "$mem" \
	-chardev "file,id=con,path=$job/con" -serial chardev:con \
	-chardev "$out,id=out" -chardev "file,id=err,path=$job/err" \
	-device virtio-serial-pci -device virtconsole,chardev=out -device virtconsole,chardev=err \
	-fsdev "local,id=job,path=$job,security_model=none,multidevs=remap" \
	-device virtio-9p-pci,fsdev=job,mount_tag=job \
	-fsdev "local,id=root,path=$machine_root_dir/root,security_model=none,readonly=on,multidevs=remap" \
	-device virtio-9p-pci,fsdev=root,mount_tag=root \
	-kernel "$kernel_dir/vmlinuz" -initrd "$job/initrd" \
	-append "console=ttyAMA0 panic=-1 ignore_loglevel hugepages=4 rdinit=/load ${append[*]}" \
	"${args[@]}" 2>&"$qemu_err"
exec {qemu_err}>&-
job_end "$limit" "$log"
