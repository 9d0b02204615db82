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
# Each program is made a few modules first: one, and what is loaded only where it is
# needed, such as the other programs and the parser of configuration files.  That
# leaves out what npm packages carry beside their code, which makes for a smaller
# binary that starts faster, and it leaves out where on this machine they are kept:
# the same sources and the same deno give the same bytes, wherever that is done.
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

# rename_modules FOLDER: what is in the modules, and their names, which have a hash of
# that, say nothing of where things are on this machine
rename_modules() {
	local module name hash renames=()
	# Sources are named by their path from here: to the user's cache, for packages.
	sed -E -i "s#[^ \"]*/npm/[^/ \"]+/#npm:#g; s#[^ \"]*/${work##*/}/##g" "$1"/*.js
	for module in "$1"/*.js; do
		[[ $module =~ -[A-Z0-9]{8}\.js$ ]] || continue
		name=${module##*/}
		hash=$(sed -E 's/-[A-Z0-9]{8}\.js"/.js"/g' "$module" | sha256sum | cut -c 1-8)
		renames+=(-e "s/${name%.js}\\.js/${name%-*}-$hash.js/g")
		mv "$module" "$1/${name%-*}-$hash.js"
	done
	[ ${#renames[@]} -eq 0 ] || sed -i "${renames[@]}" "$1"/*.js
	# The files' time becomes a part of the program.
	touch -d @0 "$1"/*
}

# require_late FOLDER: what a package requires of the runtime is loaded where that is done; deno's
# way to do so would be loaded by each thread as it starts, with 2 ms and 0.2 MiB for the two of one
# guest
require_late() {
	local own='/^import \{ createRequire as __deno_internal_createRequire \} from "node:module";$/d'
	sed -E -i -e "$own" -e \
		's/^(var __require = )__deno_internal_createRequire\(import\.meta\.url\);$/\1(name) => process.getBuiltinModule(name);/' \
		"$1"/*.js
	! grep -l '__deno_internal_createRequire' "$1"/*.js ||
		{ echo "compile: this deno makes another createRequire than scripts/compile.sh expects" >&2; exit 1; }
}

# check_variables FLAGS... -- MODULE...: a variable that is not granted would be an error at run time
check_variables() {
	local granted='' name
	while [ "$1" != -- ]; do
		[[ $1 != --allow-env=* ]] || granted=,${1#*=},
		shift
	done
	shift
	# Where it finds nothing, grep fails.
	{ grep -ohE '(process\.env\.|Deno\.env\.get\(")[A-Z_]+' "$@" || :; } |
		sed -E 's/.*[^A-Z_]//' | sort -u |
		while read -r name; do
			[[ $granted == *,$name,* ]] || {
				echo "compile: the variable $name is read; add it to the permissions of the program" >&2
				exit 1
			}
		done
}

# bundle OPTIONS... ENTRY
bundle() {
	"$deno" bundle --quiet --platform deno --no-check --code-splitting "$@" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; exit 1; }
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
	rm -rf "$work/bundled" "$work/modules"
	bundle --frozen --config deno.json --outdir "$work/bundled" "$entry"
	require_late "$work/bundled"
	rename_modules "$work/bundled"
	# Minified, for each thread keeps the text of what it has loaded; by itself, for deno makes
	# what packages require at run time work only in what is not minified yet.
	bundle --no-config --no-lock --minify --outdir "$work/modules" "$work/bundled/$program.js"
	rename_modules "$work/modules"
	check_variables "${permissions[@]}" -- "$work/modules"/*
	(
		cd "$work/modules"
		# --no-code-cache: otherwise the program writes to the temporary folder.
		# V8 flags: garbage is collected early, for each thread has a heap of its own, but not
		# while a thread comes up; and V8's own code is not mapped once more for each thread.
		${base:+env "DENORT_BIN=$base"} "$deno" compile --quiet --no-config --no-lock --no-check \
			--no-code-cache --v8-flags=$v8_flags \
			--no-prompt "${permissions[@]}" --target "$target" \
			--output "$work/$program" "$program.js"
	) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
	chmod 755 "$work/$program"
	mv "$work/$program" "$out/$program"
	echo "$out/$program  $(stat -c %s "$out/$program") bytes"
}

v8_flags=--min-semi-space-size=2,--max-semi-space-size=2
v8_flags+=,--initial-old-space-size=12,--no-short-builtin-calls

all=()
for entry in cmd/vhost-device-*.ts; do all+=("$(basename "$entry" .ts)"); done
[ $# -gt 0 ] || set -- vhost-device "${all[@]}"
for program in "$@"; do compile "$program"; done
