#!/bin/bash
# Make the kernel of the guest from Debian's source.
#
#   kernel.sh WORK OUT SUITE PACKAGE     OUT gets bzImage and dtc
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2 suite=$3 package=$4

"$here/../kernel/source.sh" "$suite" "$package" "$work"
# A devicetree from the boot loader is for one 32-bit platform only, though nothing in it is.
sed -i '/^config X86$/a\	select OF_EARLY_FLATTREE if OF' "$work/$package/arch/x86/Kconfig"

"$here/../kernel/compile.sh" "$work/$package" "$work/build" x86_64 "$here/kernel.config" bzImage
cp "$work/build/arch/x86/boot/bzImage" "$work/build/scripts/dtc/dtc" "$out/"
