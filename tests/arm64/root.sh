#!/bin/bash
# Fill a folder with an emulator of arm64, and with what runs under it.
#
#   root.sh WORK OUT WRAP DENO SUITE QEMU LIBRARY...
#
#   WRAP      source of the program that calls the emulator
#   DENO      version
#   SUITE     of Debian, from which QEMU is taken, a package for this machine, and
#             each LIBRARY, a package for arm64; nothing of them is installed
#
# OUT gets wrap, qemu-aarch64, deno, bin/ with what tests call by other names on this
# machine, and root/ with the libraries.
set -eu

work=$1 out=$2 wrap=$3 deno=$4 suite=$5 qemu=$6
shift 6
debs=$(dirname "$0")/../guest/debs.sh

echo "arm64: fetching QEMU, Deno $deno and libraries for arm64 (150 MB)"
"$debs" -c -a arm64 "$suite" "$out/root" "$@"
# As the package base-files has it.
ln -s usr/lib "$out/root/lib"
rm -rf "$out/root.apt"
"$debs" "$suite" "$work/qemu" "$qemu"
mv "$work/qemu/usr/bin/qemu-aarch64" "$out/"
(cd "$work" && npm pack --silent "@deno/linux-arm64-glibc@$deno" >/dev/null)
tar -xzOf "$work"/*.tgz package/deno >"$out/deno"
chmod 755 "$out/deno"
gcc -O2 -Wall -static -o "$out/wrap" "$wrap"
mkdir "$out/bin"
ln -s "$(command -v aarch64-linux-gnu-gcc)" "$out/bin/gcc"
ln -s ../deno "$out/bin/deno"
