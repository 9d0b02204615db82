#!/bin/bash
# Show the daemons at work: simulated devices, in front of a real Linux guest.
#
# A device takes part if its folder in lib/ has a folder demo/, with config.yaml
# for the daemon and, for the guest, guest.dts and guest.sh.  What is done from
# outside meanwhile is in host.sh, where there is one.
#
# PANEL=1 serves a page that shows the devices, and keeps them until interrupted.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
deno=$("$here/toolchain.sh" | tail -n 1)

panel=${PANEL:-}
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
for index in "${!types[@]}"; do
	until [ -S "$dir/${types[index]}" ]; do
		kill -0 "${pids[index]}" 2>/dev/null ||
			{ echo "demo: vhost-device-${types[index]} did not start" >&2; exit 1; }
		sleep 0.05
	done
done

ctl() {
	"$deno" run --quiet --allow-all "$top/cmd/vhost-device-ctl.ts" "$@"
}
# show ARGUMENT...: the command of the client, and what it does
show() {
	printf '\n$ vhost-device-ctl %s\n' "$*"
	ctl "$@"
}

if [ -n "$panel" ]; then
	step "The panel: open this in a browser"
	controls=()
	for type in "${types[@]}"; do controls+=(-c "$dir/$type"); done
	echo "\$ vhost-device-ctl panel ${controls[*]}"
	# What it prints goes through a pipe, so that the guest does not come before it.
	mkfifo "$dir/address"
	"$deno" run --quiet --allow-all "$top/cmd/vhost-device-ctl.ts" panel "${controls[@]}" \
		>"$dir/address" &
	panel=$!
	pids+=("$panel")
	read -r address <"$dir/address" || exit 1
	echo "$address"
fi

for host in "$top"/lib/*/demo/host.sh; do
	# shellcheck source=/dev/null
	. "$host" &
	pids+=($!)
done

step "A Linux guest boots in front of them"
cat "$top/demo/guest.dts" "$top"/lib/*/demo/guest.dts >"$dir/guest.dts"
cat "$top/demo/guest.sh" "$top"/lib/*/demo/guest.sh >"$dir/guest.sh"
# It takes seconds; the limit is for a guest that does not come to its end.
"$top/tests/guest/uml/run.sh" -t 600 -b "$dir/guest.dts" -s "$dir" -f "$dir/guest.sh"

if [ -z "$panel" ]; then
	step "The guest has switched itself off; the daemons wait for the next one and are stopped now"
	echo "To look at these devices in a browser, and act on them: make demo PANEL=1"
	exit
fi
step "The guest has switched itself off; the daemons wait for the next one"
printf '%s\n  %s\n' "The panel shows what it has left behind:" "$address" \
	"For a guest with a shell, in front of the same devices, in another terminal:" \
	"$top/tests/guest/uml/run.sh -t 3600 -b $dir/guest.dts -s $dir" "Ctrl-C ends it all."
wait "$panel"
