#!/bin/bash
# Compile programs into one folder.
#
#   compile.sh FOLDER [PROGRAM...]
#
#   PROGRAM   one of those in cmd/, or vhost-device, which is all of them in one
#             file; everything by default
#
#   TARGET=TRIPLE   for another machine than this one
#   DENORT_BIN=PATH the base binary of deno compile, instead of what would be fetched
#   DENO=PATH       another deno than the newest that is tested
#
# Each program is made one module first.  That leaves out what npm packages carry
# beside their code, which makes for a smaller binary that starts faster, and it
# leaves out where on this machine they are kept: the same sources and the same
# deno give the same bytes, wherever that is done.
set -euo pipefail

mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
export NO_COLOR=1 DENO_NO_UPDATE_CHECK=1
export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-mozilla,system}

target=${TARGET:-$(uname -m)-unknown-linux-gnu}
compiler=$(scripts/compiler.sh "$target")
{ read -r deno && read -r base; } <<<"$compiler"$'\n'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# of_programs WHAT...: what tools/compile knows of the programs
of_programs() {
	"$deno" run --quiet --frozen --allow-ffi --allow-read tools/compile/main.ts "$@"
}

# check_variables MODULE FLAGS...: a variable that is not granted would be an error at run time
check_variables() {
	local module=$1 granted name
	shift
	granted=,$(printf '%s\n' "$@" | sed -n 's/^--allow-env=//p'),
	grep -oE '(process\.env\.|Deno\.env\.get\(")[A-Z_]+' "$module" | grep -oE '[A-Z_]+$' | sort -u |
		while read -r name; do
			[[ $granted == *,$name,* ]] || {
				echo "compile: $module reads the variable $name; add it to the program's permissions" >&2
				exit 1
			}
		done
}

compile() {
	local program=$1 entry=cmd/$1.ts permissions
	if [ "$program" = vhost-device ]; then
		entry=$work/vhost-device.ts
		of_programs entry >"$entry"
		mapfile -t permissions < <(of_programs flags "${all[@]}")
	else
		[ -f "$entry" ] || { echo "compile: there is no $entry" >&2; exit 1; }
		mapfile -t permissions < <(of_programs flags "$program")
	fi
	"$deno" bundle --quiet --platform deno --no-check --frozen --config deno.json \
		--output "$work/$program.bundled.js" "$entry" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; exit 1; }
	# Modules are named by their path from here: to the user's cache, for packages.
	sed -E "s#[^ \"]*/npm/[^/ \"]+/#npm:#g; s#[^ \"]*/${work##*/}/##g" \
		"$work/$program.bundled.js" >"$work/$program.js"
	check_variables "$work/$program.js" "${permissions[@]}"
	# The file's time becomes a part of the program.
	touch -d @0 "$work/$program.js"
	(
		cd "$work"
		# --no-code-cache: otherwise the program writes to the temporary folder.
		${base:+env "DENORT_BIN=$base"} "$deno" compile --quiet --no-config --no-lock --no-check \
			--no-code-cache --no-prompt "${permissions[@]}" --target "$target" \
			--output "$work/$program" "$program.js"
	) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
	chmod 755 "$work/$program"
	mv "$work/$program" "$out/$program"
	echo "$out/$program  $(stat -c %s "$out/$program") bytes"
}

all=()
for entry in cmd/vhost-device-*.ts; do all+=("$(basename "$entry" .ts)"); done
[ $# -gt 0 ] || set -- vhost-device "${all[@]}"
for program in "$@"; do compile "$program"; done
