#!/bin/bash
# Pack the root folder of the guests as an initramfs.
#
#   initrd.sh WORK OUT ROOT     OUT gets initrd.gz
set -eu

work=$1 out=$2 root=$3
lib=$root/usr/lib/x86_64-linux-gnu

cd "$root"
find . | "$lib/ld-linux-x86-64.so.2" --library-path "$lib" usr/bin/busybox \
	cpio -o -H newc -R 0:0 >"$work/cpio" 2>/dev/null
gzip -1 <"$work/cpio" >"$out/initrd.gz"
