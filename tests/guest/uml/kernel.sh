#!/bin/bash
# Compile the kernel of the guest from Debian's source package.
#
#   kernel.sh WORK OUT     OUT gets "linux" and "dtc"; WORK is for all the rest
#
# Called by build.sh, which also says which package.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2
src=$work/$kernel_package

say() {
	printf 'guest: [%2d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"
}

say "downloading $kernel_package (160 MB)"
if ! "$here/../debs.sh" "$kernel_suite" "$work/deb" "$kernel_package" >"$work/log" 2>&1; then
	cat "$work/log" >&2
	echo "guest: no $kernel_package from $kernel_suite: KERNEL_PACKAGE=linux-source-N takes another one" >&2
	exit 1
fi

say "unpacking the source (1 GB, deleted afterwards)"
# All files that configure the kernel are needed, of the code only what can be
# chosen on this architecture.
xz -T0 -dc "$work/deb/usr/src/$kernel_package.tar.xz" |
	tar -x --no-same-owner -C "$work" \
		--exclude='*/Documentation/*/*' --exclude='*/tools/testing/*' \
		--exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/net/*/*.[ch]' \
		--exclude='*/drivers/media/*.[ch]' --exclude='*/sound/*.[ch]' \
		--exclude='*/arch/*/boot/dts/*'
rm -rf "$work/deb" "$work/deb.apt"

# Both are meant for modules only; the guest is one file without any (their
# parameters go on the kernel command line: i2c_stub.chip_addr=0x50).
sed -i '/^config I2C_STUB$/,/^config /{/^\tdepends on m$/d}' "$src/drivers/i2c/Kconfig"
sed -i '/^config SPI_LOOPBACK_TEST$/,/^config /{/^\tdepends on m$/d}' "$src/drivers/spi/Kconfig"

patch -s -d "$src" -p1 <"$here/spi-virtio-remove.patch"

cp "$here/uml_sim.c" "$src/drivers/misc/"
echo 'obj-y += uml_sim.o' >>"$src/drivers/misc/Makefile"

# kernel_make TARGET...: quiet, unless it fails.
kernel_make() {
	make -C "$src" ARCH=um O="$work/build" "$@"
}

say "configuring"
kernel_make -s KCONFIG_ALLCONFIG="$here/kernel.config" allnoconfig >"$work/log" 2>&1 ||
	{ cat "$work/log" >&2; exit 1; }
# An option that depends on something that is off is dropped without a word.
missing=$(grep '^CONFIG_' "$here/kernel.config" | grep -vxFf "$work/build/.config" || :)
if [ -n "$missing" ]; then
	echo "guest: $kernel_package does not honour in kernel.config: $missing" >&2
	exit 1
fi

say "compiling about 800 files (3 minutes on 2 cores)"
kernel_make -j"$(nproc)" linux 2>&1 | tee "$work/log" |
	awk '/^ +CC / && ++n % 200 == 0 { print "guest:        " n " done"; fflush() }' ||
	{ grep -B 5 -A 20 -m 1 'error\|Error' "$work/log" >&2; exit 1; }

strip -o "$out/linux" "$work/build/linux"
cp "$work/build/scripts/dtc/dtc" "$out/"
say "done"
