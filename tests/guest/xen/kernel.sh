#!/bin/bash
# Fetch the distribution's kernel for domain 0, and pack what it takes beside the
# root of the guests: modules, and what loads them.
#
#   kernel.sh WORK OUT SUITE ROOT     OUT gets vmlinuz and modules.gz
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$1 out=$2 suite=$3 root=$4

echo "guest: fetching a kernel from Debian $suite (100 MB)"
# The package that is always there depends on the one of the current version.
"$here/../debs.sh" "$suite" "$work/meta" linux-image-amd64
depends() {
	APT_CONFIG=$work/meta.apt/apt.conf apt-cache depends "$1" |
		awk -v wanted="^linux-($2)-[0-9]" '$1 == "Depends:" && $2 ~ wanted { print $2 }'
}
package=$(depends linux-image-amd64 image)
# Newer packages of kernels are split; that has the other parts only.
# shellcheck disable=SC2046  # words
"$here/../debs.sh" "$suite" "$work/debs" "$package" $(depends "$package" "binary|modules")

cp "$(find "$work/debs" -name 'vmlinuz*' -type f)" "$out/vmlinuz"

add=$work/add
mkdir -p "$add/modules"
cp "$here/init" "$add/xen-init"
chmod 755 "$add/xen-init"
# What is built in has no file.
sed -n 's/^modules="\(.*\)"$/\1/p' "$here/init" | tr ' ' '\n' | while read -r name; do
	file=$(find "$work/debs" -name "$name.ko.xz")
	[ -z "$file" ] || xz -dc "$file" >"$add/modules/$name.ko"
done

lib=$root/usr/lib/x86_64-linux-gnu
cd "$add"
find . | "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$root/usr/bin/busybox" \
	cpio -o -H newc -R 0:0 >"$work/cpio" 2>/dev/null
gzip -1 <"$work/cpio" >"$out/modules.gz"
