#!/bin/bash
# Fetch a QEMU from Debian, with all that it needs, to be run from its folder.
#
#   qemu.sh WORK OUT VERSION SUITES PACKAGE
set -eu

work=$1 out=$2 version=$3 suites=$4 package=$5

echo "guest: fetching QEMU $version from Debian $suites (90 MB)"
"$(dirname "$0")/../debs.sh" -c "$suites" "$work/qemu" "$package"
cp -a "$work/qemu/." "$out/"
rm -rf "$out"/usr/share/{doc,man,locale,lintian,perl}
