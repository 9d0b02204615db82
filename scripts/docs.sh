#!/bin/sh
# Make manual pages and completions (docs.sh FOLDER), or bring the tables of options
# in docs/ up to date (docs.sh --guides).
set -eu

case $1 in
-*) target=$1 ;;
*) mkdir -p "$1"; target=$(cd "$1" && pwd) ;;
esac
cd "$(dirname "$0")/.."
deno=$(scripts/toolchain.sh)
SOURCE_DATE_EPOCH=$(scripts/source_date.sh)
export SOURCE_DATE_EPOCH
# FFI: the modules with the tables of options open libc as they are loaded.
exec "$deno" run --quiet --frozen --allow-ffi --allow-read --allow-write \
	--allow-env=SOURCE_DATE_EPOCH tools/docs/main.ts "$target"
