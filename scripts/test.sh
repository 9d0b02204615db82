#!/bin/bash
# Run stages of the project's checks and tests, and sum them up.
#
#   test.sh STAGE...     fmt, lint, check, unit, integration, fuzz, guest, panel,
#                        compiled, package, arm64, arm64-all, arm64-machine, smoke,
#                        smoke-xen
#
# The stage compiled repeats tests of the stage guest with the programs as they are
# installed, and so do smoke and smoke-xen; all others use the sources.
#
# The stage arm64 repeats the tests of the stage unit on an emulated arm64 machine, but
# for the longest; arm64-all repeats all of them, and those of the stage integration.
# On a machine that cannot emulate one they are not run, and that is said at the end.
# The stage arm64-machine emulates a whole one, with a kernel of its own whose pages of
# memory are of PAGES=4k or 16k; it has the tests of units, but for the longest, and of
# the stage integration what tests/arm64/machine/integration lists.
#
# FILTER=TEXT (or /EXPRESSION/) runs only the tests with such a name.
#
# The last line is "N passed, N failed"; the exit status is 1 when anything
# failed.  Each of the static checks counts as one.  A stage that ran no test, or
# that ended without saying how many, counts as a failure.
set -euo pipefail

cd "$(dirname "$0")/.."
export NO_COLOR=1 DENO_NO_UPDATE_CHECK=1
export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-mozilla,system}
deno=$(scripts/toolchain.sh)

passed=0 failed=0 bad_stages='' not_run=''

count() {
	passed=$((passed + $1)) failed=$((failed + $2))
	[ "$2" -eq 0 ] || bad_stages="$bad_stages $stage"
}

static_check() {
	if "$deno" "$@"; then count 1 0; else count 0 1; fi
}

# count_tests LOG STATUS: what has come of deno test, whose summary is a line such as
#   ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)
count_tests() {
	local status=$2 summary ok bad
	summary=$(grep -E '^(ok|FAILED) \| [0-9]+ passed' "$1" | tail -n 1) || :
	ok=$(sed -nE 's/^.* \| ([0-9]+) passed.*/\1/p' <<<"$summary")
	bad=$(sed -nE 's/^.* \| ([0-9]+) failed.*/\1/p' <<<"$summary")
	if [ -z "$ok" ] || [ -z "$bad" ]; then
		echo "$stage: the tests ended without a summary (status $status)"
		count 0 1
	elif [ "$((ok + bad))" -eq 0 ]; then
		echo "$stage: no test was run"
		count 0 1
	elif [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		echo "$stage: something besides the tests failed (status $status)"
		count "$ok" 1
	else
		count "$ok" "$bad"
	fi
}

# tests FOLDER-OR-FILE...
tests() {
	local status=0
	"$deno" test --allow-all ${FILTER:+--filter "$FILTER"} "$@" 2>&1 | tee "$log" || status=$?
	count_tests "$log" "$status"
}

# arm64_tests LISTS JOBS FILE...: on an emulated machine, by so many processes at once.
# LISTS are those of the tests that it is not given.
arm64_tests() {
	local lists=$1 jobs=$2 job index status files pids=()
	shift 2
	for ((job = 0; job < jobs; job++)); do
		files=()
		for ((index = job + 1; index <= $#; index += jobs)); do files+=("${!index}"); done
		PATIENCE=${PATIENCE:-60} LEFT_OUT=$lists tests/arm64/run.sh \
			deno test --no-check --allow-all --preload tests/arm64/preload.ts \
			${FILTER:+--filter "$FILTER"} "${files[@]}" >"$log.$job" 2>&1 &
		pids+=($!)
	done
	for job in "${!pids[@]}"; do
		status=0
		wait "${pids[job]}" || status=$?
		cat "$log.$job"
		count_tests "$log.$job" "$status"
	done
}

# can_emulate: what is missing is said, now and at the end
can_emulate() {
	! tests/arm64/run.sh >"$log" 2>&1 || return 0
	cat "$log"
	not_run="$not_run $stage"
	return 1
}

# shipped: the folder of the programs as they are installed
shipped() {
	DESTDIR=$PWD/dist/shipped PREFIX=/usr scripts/install.sh install bin dist/docs dist/units
	echo "$PWD/dist/shipped/usr/bin"
}

log=$(mktemp)
trap 'rm -f "$log" "$log".*' EXIT

for stage in "$@"; do
	echo "== $stage"
	case $stage in
	fmt)	static_check fmt --check --quiet ;;
	lint)	static_check lint --quiet ;;
	check)
		static_check check --quiet .
		# The page of the panel runs in browsers.
		page=lib/ctl/panel/page
		static_check check --quiet --no-lock --config $page/check.json $page/*.js ;;
	unit | integration | fuzz | guest | panel | package) tests "tests/$stage" ;;
	smoke | smoke-xen)
		VHOST_DEVICE_BIN_DIR=$(shipped) tests "tests/$stage" ;;
	compiled)
		# Of each program, where there are tests of its own.
		guest_tests=()
		for entry in cmd/vhost-device-*.ts; do
			type=${entry#cmd/vhost-device-}
			[ ! -f "tests/guest/${type%.ts}_test.ts" ] || guest_tests+=("tests/guest/${type%.ts}_test.ts")
		done
		# The page is a part of its program.
		VHOST_DEVICE_BIN_DIR=$(shipped) tests "${guest_tests[@]}" tests/integration/panel_test.ts ;;
	arm64 | arm64-all)
		can_emulate || continue
		lists=tests/arm64/left_out
		mapfile -t files < <(find tests/unit tests/integration -name '*_test.ts' | sort)
		if [ "$stage" = arm64 ]; then
			lists="$lists tests/arm64/long"
			mapfile -t files < <(printf '%s\n' "${files[@]}" | grep ^tests/unit/ | grep -vxFf tests/arm64/long)
		fi
		# A filter may leave one of several without any.
		arm64_tests "$lists" "$([ "${FILTER:-}" ] && echo 1 || echo 2)" "${files[@]}" ;;
	arm64-machine)
		status=0 pages=${PAGES:-16k}
		# What is granted by another domain of Xen cannot be mapped with larger pages.
		[ "$pages" = 4k ] && unfit='^$' || unfit=/xen_
		mapfile -t files < <(grep -v '^#' tests/arm64/machine/integration
			find tests/unit -mindepth 2 -name '*_test.ts' | grep -vxFf tests/arm64/long |
				grep -v "$unfit" | sort)
		LEFT_OUT='tests/arm64/long tests/arm64/machine/left_out' \
			tests/arm64/machine/test.sh "$pages" 7200 "${files[@]}" 2>&1 | tee "$log" || status=$?
		count_tests "$log" "$status" ;;
	*)	echo "test.sh: there is no stage $stage" >&2; exit 2 ;;
	esac
done

[ -z "$not_run" ] || echo "not run on this machine:$not_run"
[ -z "$bad_stages" ] || echo "failed in:$bad_stages"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
