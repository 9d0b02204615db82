#!/bin/bash
# Make the root folder of the guest from Debian packages.
#
#   root.sh WORK OUT     OUT is filled, WORK is for what is only needed on the way
#
# Called by build.sh, which also says which packages.
set -eu

work=$1 out=$2

echo "guest: fetching the programs of the guest from Debian $root_suite (6 MB)"
# shellcheck disable=SC2086  # a list of words
"$(dirname "$0")/../debs.sh" "$root_suite" "$work/debs" $root_packages

cp -a "$work/debs/usr" "$out/"
rm -rf "$out"/usr/share/{doc,man,locale,lintian,bash-completion,bug}
mkdir -p "$out"/{dev,proc,sys,mnt,job} "$out/usr/lib64"
ln -s usr/bin usr/lib usr/lib64 "$out/"

# What the guest's root begins with: init copies it to memory.
start=$out/start
mkdir -p "$start"/{dev,proc,sys,usr,tmp,run,mnt,job,root,etc}
chmod 1777 "$start/tmp"
ln -s usr/bin usr/sbin usr/lib usr/lib64 "$start/"

# What Debian's packages have wins over busybox: it has an i2cdetect, too.  (Not
# busybox-static: its own programs would win in "timeout 5 i2cdetect".)
lib=$out/usr/lib/x86_64-linux-gnu
for applet in $("$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$out/usr/bin/busybox" --list); do
	[ -e "$out/usr/bin/$applet" ] || [ -e "$out/usr/sbin/$applet" ] ||
		ln -s busybox "$out/usr/bin/$applet"
done
# The output of commands is a terminal there, and on one it would make columns.
rm "$out/usr/bin/ls"
printf '%s\n' '#!/bin/sh' 'exec busybox ls -1 "$@"' >"$out/usr/bin/ls"
chmod 755 "$out/usr/bin/ls"

cat >"$start/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/tmp:/bin/sh
END
cat >"$start/etc/group" <<'END'
root:x:0:
nogroup:x:65534:
END
echo '127.0.0.1 localhost' >"$start/etc/hosts"
echo 'hosts: files' >"$start/etc/nsswitch.conf"

# The kernel starts this; all else is in the job folder of the run (run.sh).
cat >"$out/init" <<'END'
#!/bin/sh
mount -t hostfs -o "$GUEST_JOB" job /job && exec sh /job/init
END
chmod 755 "$out/init"
