#!/bin/bash
# Install what "make" has built, or remove it again.
#
#   install.sh install|uninstall BIN DOCS UNITS
#
#   BIN    folder of the executable
#   DOCS   folder of the manual pages and completions, from docs.sh
#   UNITS  folder of the units, rules and descriptors, from units.sh
#
#   DESTDIR=   put in front of every path, for packages
#   PREFIX=    /usr/local by default
#   UNITDIR= ZSHDIR= DOCDIR=   where a distribution has its own place for them
set -euo pipefail

action=$1 bin=$2 docs=$3 units=$4
cd "$(dirname "$0")/.."
prefix=${PREFIX:-/usr/local} destdir=${DESTDIR:-}
unitdir=${UNITDIR:-$prefix/lib/systemd/system}
zshdir=${ZSHDIR:-$prefix/share/zsh/site-functions}
docdir=${DOCDIR:-$prefix/share/doc/vhost-device}
confdir=/etc/vhost-device

# put MODE FILE PATH: the file is installed at PATH, or what is there is removed
put() {
	if [ "$action" = install ]; then
		install -D -m "$1" "$2" "$destdir$3"
	else
		rm -f "$destdir$3"
	fi
}

# fill FILE PATH: likewise, with the marks in the file filled in
fill() {
	sed "s|@BINDIR@|$prefix/bin|g; s|@CONFDIR@|$confdir|g" "$1" >"$filled"
	put 644 "$filled" "$2"
}

case $action in
install)
	[ -f "$bin/vhost-device" ] ||
		{ echo "install: nothing is built yet; run make first" >&2; exit 1; } ;;
uninstall) ;;
*) echo "usage: install.sh install|uninstall BIN DOCS UNITS" >&2; exit 2 ;;
esac

filled=$(mktemp)
trap 'rm -f "$filled"' EXIT

# One executable, which is whatever program it is called as.
put 755 "$bin/vhost-device" "$prefix/bin/vhost-device"
for entry in cmd/vhost-device-*.ts; do
	link=$destdir$prefix/bin/$(basename "$entry" .ts)
	rm -f "$link"
	[ "$action" = uninstall ] || ln -s vhost-device "$link"
done
# Without a match a pattern stands for itself, which is no file.
each() {
	local file
	for file in "${@:2}"; do [ ! -f "$file" ] || "$1" "$file" "$(basename "$file")"; done
}
man_page() { put 644 "$1" "$prefix/share/man/man1/$2"; }
bash_completion() { put 644 "$1" "$prefix/share/bash-completion/completions/$2"; }
zsh_completion() { put 644 "$1" "$zshdir/$2"; }
fish_completion() { put 644 "$1" "$prefix/share/fish/vendor_completions.d/$2"; }
unit() { fill "$1" "$unitdir/$2"; }
descriptor() { fill "$1" "$prefix/share/qemu/vhost-user/$2"; }
example() { put 644 "$1" "$docdir/examples/$2"; }
each man_page "$docs"/man1/*
each bash_completion "$docs"/bash/*
each zsh_completion "$docs"/zsh/*
each fish_completion "$docs"/fish/*
each unit "$units"/systemd/vhost-device-*
each descriptor "$units"/qemu/*
each example examples/*.yaml
put 644 "$units/systemd/sysusers.conf" "$prefix/lib/sysusers.d/vhost-device.conf"
put 644 "$units/systemd/udev.rules" "$prefix/lib/udev/rules.d/60-vhost-device.rules"
for file in examples/device/*.ts; do put 644 "$file" "$docdir/$file"; done
put 644 examples/ci/github-actions.yml "$docdir/examples/ci/github-actions.yml"
put 644 examples/part/thermometer.py "$docdir/examples/part/thermometer.py"
for file in examples/scenarios/*; do put 644 "$file" "$docdir/$file"; done
for file in README.md CHANGELOG.md CONTRIBUTING.md LICENSE LICENSE-APACHE LICENSE-BSD-3-Clause \
	packaging/LICENSES-BUNDLED; do
	put 644 "$file" "$docdir/$(basename "$file")"
done
for file in docs/*.{md,svg,png} bench/results/*; do put 644 "$file" "$docdir/$file"; done

if [ "$action" = uninstall ]; then
	rmdir "$destdir$docdir"/{examples/{ci,device,part,scenarios,},docs,bench/{results,},} 2>/dev/null || :
fi
