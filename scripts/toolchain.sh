#!/bin/sh
# Print the path of the deno that the project uses, as the last line.
#
#   toolchain.sh            the one named by DENO=; else one on the PATH that is new
#                           enough; else the newest that is tested
#   toolchain.sh tested     the newest that is tested, and no other
#   toolchain.sh VERSION    that version, and no other
#
# What is not on the PATH comes from the npm registry, and is kept in the user's
# cache.  Where the registry does not have the newest tested version for this
# machine, it is the newest of the others that have been tried.
set -eu

oldest=2.5
# The first is the newest that is tested; the others have passed the tests, too.
tested='2.9.6 2.9.5 2.7.7'

fail() {
	echo "toolchain: $*" >&2
	exit 1
}

# version_of DENO: "2.5.7" for "deno 2.5.7 (…)"
version_of() {
	"$1" --version 2>/dev/null | sed -n '1s/^deno \([0-9.]*\).*/\1/p'
}

new_enough() {
	[ -n "$1" ] && [ "$(printf '%s\n' "$oldest" "$1" | sort -V | head -n 1)" = "$oldest" ]
}

# cached VERSION: where the user's cache has that version, or is to have it
cached() {
	echo "${XDG_CACHE_HOME:-$HOME/.cache}/vhost-device/deno-$1/node_modules/@deno/$package/deno"
}

# fetch VERSION: have it in the cache
fetch() {
	deno=$(cached "$1")
	dir=${deno%/node_modules/*} part=${deno%/node_modules/*}.new.$$
	[ ! -x "$deno" ] || return 0
	if [ -e "$dir.absent" ]; then
		echo "toolchain: the registry had no deno $1 for $(uname -m); make clean-cache asks again" >&2
		return 1
	fi
	command -v npm >/dev/null ||
		fail "neither deno ${wanted:-$oldest (or newer)} nor npm is here: install one of them, or set DENO="
	mkdir -p "$part"
	trap 'rm -rf "$part"' EXIT
	echo "toolchain: installing deno $1 from the npm registry (40 MB)" >&2
	npm install --prefix "$part" --ignore-scripts --no-audit --no-fund \
		--no-package-lock --loglevel=error "deno@$1" >&2 || {
		rm -rf "$part"
		return 1
	}
	# The package for a machine is an optional one: npm does not mind if it is not there.
	if [ ! -f "$part/node_modules/@deno/$package/deno" ]; then
		echo "toolchain: the registry has no deno $1 for $(uname -m)" >&2
		rm -rf "$part"
		touch "$dir.absent"
		return 1
	fi
	chmod +x "$part/node_modules/@deno/$package/deno"
	# The final name comes last, so that no half of it is ever taken for the whole.
	rm -rf "$dir"
	mv "$part" "$dir"
}

wanted=${1:-}
versions=${1:-$tested}
[ "$wanted" != tested ] || versions=$tested

if [ -z "$wanted" ] && [ -n "${DENO:-}" ]; then
	deno=$(command -v "$DENO") || fail "DENO=$DENO: no such program"
	version=$(version_of "$deno")
	new_enough "$version" || fail "DENO=$DENO: this is ${version:-not a deno}, expected $oldest or newer"
	echo "$deno"
	exit
fi

deno=$(command -v deno || :)
version=$([ -z "$deno" ] || version_of "$deno")
if [ -z "$wanted" ] && new_enough "$version" || [ "$version" = "${versions%% *}" ]; then
	echo "$deno"
	exit
fi

case $(uname -sm) in
'Linux x86_64') package=linux-x64-glibc ;;
'Linux aarch64') package=linux-arm64-glibc ;;
*) fail "npm has no deno for this machine: install deno $oldest or newer, or set DENO=" ;;
esac
for version in $versions; do
	if fetch "$version"; then
		cached "$version"
		exit
	fi
done
fail "npm could not install deno $(echo "$versions" | sed 's/ /, /g; s/\(.*\),/\1 or/')" \
	"(see above); install one, or set DENO="
