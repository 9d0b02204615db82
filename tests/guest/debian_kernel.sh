#!/bin/bash
# Fetch the distribution's own kernel, and pack what has to be in the initramfs of a
# guest for it: a first process, and the modules that this loads.
#
#   debian_kernel.sh WORK OUT SUITE ARCH PACKAGE INIT ROOT
#
#   PACKAGE   the one that depends on the kernel of the current version
#   INIT      a script, with a line modules="NAME..."; the initramfs has it as /load,
#             and those modules in /modules
#   ROOT      of the guests, whose cpio is taken
#
# OUT gets vmlinuz and modules.gz, an archive to be put behind another one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2 suite=$3 arch=$4 package=$5 init=$6 root=$7

echo "guest: fetching a kernel from Debian $suite (100 MB)"
"$here/debs.sh" -a "$arch" "$suite" "$work/meta" "$package"
depends() {
	APT_CONFIG=$work/meta.apt/apt.conf apt-cache depends "$1" |
		awk -v wanted="^linux-($2)-[0-9]" '$1 == "Depends:" && $2 ~ wanted { print $2 }'
}
image=$(depends "$package" image)
# Newer packages of kernels are split; that has the other parts only.
# shellcheck disable=SC2046  # words
"$here/debs.sh" -a "$arch" "$suite" "$work/debs" "$image" $(depends "$image" "binary|modules")

cp "$(find "$work/debs" -name 'vmlinuz*' -type f)" "$out/vmlinuz"

add=$work/add
mkdir -p "$add/modules"
cp "$init" "$add/load"
chmod 755 "$add/load"
# What is built in has no file.
sed -n 's/^modules="\(.*\)"$/\1/p' "$init" | tr ' ' '\n' | while read -r name; do
	file=$(find "$work/debs" -name "$name.ko.xz")
	[ -z "$file" ] || xz -dc "$file" >"$add/modules/$name.ko"
done

lib=$root/usr/lib/x86_64-linux-gnu
cd "$add"
find . | "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$root/usr/bin/busybox" \
	cpio -o -H newc -R 0:0 >"$work/cpio" 2>/dev/null
gzip -1 <"$work/cpio" >"$out/modules.gz"
