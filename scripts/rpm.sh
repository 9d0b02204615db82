#!/bin/bash
# Make a package for distributions that use RPM.
#
#   rpm.sh BIN DOCS UNITS OUT
#
#   BIN    folder of the programs
#   DOCS   folder of the manual pages and completions
#   UNITS  folder of the units, rules, descriptors and the spec file
#   OUT    folder that gets vhost-device-VERSION-1.ARCHITECTURE.rpm
#
# With PACK=quick it is compressed faster and less well.
set -euo pipefail

mkdir -p "$4"
bin=$(realpath "$1") docs=$(realpath "$2") units=$(realpath "$3") out=$(realpath "$4")
cd "$(dirname "$0")/.."

target=${TARGET:-$(uname -m)}
version=$(sed -nE 's/^ *"version": *"([^"]*)".*/\1/p' deno.json)
SOURCE_DATE_EPOCH=$(scripts/source_date.sh)
export SOURCE_DATE_EPOCH
date=$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case ${PACK:-best} in
quick)	payload=w1.zstdio ;;
*)	payload=w15.zstdio ;;
esac
# What is built is to depend on the sources, not on when and where it is built.
rpmbuild -bb --quiet --target "${target%%-*}-linux" \
	--define "_topdir $work" --define "_rpmdir $work/out" \
	--define "_binary_payload $payload" \
	--define '_buildhost localhost' --define 'use_source_date_epoch_as_buildtime 1' \
	--define 'clamp_mtime_to_source_date_epoch 1' \
	--define "project $PWD" --define "project_version $version" \
	--define "project_date $date" \
	--define "programs $bin" --define "documents $docs" --define "units $units" \
	"$units/vhost-device.spec" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
rpm=$(find "$work/out" -name '*.rpm')
mv "$rpm" "$out/"
rpm=$out/${rpm##*/}
echo "$rpm  $(stat -c %s "$rpm") bytes"
