#!/bin/bash
# Run a command in domain 0 of an emulated Xen host and exit with its status.
#
#   run.sh [options] [--] COMMAND [ARGUMENT...]
#   run.sh [options] -f SCRIPT [ARGUMENT...]    a script for bash; - is stdin
#   run.sh [options]                            a shell on the terminal
#
#   -M HOSTDIR[:GUESTDIR][:rw|:cow]
#                 mount a folder of the host, at the same place without GUESTDIR
#                 (repeatable); read-only, with rw also for writing, with cow for
#                 writing to domain 0's memory only
#   -e NAME=VALUE set a variable for the command (repeatable)
#   -a ARG        one more parameter for the kernel of domain 0 (repeatable)
#   -t SECONDS    kill it all after that long (default 60)
#   -m SIZE       memory of domain 0 (default 320M); 192M are for other domains and Xen
#   -v            show the log of Xen and of the kernel on standard error
#   -D FILE       write that log to FILE
#
# Domain 0 has the root of the other guests, and "domain", which makes domains of
# memory and grants: see domain.c.  Otherwise it is as with qemu/run.sh.
set -u

. "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
. "$guest_scripts/job.sh"

limit=60 mem=320M log='' script='' verbose=''
mounts=() vars=() append=() args=()

while getopts M:e:a:t:m:f:vD: opt; do
	case $opt in
	M)	mounts+=("$OPTARG") ;;
	e)	vars+=("$OPTARG") ;;
	a)	append+=("$OPTARG") ;;
	t)	limit=$OPTARG ;;
	m)	mem=$OPTARG ;;
	f)	script=$OPTARG ;;
	v)	verbose=1 ;;
	D)	log=$OPTARG ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))

[ -d "$xen_dir" ] && [ -d "$xen_kernel_dir" ] && [ -d "$initrd_dir" ] && [ -d "$(qemu_dir 10)" ] ||
	fail "the test bed is not built yet (run: make xen-guest)"
mem=$(numfmt --from=iec "$mem" 2>/dev/null) || fail "-m: expected a size, for example 320M"
mem=$((mem >> 20))

qemu_program "$(qemu_dir 10)" x86_64

job_open
cp "$guest_scripts/inside.sh" "$job/init"
cp "$xen_dir/domain" "$job/domain"
# hvc0 is Xen's.
echo /dev/hvc1 /dev/hvc2 >"$job/terminals"
echo "xenfs /proc/xen xenfs defaults 0 0" >>"$job/fstab"

job_mounts_9p ${mounts+"${mounts[@]}"}

vars+=("PATH=/job:/usr/sbin:/usr/bin")
job_command "$script" "$@"

# QEMU separates modules, and what belongs to them, by commas.
ln -s "$xen_kernel_dir/vmlinuz" "$job/vmlinuz"
cat "$initrd_dir/initrd.gz" "$xen_kernel_dir/modules.gz" >"$job/initrd"

job_pipes

# Of an AMD machine: nested paging, which HVM domains take, is emulated for those only.
exec {qemu_err}>"$job/err"
job_boot "$limit" "${program[@]}" \
	-nodefaults -no-user-config -display none -no-reboot \
	-machine pc -accel tcg -cpu max,-smap -m "$((mem + 192))M" \
	-chardev "file,id=con,path=$job/con" -serial chardev:con \
	-chardev "$out,id=out" -chardev "file,id=err,path=$job/err" \
	-device virtio-serial-pci -device virtconsole,chardev=out -device virtconsole,chardev=err \
	-fsdev "local,id=job,path=$job,security_model=none,multidevs=remap" \
	-device virtio-9p-pci,fsdev=job,mount_tag=job \
	-kernel "$xen_dir/xen" \
	-append "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=${mem}M,max:${mem}M dom0_max_vcpus=1" \
	-initrd "$job/vmlinuz console=hvc0 ignore_loglevel panic=-1 rdinit=/load ${append[*]},$job/initrd" \
	${args+"${args[@]}"} 2>&"$qemu_err"
exec {qemu_err}>&-
job_end "$limit" "$log"
