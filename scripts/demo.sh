#!/bin/bash
# Show the daemons at work: simulated devices, in front of a real Linux guest.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
deno=$("$here/toolchain.sh" | tail -n 1)

dir=$(mktemp -d "${TMPDIR:-/tmp}/vhost-device-demo.XXXXXX")
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT

step() {
	printf '\n\033[1;36m=== %s\033[0m\n' "$*"
}

step "The daemons, on simulated devices"
for kind in gpio i2c spi; do
	[ -e "$top/cmd/vhost-device-$kind.ts" ] || continue
	echo "\$ vhost-device-$kind --socket-path $dir/$kind.sock --config demo/$kind.yaml"
	"$deno" run --quiet --allow-all "$top/cmd/vhost-device-$kind.ts" \
		--socket-path "$dir/$kind.sock" --config "$top/demo/$kind.yaml" \
		2> >(exec sed -u "s/^/  [$kind] /" >&2) &
	pids+=($!)
done

# The sockets are there as soon as the daemons are ready for a guest.
for kind in gpio i2c spi; do
	[ -e "$top/cmd/vhost-device-$kind.ts" ] || continue
	for _ in $(seq 200); do
		[ ! -S "$dir/$kind.sock0" ] || continue 2
		sleep 0.05
	done
	echo "demo: vhost-device-$kind did not start" >&2
	exit 1
done

step "A Linux guest boots in front of them"
"$top/tests/guest/uml/run.sh" -t 60 -b "$top/demo/guest.dts" -s "$dir" -f "$top/demo/guest.sh"
step "The guest has switched itself off; the daemons wait for the next one and are stopped now"
