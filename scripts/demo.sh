#!/bin/bash
# Show the daemons at work: simulated devices, in front of a real Linux guest.
#
# A device takes part if its folder in lib/ has a folder demo/, with config.yaml
# for the daemon and, for the guest, guest.dts and guest.sh.  What is done from
# outside meanwhile is in host.sh, where there is one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
deno=$("$here/toolchain.sh" | tail -n 1)

types=()
for demo in "$top"/lib/*/demo; do types+=("$(basename "$(dirname "$demo")")"); done

dir=$(mktemp -d "${TMPDIR:-/tmp}/vhost-device-demo.XXXXXX")
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT

step() {
	printf '\n\033[1;36m=== %s\033[0m\n' "$*"
}

step "The daemons, on simulated devices"
for type in "${types[@]}"; do
	config=lib/$type/demo/config.yaml
	echo "\$ vhost-device-$type -s $dir/$type.sock --config $config --control $dir/$type"
	"$deno" run --quiet --allow-all "$top/cmd/vhost-device-$type.ts" \
		--socket-path "$dir/$type.sock" --config "$top/$config" --control "$dir/$type" \
		2> >(exec sed -u "s/^/  [$type] /" >&2) &
	pids+=($!)
done

# The sockets are there as soon as the daemons are ready for a guest.
for type in "${types[@]}"; do
	for _ in $(seq 200); do
		[ ! -S "$dir/$type" ] || continue 2
		sleep 0.05
	done
	echo "demo: vhost-device-$type did not start" >&2
	exit 1
done

ctl() {
	"$deno" run --quiet --allow-all "$top/cmd/vhost-device-ctl.ts" "$@"
}
# show ARGUMENT...: the command of the client, and what it does
show() {
	printf '\n$ vhost-device-ctl %s\n' "$*"
	ctl "$@"
}
for host in "$top"/lib/*/demo/host.sh; do
	# shellcheck source=/dev/null
	. "$host" &
	pids+=($!)
done

step "A Linux guest boots in front of them"
cat "$top/demo/guest.dts" "$top"/lib/*/demo/guest.dts >"$dir/guest.dts"
cat "$top/demo/guest.sh" "$top"/lib/*/demo/guest.sh >"$dir/guest.sh"
"$top/tests/guest/uml/run.sh" -t 60 -b "$dir/guest.dts" -s "$dir" -f "$dir/guest.sh"
step "The guest has switched itself off; the daemons wait for the next one and are stopped now"
