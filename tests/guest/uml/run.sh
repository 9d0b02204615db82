#!/bin/bash
# Run a command inside the User-Mode Linux guest and exit with its status.
#
#   run.sh [options] [--] COMMAND [ARGUMENT...]
#   run.sh [options] -f SCRIPT [ARGUMENT...]    a script for bash; - is stdin
#   run.sh [options]                            a shell on the terminal
#
#   -d SOCKET:ID  attach a vhost-user back-end (repeatable);
#                 ID is gpio, i2c, spi or a virtio device number
#   -b FILE.dts   boot with this devicetree; @SOCKETS@ in it stands for -s
#   -s DIR        folder of the sockets named in the devicetree (default: .)
#   -M HOSTDIR[:GUESTDIR][:rw|:cow]
#                 mount a folder of the host, at the same place without GUESTDIR
#                 (repeatable); read-only, or with rw also for writing, or with
#                 cow for writing to the guest's memory only
#   -e NAME=VALUE set a variable for the command (repeatable)
#   -a ARG        one more kernel parameter (repeatable),
#                 e.g. -a i2c_stub.chip_addr=0x50
#   -t SECONDS    kill the guest after that long (default 60)
#   -m SIZE       memory of the guest (default 128M; deno needs 1G)
#   -v            show the kernel's log on standard error
#   -D FILE       write the kernel's log to FILE
#
# The guest has a root folder of its own (read-only; what is written elsewhere
# stays in its memory) and nothing of the host but the folders given with -M.  If
# the current folder is below one of them, the command is run there.  It gets no
# standard input; what it prints arrives at once, as its standard output and
# standard error are terminals.
#
# Exit status: the command's; 124 when the time ran out; 125 when the guest
# died without running the command to its end; 143 when run.sh was interrupted;
# 2 when it was misused.
set -u

. "$(dirname "${BASH_SOURCE[0]}")/paths.sh"
. "$guest_scripts/job.sh"

limit=60 mem=128M log='' dts='' sockets=$PWD script='' verbose=''
devices=() mounts=() vars=() args=()

while getopts d:b:s:M:e:a:t:m:f:vD: opt; do
	case $opt in
	d)	devices+=("$OPTARG") ;;
	b)	dts=$OPTARG ;;
	s)	sockets=$OPTARG ;;
	M)	mounts+=("$OPTARG") ;;
	e)	vars+=("$OPTARG") ;;
	a)	args+=("$OPTARG") ;;
	t)	limit=$OPTARG ;;
	m)	mem=$OPTARG ;;
	f)	script=$OPTARG ;;
	v)	verbose=1 ;;
	D)	log=$OPTARG ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))

[ -d "$kernel_dir" ] && [ -d "$root_dir" ] ||
	fail "the guest is not built yet (run: make guest)"

job_open
cp "$uml/init" "$job/init"
echo /dev/tty1 /dev/tty2 >"$job/terminals"

# Host folders and sockets are reached by links of short and harmless names.
n=0
for m in ${mounts+"${mounts[@]}"}; do
	job_mount "$m"
	ln -s "$mount_from" "$job/m$n"
	if [ $mount_mode = cow ]; then
		printf '%s\n' "/mnt/m$n/lower" "/mnt/m$n/upper" "/mnt/m$n/work" >>"$job/folders"
		cat >>"$job/fstab" <<-END
			m$n /mnt/m$n/lower hostfs ro,$job/m$n/. 0 0
			m$n $mount_at overlay lowerdir=/mnt/m$n/lower,upperdir=/mnt/m$n/upper,workdir=/mnt/m$n/work 0 0
		END
	else
		echo "m$n $mount_at hostfs $mount_mode,$job/m$n/. 0 0" >>"$job/fstab"
	fi
	n=$((n + 1))
done

n=0
for d in ${devices+"${devices[@]}"}; do
	job_socket "$d"
	case $socket_device in gpio) id=41 ;; i2c) id=34 ;; spi) id=45 ;; *) id=$socket_device ;; esac
	[[ $id =~ ^[0-9]+$ ]] || fail "-d $d: expected SOCKET:gpio, :i2c, :spi or a number"
	ln -s "$socket_path" "$job/s$n"
	args+=("virtio_uml.device=$job/s$n:$id")
	n=$((n + 1))
done

if [ -n "$dts" ]; then
	[ -r "$dts" ] || fail "-b $dts: cannot read it"
	[ -d "$sockets" ] || fail "-s $sockets: no such folder"
	ln -s "$(realpath "$sockets")" "$job/sockets"
	sed "s|@SOCKETS@|$job/sockets|" "$dts" |
		"$kernel_dir/dtc" -q -I dts -O dtb -o "$job/dtb" - || fail "-b $dts: not a devicetree"
	args+=("dtb=$job/dtb")
fi

job_command "$script" "$@"

# The guest switches what it is given to non-blocking and needs something that can
# be polled, so it never gets the caller's own files: there is a cat in between.
job_readers=()
exec {out}> >(exec cat) && job_readers+=($!)
exec {err}> >(exec cat >&2) && job_readers+=($!)
if [ -n "$verbose" ]; then
	exec {con}> >(exec tee "$job/log" >&2) && job_readers+=($!)
else
	exec {con}> >(exec cat >"$job/log") && job_readers+=($!)
fi
tty=null,fd:$out
if [ ! -e "$job/cmd" ]; then
	# Its own standard output is the console of the kernel.
	exec {screen}>&1
	tty=fd:0,fd:$screen
fi

unset TMPDIR TMP TEMP	# its memory is in the fastest place, not there
job_boot "$limit" "$kernel_dir/linux" "mem=$mem" root=/dev/root rootfstype=hostfs \
	"rootflags=$root_dir" ro init=/init "GUEST_JOB=$job" "uml_dir=$job" umid=uml \
	seccomp=auto panic=-1 noreboot quiet ignore_loglevel \
	"con0=null,fd:$con" "con1=$tty" "con2=null,fd:$err" con=null ${args+"${args[@]}"} \
	>&"$con" 2>&1
exec {out}>&- {err}>&- {con}>&-
job_end "$limit" "$log"
