#!/bin/bash
# Make the root folder of an arm64 machine from Debian packages.
#
#   root.sh WORK OUT SUITE ROOT PACKAGE...
#
#   ROOT      of the guests, whose cpio is taken
#
# OUT gets root/, and initrd, an archive with a shell that needs nothing of it.
set -eu

work=$1 out=$2 suite=$3 guest_root=$4
shift 4
root=$out/root

echo "arm64: fetching the programs of the machine from Debian $suite (100 MB)"
"$(dirname "$0")/../../guest/debs.sh" -c -a arm64 "$suite" "$root" "$@"
rm -rf "$root.apt" "$root"/usr/share/{doc,man,locale,lintian,bash-completion,bug}
mkdir "$work/initrd"
mv "$root/usr/bin/busybox" "$work/initrd/"
lib=$guest_root/usr/lib/x86_64-linux-gnu
(cd "$work/initrd" && find . | "$lib/ld-linux-x86-64.so.2" --library-path "$lib" \
	"$guest_root/usr/bin/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$out/initrd"

mkdir -p "$root/job"
# What the packages' scripts would make.
ln -s gawk "$root/usr/bin/awk"
printf '%s\n' '#!/bin/sh' 'echo o >/proc/sysrq-trigger' 'while :; do :; done' >"$root/usr/sbin/poweroff"
chmod 755 "$root/usr/sbin/poweroff"
cat >"$root/etc/passwd" <<'PASSWD'
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/tmp:/bin/sh
PASSWD
cat >"$root/etc/group" <<'GROUP'
root:x:0:
nogroup:x:65534:
GROUP
printf '127.0.0.1\tlocalhost\n' >"$root/etc/hosts"
echo 'hosts: files' >"$root/etc/nsswitch.conf"
