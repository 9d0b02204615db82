#!/bin/bash
# Unpack Debian's kernel source, changed to what the guests need.
#
#   source.sh SUITE PACKAGE WORK     the source goes to WORK/PACKAGE
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
suite=$1 package=$2 work=$3
src=$work/$package

echo "guest: downloading $package (160 MB)"
if ! "$here/../debs.sh" "$suite" "$work/deb" "$package" >"$work/log" 2>&1; then
	cat "$work/log" >&2
	echo "guest: no $package from $suite: KERNEL_PACKAGE=linux-source-N takes another one" >&2
	exit 1
fi

echo "guest: unpacking the source (1 GB, deleted afterwards)"
# All files that configure the kernel are needed, of the code only what can be
# chosen on this architecture.
xz -T0 -dc "$work/deb/usr/src/$package.tar.xz" |
	tar -x --no-same-owner -C "$work" \
		--exclude='*/Documentation/*/*' --exclude='*/tools/testing/*' \
		--exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/net/*/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' --exclude='*/sound/*.[ch]' \
		--exclude='*/arch/*/boot/dts/*'
rm -rf "$work/deb" "$work/deb.apt"

# Both are meant for modules only; the guests are one file without any (their
# parameters go on the kernel command line: i2c_stub.chip_addr=0x50).
sed -i '/^config I2C_STUB$/,/^config /{/^\tdepends on m$/d}' "$src/drivers/i2c/Kconfig"
sed -i '/^config SPI_LOOPBACK_TEST$/,/^config /{/^\tdepends on m$/d}' "$src/drivers/spi/Kconfig"

patch -s -d "$src" -p1 <"$here/spi-virtio-remove.patch"
