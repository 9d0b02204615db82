#!/bin/bash
# Make the root folder of the guest from Debian packages.
#
#   root.sh WORK OUT     OUT is filled, WORK is for what is only needed on the way
#
# Called by build.sh, which also says which packages.
set -eu

work=$1 out=$2

echo "guest: fetching the programs of the guest from Debian $root_suite (7 MB)"
# shellcheck disable=SC2086  # a list of words
"$(dirname "$0")/../debs.sh" "$root_suite" "$work/debs" $root_packages

cp -a "$work/debs/usr" "$out/"
rm -rf "$out"/usr/share/{doc,man,locale,lintian,bash-completion,bug}
mkdir -p "$out"/{dev,proc,sys,tmp,run,mnt,job,root,etc} "$out/usr/lib64"
for dir in bin sbin lib lib64; do
	ln -s "usr/$dir" "$out/$dir"
done

# What Debian's packages have wins over busybox: it has an i2cdetect, too.
for applet in $("$out/usr/bin/busybox" --list); do
	[ -e "$out/usr/bin/$applet" ] || [ -e "$out/usr/sbin/$applet" ] ||
		ln -s busybox "$out/usr/bin/$applet"
done

cat >"$out/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/tmp:/bin/sh
END
cat >"$out/etc/group" <<'END'
root:x:0:
nogroup:x:65534:
END
echo '127.0.0.1 localhost' >"$out/etc/hosts"
echo 'hosts: files' >"$out/etc/nsswitch.conf"

# The kernel starts this; all else is in the job folder of the run (run.sh).
cat >"$out/init" <<'END'
#!/bin/sh
mount -t hostfs -o "$GUEST_JOB" job /job && exec sh /job/init
END
chmod 755 "$out/init"
