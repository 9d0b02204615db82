# One run of a guest: the folder in which the host hands it its job, the boot and
# what became of it.  For the run.sh of the guests to source; they take turns:
#
#   job_open, job_mount..., job_command, job_pipes (with QEMU), job_boot, job_end

fail() {
	echo "run.sh: $*" >&2
	exit 2
}

# job_open: make the folder $job
job_open() {
	local old
	# Its lock is held as long as anything of the guest lives: what a run that was
	# killed has left behind is removed by a later one.
	for old in $(find /tmp -maxdepth 1 -name 'vhost-guest.*' -user "$(id -u)" -mmin +10 2>/dev/null); do
		(flock -n 9 && rm -rf "$old") 9<"$old" 2>/dev/null
	done
	job=$(mktemp -d /tmp/vhost-guest.XXXXXX) || exit
	trap 'rm -rf "$job"' EXIT
	exec {job_lock}<"$job"
	flock -s "$job_lock"

	cp "$guest_scripts/inside.sh" "$job/inside"
	cat >"$job/fstab" <<-'END'
		proc	/proc			proc		defaults	0 0
		sysfs	/sys			sysfs		defaults	0 0
		debugfs	/sys/kernel/debug	debugfs		defaults	0 0
		configfs /sys/kernel/config	configfs	defaults	0 0
		devpts	/dev/pts		devpts		defaults	0 0
		shm	/dev/shm		tmpfs		mode=1777	0 0
	END
	: >"$job/folders"
}

# job_mount SPEC: take HOSTDIR[:GUESTDIR][:MODE] apart, into $mount_from,
# $mount_to, $mount_at (the latter as fstab spells it) and $mount_mode
job_mount() {
	local spec=$1
	mount_mode=ro
	case $spec in *:rw | *:ro | *:cow) mount_mode=${spec##*:} spec=${spec%:*} ;; esac
	mount_from=$(realpath -e "${spec%%:*}" 2>/dev/null) && [ -d "$mount_from" ] ||
		fail "-M ${spec%%:*}: no such folder"
	case $spec in *:*) mount_to=${spec#*:} ;; *) mount_to=$mount_from ;; esac
	[[ $mount_to == /?* ]] || fail "-M $1: the folder in the guest must be absolute and not /"
	mount_at=${mount_to// /\\040}
	echo "$mount_to" >>"$job/folders"
}

# job_mounts_9p SPEC...: what job_mount takes, by 9p for a kernel that has overlays, too;
# the arguments for QEMU are added to $args
job_mounts_9p() {
	local spec n=0 readonly cache options=trans=virtio,version=9p2000.L,msize=262144
	for spec; do
		job_mount "$spec"
		ln -s "$mount_from" "$job/m$n"
		readonly=on
		[ $mount_mode != rw ] || readonly=off
		args+=(-fsdev "local,id=m$n,path=$job/m$n/.,security_model=none,readonly=$readonly,multidevs=remap"
			-device "virtio-9p-pci,fsdev=m$n,mount_tag=m$n")
		if [ $mount_mode = cow ]; then
			printf '%s\n' "/mnt/m$n/lower" "/mnt/m$n/upper" "/mnt/m$n/work" >>"$job/folders"
			cat >>"$job/fstab" <<-END
				m$n /mnt/m$n/lower 9p ro,cache=loose,$options 0 0
				m$n $mount_at overlay lowerdir=/mnt/m$n/lower,upperdir=/mnt/m$n/upper,workdir=/mnt/m$n/work 0 0
			END
		else
			cache=''
			[ $mount_mode = rw ] || cache=,cache=loose
			echo "m$n $mount_at 9p $mount_mode$cache,$options 0 0" >>"$job/fstab"
		fi
		n=$((n + 1))
	done
}

# job_socket SPEC: take SOCKET:DEVICE apart, into $socket_path and $socket_device
job_socket() {
	socket_path=${1%:*} socket_device=${1##*:}
	[ -S "$socket_path" ] || fail "-d $1: $socket_path is not a socket"
	socket_path=$(realpath "$socket_path")
}

# job_command SCRIPT [ARGUMENT...]: what to run there; SCRIPT (-: standard input)
# is run with the arguments; without it, they are the command; without any, there
# will be a shell
job_command() {
	local script=$1
	shift
	echo "$PWD" >"$job/cwd"
	if [ "$script" = - ]; then
		cat >"$job/script" || exit
	elif [ -n "$script" ]; then
		cat -- "$script" >"$job/script" || fail "-f $script: cannot read it"
	fi
	[ -z "$script" ] || set -- bash /job/script "$@"
	if [ $# -gt 0 ]; then
		printf '%q ' exec "$@" >"$job/cmd"
		vars=(TERM=dumb NO_COLOR=1 ${vars+"${vars[@]}"})
	else
		[ -t 0 ] || fail "no command (and no terminal for a shell)"
		vars=("TERM=${TERM:-linux}" ${vars+"${vars[@]}"})
	fi
	printf 'export %q\n' "${vars[@]}" >"$job/env"
}

# job_pipes: what QEMU writes to by name, the console, standard error and, for a
# command, standard output; $out is the chardev of the latter
job_pipes() {
	mkfifo "$job/out" "$job/err" "$job/con"
	job_readers=()
	cat "$job/err" >&2 & job_readers+=($!)
	if [ -n "$verbose" ]; then
		tee "$job/log" <"$job/con" >&2 & job_readers+=($!)
	else
		cat "$job/con" >"$job/log" & job_readers+=($!)
	fi
	if [ -e "$job/cmd" ]; then
		cat "$job/out" & job_readers+=($!)
		out=file,path=$job/out
	else
		out=stdio,signal=off
	fi
}

# job_boot SECONDS COMMAND...: run the guest
#
# Nothing of it outlives this script, however it ends.  KILL: a guest that hangs in
# a driver ignores everything else.  --foreground: it may use our terminal.
job_boot() {
	local limit=$1
	shift
	ulimit -c 0
	job_stopped=''
	setpriv --pdeathsig KILL timeout --foreground -s KILL "$limit" \
		setpriv --pdeathsig KILL "$@" <&0 &
	job_guest=$!
	trap 'job_stopped=1; exec 2>/dev/null; kill -KILL "$job_guest"' INT TERM HUP
}

# job_end SECONDS [LOG]: wait for the guest, and exit as its command did; the
# kernel's log is in $job/log, and goes to LOG
job_end() {
	local limit=$1 log=${2:-} status
	wait "$job_guest" 2>/dev/null
	status=$?
	wait "${job_readers[@]}" 2>/dev/null

	[ -z "$log" ] || cp "$job/log" "$log"
	[ -z "$job_stopped" ] || exit 143
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
}
