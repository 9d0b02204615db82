#!/bin/bash
# Fetch the hypervisor, and compile the program that makes domains for it.
#
#   hypervisor.sh WORK OUT SUITE PACKAGE...     OUT gets xen and domain
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2 suite=$3
shift 3

echo "guest: fetching Xen from Debian $suite (6 MB)"
"$here/../debs.sh" "$suite" "$work/debs" "$@"

# QEMU's multiboot loader takes no compressed kernel.
zcat "$work"/debs/boot/xen-*-amd64.gz >"$out/xen"
# What a domain is told to Xen with is of this version alone, and so are the headers.
gcc -O1 -Wall -Werror -static -I"$work/debs/usr/include" -o "$out/domain" "$here/domain.c"
