#!/bin/bash
# Give a kernel a devicetree, beside ACPI, of what hangs on the lines and buses.
#
#   board.sh DTS KERNEL FOLDER     FOLDER gets board.bin, and bzImage, which is KERNEL
#                                  with a header that says where that is; printed
#                                  are the options with which QEMU puts it there
#
# QEMU's own way, -dtb, puts it where the kernel is unpacked.  The header's field is
# setup_data: Documentation/arch/x86/boot.rst.
set -eu

. "$(dirname "$0")/paths.sh"

dts=$1 kernel=$2 folder=$3
at=0x8000000

# bytes COUNT NUMBER: in the order of the machine
bytes() {
	# shellcheck disable=SC2059  # the format is what is printed
	printf "$(printf '%0*x\n' $((2 * $1)) "$2" | fold -w 2 | tac | sed 's/^/\\x/' | tr -d '\n')"
}

"$kernel_dir/dtc" -q -I dts -O dtb -o "$folder/board.dtb" "$dts"
# struct setup_data: u64 next, u32 type (2 is a devicetree), u32 length, the data
{ bytes 8 0; bytes 4 2; bytes 4 "$(stat -c %s "$folder/board.dtb")"; cat "$folder/board.dtb"; } \
	>"$folder/board.bin"
[ "$kernel" -ef "$folder/bzImage" ] || cp "$kernel" "$folder/bzImage"
bytes 8 $at | dd of="$folder/bzImage" bs=1 seek=$((0x250)) conv=notrunc status=none
echo "-device loader,file=$folder/board.bin,addr=$at,force-raw=on"
