#!/bin/sh
# Make sure that programs and Debian packages are on this machine.
#
#   packages.sh WANTED...
#
#   WANTED   PACKAGE, or PROGRAM=PACKAGE where any program of that name will do
#
# Root gets what is missing installed; anybody else is told the command.
set -eu

missing=''
for wanted in "$@"; do
	package=${wanted#*=}
	case $wanted in
	*=*)	! command -v "${wanted%%=*}" >/dev/null || continue ;;
	*)	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ] ||
			continue ;;
	esac
	missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "missing packages; as root: apt-get update && $install" >&2
	exit 1
fi

echo "installing the missing packages:$missing"
export DEBIAN_FRONTEND=noninteractive
# A repository that cannot be reached now may not be the one that is needed.
apt-get -q update || :
if ! $install -q -o Acquire::Retries=3; then
	echo "packages not installed; try again: apt-get update && $install" >&2
	exit 1
fi
