#!/bin/bash
# Make the kernel of the guest from Debian's source.
#
#   kernel.sh WORK OUT SUITE PACKAGE     OUT gets bzImage
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2 suite=$3 package=$4

"$here/../kernel/source.sh" "$suite" "$package" "$work"
"$here/../kernel/compile.sh" "$work/$package" "$work/build" x86_64 "$here/kernel.config" bzImage
cp "$work/build/arch/x86/boot/bzImage" "$out/"
