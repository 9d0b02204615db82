/**
 * What a CI job that starts QEMU by itself finds on its machine.
 *
 * @module
 */

const guest = new URL("../guest/", import.meta.url).pathname;

/**
 * A bash script: makes the folder `bin` with what a job finds installed (the daemons of the variables
 * `GPIO` and `I2C`, QEMU 10 or that of `QEMU`, cpio), and the folder `image` with the image that its
 * user has built.
 *
 * A devicetree `board.dts` becomes that of the machine.
 */
export const PREPARE = `
  . ${guest}qemu/paths.sh
  mkdir -p bin image
  cp "$kernel_dir/bzImage" "$initrd_dir/initrd.gz" image/
  printf '#!/bin/sh\nexec %s "$@"\n' "$GPIO" >bin/vhost-device-gpio
  printf '#!/bin/sh\nexec %s "$@"\n' "$I2C" >bin/vhost-device-i2c
  qemu=$(qemu_dir "\${QEMU:-10}")
  lib=$qemu/usr/lib/x86_64-linux-gnu
  ld=$qemu/usr/lib64/ld-linux-x86-64.so.2
  [ -e "$ld" ] || ld=$qemu/lib64/ld-linux-x86-64.so.2
  loader=
  [ ! -e board.dts ] ||
    loader=$(${guest}qemu/board.sh board.dts image/bzImage "$PWD/image")
  cat >bin/qemu-system-x86_64 <<END
#!/bin/sh
export QEMU_MODULE_DIR=$lib/qemu
exec $ld --library-path "$lib:$qemu/lib/x86_64-linux-gnu" $qemu/usr/bin/qemu-system-x86_64 \\
  -L $qemu/usr/share/seabios -L $qemu/usr/share/qemu $loader "\\$@"
END
  lib=$root_dir/usr/lib/x86_64-linux-gnu
  cat >bin/cpio <<END
#!/bin/sh
exec $lib/ld-linux-x86-64.so.2 --library-path $lib $root_dir/usr/bin/busybox cpio "\\$@"
END
  chmod 755 bin/*`;
