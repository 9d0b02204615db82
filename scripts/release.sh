#!/bin/bash
# Make a tarball, its SBOM, and the checksums of both.
#
#   release.sh BIN DOCS UNITS OUT
#
# The tarball has the layout of /usr/local, for which the units in it are made:
#   tar -xJf TARBALL --strip-components=1 -C /usr/local
set -euo pipefail

mkdir -p "$4"
bin=$(realpath "$1") docs=$(realpath "$2") units=$(realpath "$3") out=$(realpath "$4")
cd "$(dirname "$0")/.."
export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-mozilla,system} NO_COLOR=1

target=${TARGET:-$(uname -m)-unknown-linux-gnu}
version=$(sed -nE 's/^ *"version": *"([^"]*)".*/\1/p' deno.json)
name=vhost-device-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Everything below its prefix is what the tarball has.
DESTDIR=$work PREFIX=/$name scripts/install.sh install "$bin" "$docs" "$units"
sed -i "s|/$name/bin|/usr/local/bin|" "$work/$name"/lib/systemd/system/* \
	"$work/$name"/share/qemu/vhost-user/*

# Which deno has made the executable is told by what it would tell servers.
version_of() { grep -aoE 'Deno/[0-9]+\.[0-9]+\.[0-9]+' "$1" | sort -V | tail -n 1 | cut -d / -f 2; }
deno=$(scripts/toolchain.sh "$(version_of "$bin/vhost-device")")
TESTED_DENO=$(version_of "$(scripts/toolchain.sh tested)")
DENO_DESCRIPTION=$("$deno" --version)
NPM_CACHE=$("$deno" info --json | sed -nE 's/^ *"npmCache": "(.*)",?$/\1/p')
SOURCE_DATE_EPOCH=$(scripts/source_date.sh)
base=$(scripts/compiler.sh "$target" 2>/dev/null | sed -n 2p)
BASE_SHA256=${base:+$(sha256sum "$base" | cut -d ' ' -f 1)}
export TESTED_DENO DENO_DESCRIPTION NPM_CACHE SOURCE_DATE_EPOCH BASE_SHA256
"$deno" run --quiet --allow-read \
	--allow-env=TESTED_DENO,DENO_DESCRIPTION,NPM_CACHE,SOURCE_DATE_EPOCH,BASE_SHA256 \
	tools/sbom/main.ts "$target" "$bin/vhost-device" >"$work/$name.spdx.json"
cp "$work/$name.spdx.json" "$work/$name/share/doc/vhost-device/"

scripts/pack.sh "$work" "$name" >"$work/$name.tar.xz"
mv "$work/$name.tar.xz" "$work/$name.spdx.json" "$out/"
cd "$out"
# Releases for other targets may be here, too.
sha256sum vhost-device-"$version"-*.tar.xz vhost-device-"$version"-*.spdx.json >SHA256SUMS
echo "$out/$name.tar.xz  $(stat -c %s "$name.tar.xz") bytes"
