#!/bin/sh
# Print the time of the sources in seconds since 1970: what is built bears that
# date, so that the same sources give the same bytes whenever they are built.
set -eu
cd "$(dirname "$0")/.."
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
	echo "$SOURCE_DATE_EPOCH"
else
	git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md
fi
