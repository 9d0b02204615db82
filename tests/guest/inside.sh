#!/bin/sh
# What a guest does once its root is in place; run by its first process.
#
# The job folder of this run, made on the host by job.sh, is mounted on /job:
#
#   fstab      what to mount, folders of the host among it
#   folders    those to make first
#   terminals  the devices that are the caller's standard output and error
#   cwd        where to run the command, if there is such a folder in the guest
#   env        variables, as the shell reads them
#   cmd        the command; without it there is a shell on the terminal
#   rc         (written here) the command's exit status

mkdir -p /dev/pts /dev/shm
while read -r dir; do
	mkdir -p "$dir"
done </job/folders
mount -aT /job/fstab || { echo "cannot mount all of this:"; cat /job/fstab; poweroff -f; }
ln -s /proc/self/fd /dev/fd

read -r out err </job/terminals
read -r cwd </job/cwd
cd "$cwd" 2>/dev/null || cd /root || exit
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
. /job/env

if [ -e /job/cmd ]; then
	# Open all the time: some terminals forget their settings when they are closed.
	exec 3>"$out" 4>"$err"
	stty raw -echo <"$out"
	stty raw -echo <"$err"
	# In a session of its own: the command has no terminal that signals it.
	setsid bash /job/cmd </dev/null >&3 2>&4 3>&- 4>&-
	echo $? >/job/rc
	# Wait until all that was written has gone out.
	stty raw <"$out"
	stty raw <"$err"
else
	setsid -c bash -i <"$out" >"$out" 2>&1
	echo $? >/job/rc
fi
exec poweroff -f
