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

fail() {
	echo "run.sh: $*" >&2
	exit 2
}

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

# --- the job folder: all that this guest gets from the host ---------------------
# Its lock is held as long as anything of the guest lives: what a run that was
# killed has left behind is removed by a later one.
for old in $(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'uml-job.*' -user "$(id -u)" -mmin +10 2>/dev/null); do
	(flock -n 9 && rm -rf "$old") 9<"$old" 2>/dev/null
done
job=$(mktemp -d "${TMPDIR:-/tmp}/uml-job.XXXXXX") || exit
trap 'rm -rf "$job"' EXIT
exec {lock}<"$job"
flock -s "$lock"

cp "$guest_here/init" "$job/init"

# Host folders and sockets are reached by links of short and harmless names.
cat >"$job/fstab" <<-'END'
	proc	/proc			proc		defaults	0 0
	sysfs	/sys			sysfs		defaults	0 0
	debugfs	/sys/kernel/debug	debugfs		defaults	0 0
	configfs /sys/kernel/config	configfs	defaults	0 0
	devpts	/dev/pts		devpts		defaults	0 0
	shm	/dev/shm		tmpfs		mode=1777	0 0
END
: >"$job/folders"
n=0
for m in ${mounts+"${mounts[@]}"}; do
	mode=ro
	case $m in *:rw | *:ro | *:cow) mode=${m##*:} m=${m%:*} ;; esac
	from=$(realpath -e "${m%%:*}" 2>/dev/null) && [ -d "$from" ] ||
		fail "-M ${m%%:*}: no such folder"
	case $m in *:*) to=${m#*:} ;; *) to=$from ;; esac
	[[ $to == /?* ]] || fail "-M $m: the folder in the guest must be absolute and not /"
	ln -s "$from" "$job/m$n"
	echo "$to" >>"$job/folders"
	at=${to// /\\040}
	if [ $mode = cow ]; then
		printf '%s\n' "/mnt/m$n/lower" "/mnt/m$n/upper" "/mnt/m$n/work" >>"$job/folders"
		cat >>"$job/fstab" <<-END
			m$n /mnt/m$n/lower hostfs ro,$job/m$n/. 0 0
			m$n $at overlay lowerdir=/mnt/m$n/lower,upperdir=/mnt/m$n/upper,workdir=/mnt/m$n/work 0 0
		END
	else
		echo "m$n $at hostfs $mode,$job/m$n/. 0 0" >>"$job/fstab"
	fi
	n=$((n + 1))
done

n=0
for d in ${devices+"${devices[@]}"}; do
	id=${d##*:} socket=${d%:*}
	case $id in gpio) id=41 ;; i2c) id=34 ;; spi) id=45 ;; esac
	[[ $id =~ ^[0-9]+$ ]] || fail "-d $d: expected SOCKET:gpio, :i2c, :spi or a number"
	[ -S "$socket" ] || fail "-d $d: $socket is not a socket"
	ln -s "$(realpath "$socket")" "$job/s$n"
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

echo "$PWD" >"$job/cwd"
if [ -n "$script" ]; then
	if [ "$script" = - ]; then cat; else cat -- "$script" || fail "-f $script: cannot read it"; fi >"$job/script" || exit
	set -- bash /job/script "$@"
fi
if [ $# -gt 0 ]; then
	printf '%q ' exec "$@" >"$job/cmd"
	vars=(TERM=dumb NO_COLOR=1 ${vars+"${vars[@]}"})
else
	[ -t 0 ] || fail "no command (and no terminal for a shell)"
	vars=("TERM=${TERM:-linux}" ${vars+"${vars[@]}"})
fi
printf 'export %q\n' "${vars[@]}" >"$job/env"

# --- boot ------------------------------------------------------------------------
# The guest switches what it is given to non-blocking and needs something that can
# be polled, so it never gets the caller's own files: there is a cat in between.
exec {out}> >(exec cat) && out_pid=$!
exec {err}> >(exec cat >&2) && err_pid=$!
if [ -n "$verbose" ]; then
	exec {con}> >(exec tee "$job/log" >&2) && con_pid=$!
else
	exec {con}> >(exec cat >"$job/log") && con_pid=$!
fi
tty=null,fd:$out
[ -e "$job/cmd" ] || tty=fd:0,fd:1

args=("mem=$mem" root=/dev/root rootfstype=hostfs "rootflags=$root_dir" ro init=/init
	"GUEST_JOB=$job" "uml_dir=$job" umid=uml seccomp=auto panic=-1 noreboot quiet
	ignore_loglevel "con0=null,fd:$con" "con1=$tty" "con2=null,fd:$err" con=null
	${args+"${args[@]}"})

ulimit -c 0
# Nothing of the guest outlives this script, however it ends.  KILL: a guest that
# hangs in a driver ignores everything else.  --foreground: it may use our terminal.
env -u TMPDIR -u TMP -u TEMP \
	setpriv --pdeathsig KILL timeout --foreground -s KILL "$limit" \
	setpriv --pdeathsig KILL "$kernel_dir/linux" "${args[@]}" \
	<&0 >&"$con" 2>&1 &
guest=$!
stopped=''
trap 'stopped=1; exec 2>/dev/null; kill -KILL "$guest"' INT TERM HUP
exec {out}>&- {err}>&- {con}>&-
wait "$guest" 2>/dev/null
status=$?
wait "$out_pid" "$err_pid" "$con_pid" 2>/dev/null

[ -z "$log" ] || cp "$job/log" "$log"
[ -z "$stopped" ] || exit 143
[ ! -s "$job/rc" ] || exit "$(cat "$job/rc")"
if [ "$status" -eq 137 ] && [ "$SECONDS" -ge "${limit%%.*}" ]; then
	echo "run.sh: the guest was killed after $limit seconds" >&2
	status=124
else
	echo "run.sh: the guest died" >&2
	status=125
fi
[ -n "$verbose" ] || tail -n 15 "$job/log" >&2
exit "$status"
