#!/bin/sh
# Print the path of the deno that the project uses, as the last line.
#
# That is the one named by DENO=; else one on the PATH that is new enough, or with
# PINNED=1 exactly the pinned version; else the pinned version from the npm
# registry, which is installed into the user's cache at the first time.
set -eu

oldest=2.5
pinned=2.5.7

# version_of DENO: "2.5" for "deno 2.5.7 (…)"
version_of() {
	"$1" --version 2>/dev/null | sed -n '1s/^deno \([0-9]*\.[0-9]*\)\..*/\1/p'
}

new_enough() {
	[ -n "$1" ] && [ "$(printf '%s\n' "$oldest" "$1" | sort -V | head -n 1)" = "$oldest" ]
}

fail() {
	echo "toolchain: $*" >&2
	exit 1
}

if [ -n "${DENO:-}" ]; then
	deno=$(command -v "$DENO") || fail "DENO=$DENO: no such program"
	version=$(version_of "$deno")
	new_enough "$version" || fail "DENO=$DENO: this is ${version:-not a deno}, expected $oldest or newer"
	echo "$deno"
	exit
fi

deno=$(command -v deno || :)
if [ -n "$deno" ] && new_enough "$(version_of "$deno")"; then
	if [ -z "${PINNED:-}" ] || "$deno" --version | grep -q "^deno $pinned "; then
		echo "$deno"
		exit
	fi
fi

case $(uname -sm) in
'Linux x86_64') package=linux-x64-glibc ;;
'Linux aarch64') package=linux-arm64-glibc ;;
*) fail "no pinned deno for this machine: install deno $oldest or newer, or set DENO=" ;;
esac
dir=${XDG_CACHE_HOME:-$HOME/.cache}/vhost-device/deno-$pinned
deno=$dir/node_modules/@deno/$package/deno

if [ ! -x "$deno" ]; then
	command -v npm >/dev/null ||
		fail "neither deno $oldest (or newer) nor npm is here: install one of them, or set DENO="
	mkdir -p "$dir.new.$$"
	trap 'rm -rf "$dir.new.$$"' EXIT
	echo "toolchain: installing deno $pinned from the npm registry (40 MB)" >&2
	npm install --prefix "$dir.new.$$" --ignore-scripts --no-audit --no-fund \
		--no-package-lock --loglevel=error "deno@$pinned" >&2 ||
		fail "npm could not install deno@$pinned (see above)"
	[ -x "$dir.new.$$/node_modules/@deno/$package/deno" ] ||
		chmod +x "$dir.new.$$/node_modules/@deno/$package/deno"
	# The final name comes last, so that no half of it is ever taken for the whole.
	rm -rf "$dir"
	mv "$dir.new.$$" "$dir"
fi
echo "$deno"
