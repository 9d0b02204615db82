#!/bin/bash
# Make the kernel of the guest from Debian's source.
#
#   kernel.sh WORK OUT SUITE PACKAGE     OUT gets the programs linux and dtc
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2 suite=$3 package=$4

"$here/../kernel/source.sh" "$suite" "$package" "$work"

misc=$work/$package/drivers/misc
cp "$here/uml_sim.c" "$misc/"
echo 'obj-y += uml_sim.o' >>"$misc/Makefile"

"$here/../kernel/compile.sh" "$work/$package" "$work/build" um "$here/kernel.config" linux

strip -o "$out/linux" "$work/build/linux"
cp "$work/build/scripts/dtc/dtc" "$out/"
