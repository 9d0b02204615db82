#!/bin/bash
# Make a Debian package.
#
#   deb.sh BIN DOCS UNITS OUT
#
#   BIN    folder of the programs
#   DOCS   folder of the manual pages and completions
#   UNITS  folder of the units, rules and descriptors
#   OUT    folder that gets vhost-device_VERSION_ARCHITECTURE.deb
set -euo pipefail

mkdir -p "$4"
bin=$(realpath "$1") docs=$(realpath "$2") units=$(realpath "$3") out=$(realpath "$4")
cd "$(dirname "$0")/.."

case ${TARGET:-$(uname -m)} in
x86_64*) arch=amd64 ;;
aarch64*) arch=arm64 ;;
*) echo "deb: there is no Debian architecture for ${TARGET:-$(uname -m)}" >&2; exit 1 ;;
esac
version=$(sed -nE 's/^ *"version": *"([^"]*)".*/\1/p' deno.json)
date=$(scripts/source_date.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/data control=$work/control
doc=$root/usr/share/doc/vhost-device
mkdir -p "$control"

# Programs must not be stripped: deno appends what is to be run to its runtime.
DESTDIR=$root PREFIX=/usr UNITDIR=/lib/systemd/system ZSHDIR=/usr/share/zsh/vendor-completions \
	scripts/install.sh install "$bin" "$docs" "$units"
mkdir -p "$root/lib/udev"
# Where the units look for the configurations of their instances.
for unit in "$root"/lib/systemd/system/vhost-device-*@.service; do
	type=${unit##*/vhost-device-}
	mkdir -p "$root/etc/vhost-device/${type%@.service}"
done
mv "$root/usr/lib/udev/rules.d" "$root/lib/udev/"
rmdir "$root/usr/lib/udev"
rm "$doc"/LICENSE*
printf '%s\n' "vhost-device ($version) unstable; urgency=medium" '' '  * See CHANGELOG.md.' '' \
	" -- The vhost-device authors <vhost-device@example.org>  $(LC_ALL=C date -u -R -d "@$date")" \
	>"$doc/changelog"
gzip -9n "$root"/usr/share/man/man1/*.1 "$doc/changelog"
install -m 644 packaging/deb/copyright "$doc/copyright"
install -D -m 644 packaging/deb/lintian-overrides "$root/usr/share/lintian/overrides/vhost-device"

size=$(du -k --apparent-size -s "$root" | cut -f 1)
sed -e "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$size/" \
	"$units/control.in" >"$control/control"
install -m 755 packaging/deb/{postinst,prerm,postrm} "$control/"
(cd "$root" && find . -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$control/md5sums"

# A .deb is an archive of three members. dpkg-deb would make it, but with the users and
# the times of what is here.
scripts/pack.sh "$control" . >"$work/control.tar.xz"
scripts/pack.sh "$root" . >"$work/data.tar.xz"
echo 2.0 >"$work/debian-binary"
deb=$out/vhost-device_${version}_$arch.deb
{
	printf '!<arch>\n'
	for member in debian-binary control.tar.xz data.tar.xz; do
		bytes=$(stat -c %s "$work/$member")
		printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' "$member" "$date" 0 0 100644 "$bytes"
		cat "$work/$member"
		[ $((bytes % 2)) -eq 0 ] || printf '\n'
	done
} >"$deb.part"
mv "$deb.part" "$deb"
echo "$deb  $(stat -c %s "$deb") bytes"
