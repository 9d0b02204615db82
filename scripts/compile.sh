#!/bin/bash
# Compile the programs of cmd/ into one folder.
#
#   compile.sh FOLDER [PROGRAM...]
#
#   TARGET=TRIPLE   for another machine than this one
#   DENORT_BIN=PATH the base binary of deno compile, instead of what would be fetched
#   DENO=PATH       another deno than the pinned one
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

host=$(uname -m)-unknown-linux-gnu
target=${TARGET:-$host}
deno=$(PINNED=1 scripts/toolchain.sh)
base=$(scripts/denort.sh "$deno" "$target")

# What a program may do, as far as deno is to know.  FFI cannot be narrowed: the
# libraries are found by name.  Sockets, configuration files and backing files may
# be anywhere.  No network, no subprocess, nothing of the system beyond the user's
# number, which error messages name, and nothing of the environment beyond these:
variables=(
	LISTEN_FDS LISTEN_PID JOURNAL_STREAM # systemd
	LOG_STREAM LOG_TOKENS                # the package yaml looks for them
)
permissions=(
	--allow-ffi --allow-read --allow-write --allow-sys=uid
	"--allow-env=$(IFS=, && echo "${variables[*]}")"
)

# check_variables MODULE: a variable beyond these would be an error at run time
check_variables() {
	local name
	grep -oE '(process\.env\.|Deno\.env\.get\(")[A-Z_]+' "$1" | grep -oE '[A-Z_]+$' | sort -u |
		while read -r name; do
			[[ " ${variables[*]} " == *" $name "* ]] || {
				echo "compile: $1 reads the variable $name; add it to scripts/compile.sh" >&2
				exit 1
			}
		done
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {
	local program=$1 entry=cmd/$1.ts
	[ -f "$entry" ] || { echo "compile: there is no $entry" >&2; exit 1; }
	"$deno" bundle --quiet --platform deno --no-check --frozen \
		--output "$work/$program.bundled.js" "$entry" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; exit 1; }
	# Modules are named by their path from here: to the user's cache, for packages.
	sed -E 's#[^ "]*/npm/[^/ "]+/#npm:#g' "$work/$program.bundled.js" >"$work/$program.js"
	check_variables "$work/$program.js"
	# The file's time becomes a part of the program.
	touch -d @0 "$work/$program.js"
	(
		cd "$work"
		# --no-code-cache: otherwise the program writes to the temporary folder.
		${base:+env "DENORT_BIN=$base"} "$deno" compile --quiet --no-config --no-lock --no-check \
			--no-code-cache --no-prompt "${permissions[@]}" --target "$target" \
			--output "$work/$program" "$program.js"
	) >"$work/log" 2>&1 || {
		if [ -z "$base" ] && grep -q 'base binary' "$work/log"; then
			echo "compile: no base binary for $target: deno could not download it;" \
				"fetch denort for $("$deno" --version | sed -n '1s/ (.*//p') and set DENORT_BIN=" >&2
		else
			cat "$work/log" >&2
		fi
		exit 1
	}
	chmod 755 "$work/$program"
	mv "$work/$program" "$out/$program"
	echo "$out/$program  $(stat -c %s "$out/$program") bytes"
}

if [ $# -eq 0 ]; then
	for entry in cmd/vhost-device-*.ts; do set -- "$@" "$(basename "$entry" .ts)"; done
fi
for program in "$@"; do compile "$program"; done
