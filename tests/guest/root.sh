#!/bin/bash
# Make the root folder of the guests from Debian packages.
#
#   root.sh WORK OUT SUITE PACKAGE...
set -eu

work=$1 out=$2 suite=$3
shift 3

echo "guest: fetching the programs of the guest from Debian $suite (6 MB)"
"$(dirname "$0")/debs.sh" "$suite" "$work/debs" "$@"

cp -a "$work/debs/usr" "$out/"
lib=$out/usr/lib/x86_64-linux-gnu
rm -rf "$out"/usr/share/{doc,man,locale,lintian,bash-completion,bug} "$lib"/{gconv,audit} \
	"$lib"/libgpiodcxx.*

mkdir -p "$out"/{dev,proc,sys,tmp,run,mnt,job,root,etc} "$out/usr/lib64"
chmod 1777 "$out/tmp"
ln -s usr/bin usr/sbin usr/lib usr/lib64 "$out/"

# What Debian's packages have wins over busybox: it has an i2cdetect, too.  (Not
# busybox-static: its own programs would win in "timeout 5 i2cdetect".)
for applet in $("$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$out/usr/bin/busybox" --list); do
	[ -e "$out/usr/bin/$applet" ] || [ -e "$out/usr/sbin/$applet" ] ||
		ln -s busybox "$out/usr/bin/$applet"
done
# The output of commands is a terminal there, and on one it would make columns.
rm "$out/usr/bin/ls"
printf '%s\n' '#!/bin/sh' 'exec busybox ls -1 "$@"' >"$out/usr/bin/ls"
chmod 755 "$out/usr/bin/ls"

cat >"$out/etc/passwd" <<'PASSWD'
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/tmp:/bin/sh
PASSWD
cat >"$out/etc/group" <<'GROUP'
root:x:0:
nogroup:x:65534:
GROUP
echo 'hosts: files' >"$out/etc/nsswitch.conf"

# The kernel starts this; all else is in the job folder of the run (job.sh), which
# is the host's folder of that name, or else shared over 9p.
cat >"$out/init" <<'INIT'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin
case ${GUEST_JOB:-} in
/*)	mount -t hostfs -o "$GUEST_JOB" job /job ;;
*)	mount -t devtmpfs dev /dev
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=65536 job /job ;;
esac
exec sh /job/init
INIT
chmod 755 "$out/init"
