#!/bin/bash
# Run a command inside the QEMU guest and exit with its status.
#
#   run.sh [options] [--] COMMAND [ARGUMENT...]
#   run.sh [options] -f SCRIPT [ARGUMENT...]    a script for bash; - is stdin
#   run.sh [options]                            a shell on the terminal
#
#   -q QEMU       which one: 7, 10 (default), 11, or a program; SPI takes 11, edge
#                 events of GPIO take 10
#   -d SOCKET:DEVICE[,PROPERTY=VALUE...]
#                 attach a vhost-user back-end (repeatable); DEVICE is gpio, i2c
#                 or spi
#   -b FILE.dts   boot with this devicetree, beside ACPI; a device is in the slot that
#                 it is given: -d SOCKET:gpio,addr=8
#   -r            reconnect when a back-end has gone away (QEMU 7 only: newer ones
#                 that are told so fail at their start)
#   -M HOSTDIR[:GUESTDIR][:rw]
#                 mount a folder of the host, at the same place without GUESTDIR
#                 (repeatable); read-only, or with rw also for writing
#   -e NAME=VALUE set a variable for the command (repeatable)
#   -a ARG        one more kernel parameter (repeatable),
#                 e.g. -a i2c_stub.chip_addr=0x50
#   -x ARG        one more argument for QEMU (repeatable)
#   -k            use KVM; the default is emulation, which works everywhere
#   -t SECONDS    kill the guest after that long (default 60)
#   -m SIZE       memory of the guest (default 256M)
#   -v            show the kernel's log on standard error
#   -D FILE       write the kernel's log to FILE
#
# The guest's root is in its memory, with nothing of the host but the folders given
# with -M.  If the current folder is below one of them, the command is run there.
# It gets no standard input; what it prints arrives at once, as its standard output
# and standard error are terminals.
#
# Exit status: the command's; 124 when the time ran out; 125 when the guest
# died without running the command to its end; 143 when run.sh was interrupted;
# 2 when it was misused.
set -u

. "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
. "$guest_scripts/job.sh"

limit=60 mem=256M dts='' log='' script='' verbose='' version=10 accel=tcg reconnect=''
devices=() mounts=() vars=() append=() args=()

while getopts q:d:b:rM:e:a:x:kt:m:f:vD: opt; do
	case $opt in
	q)	version=$OPTARG ;;
	d)	devices+=("$OPTARG") ;;
	b)	dts=$OPTARG ;;
	r)	reconnect=1 ;;
	M)	mounts+=("$OPTARG") ;;
	e)	vars+=("$OPTARG") ;;
	a)	append+=("$OPTARG") ;;
	x)	args+=("$OPTARG") ;;
	k)	accel=kvm ;;
	t)	limit=$OPTARG ;;
	m)	mem=$OPTARG ;;
	f)	script=$OPTARG ;;
	v)	verbose=1 ;;
	D)	log=$OPTARG ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))

[ -d "$kernel_dir" ] && [ -d "$initrd_dir" ] ||
	fail "the guest is not built yet (run: make qemu-guest)"

if dir=$(qemu_dir "$version"); then
	[ -d "$dir" ] || fail "QEMU $version is not here yet (run: make qemu-guest QEMU=$version)"
	qemu_program "$dir" x86_64
else
	program=("$(command -v "$version")") || fail "-q $version: expected 7, 10, 11 or a program"
fi
if [ -n "$reconnect" ]; then
	[ "$version" = 7 ] || fail "-r: with -q 7 only, newer ones fail at their start"
	reconnect=,reconnect=1
fi

job_open
cp "$job/inside" "$job/init"
echo /dev/hvc0 /dev/hvc1 >"$job/terminals"

# Host folders and sockets are reached by links of short and harmless names.
n=0
for m in ${mounts+"${mounts[@]}"}; do
	job_mount "$m"
	case $mount_mode in
	ro)	readonly=on ;;
	rw)	readonly=off ;;
	*)	fail "-M $m: not with QEMU" ;;
	esac
	ln -s "$mount_from" "$job/m$n"
	args+=(-fsdev "local,id=m$n,path=$job/m$n/.,security_model=none,readonly=$readonly,multidevs=remap"
		-device "virtio-9p-pci,fsdev=m$n,mount_tag=m$n")
	echo "m$n $mount_at 9p $mount_mode,trans=virtio,version=9p2000.L,msize=262144 0 0" >>"$job/fstab"
	n=$((n + 1))
done

n=0
for d in ${devices+"${devices[@]}"}; do
	properties=''
	case $d in *:*,*=*) properties=,${d#*:*,} d=${d%%,*} ;; esac
	job_socket "$d"
	case $socket_device in gpio | i2c | spi) ;; *) fail "-d $d: expected SOCKET:gpio, :i2c or :spi" ;; esac
	ln -s "$socket_path" "$job/s$n"
	args+=(-chardev "socket,id=s$n,path=$job/s$n$reconnect"
		-device "vhost-user-$socket_device-pci,chardev=s$n$properties")
	n=$((n + 1))
done

kernel=$kernel_dir/bzImage
if [ -n "$dts" ]; then
	[ -r "$dts" ] || fail "-b $dts: cannot read it"
	# shellcheck disable=SC2207  # the folder of a job has no blanks
	args+=($("$qemu/board.sh" "$dts" "$kernel" "$job")) || fail "-b $dts: not a devicetree"
	kernel=$job/bzImage
fi

job_command "$script" "$@"

job_pipes

# share=on: a vhost-user back-end maps the guest's memory.
exec {qemu_err}>"$job/err"
job_boot "$limit" "${program[@]}" \
	-nodefaults -no-user-config -display none -no-reboot \
	-machine pc,memory-backend=mem -accel "$accel" -cpu max -m "$mem" \
	-object "memory-backend-memfd,id=mem,size=$mem,share=on" \
	-chardev "file,id=con,path=$job/con" -serial chardev:con \
	-chardev "$out,id=out" -chardev "file,id=err,path=$job/err" \
	-device virtio-serial-pci -device virtconsole,chardev=out -device virtconsole,chardev=err \
	-fsdev "local,id=job,path=$job,security_model=none,multidevs=remap" \
	-device virtio-9p-pci,fsdev=job,mount_tag=job \
	-kernel "$kernel" -initrd "$initrd_dir/initrd.gz" \
	-append "console=ttyS0 panic=-1 ignore_loglevel rdinit=/init ${append[*]}" \
	${args+"${args[@]}"} 2>&"$qemu_err"
exec {qemu_err}>&-
job_end "$limit" "$log"
