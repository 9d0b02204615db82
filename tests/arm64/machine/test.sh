#!/bin/bash
# Run tests on an emulated arm64 machine with a kernel of its own: what they print is
# deno's, and so is the exit status.
#
#   test.sh PAGES SECONDS FILE...
#
#   PAGES     of memory: 4k or 16k
#   SECONDS   after which the machine is killed
#
# FILTER, PATIENCE and LEFT_OUT are as in scripts/test.sh.
set -eu

pages=$1 limit=$2
shift 2
deno=$(scripts/toolchain.sh)
cache=${DENO_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/deno}
# The machine has no network; what modules come from others is fetched before.
"$deno" cache --quiet "$@"
# Through a pipe: on a terminal, which is what the machine has, each name comes twice.
exec tests/arm64/machine/run.sh -p "$pages" -t "$limit" \
	-M "$PWD:cow" -M "$cache:cow" -e "DENO_DIR=$cache" -e DENO_NO_UPDATE_CHECK=1 \
	-e "PATIENCE=${PATIENCE:-100}" -e "LEFT_OUT=${LEFT_OUT:-tests/arm64/machine/left_out}" -- \
	bash -o pipefail -c '"$@" 2>&1 | cat' bash \
	deno test --no-check --allow-all --preload tests/arm64/preload.ts \
	${FILTER:+--filter "$FILTER"} "$@"
