#!/bin/bash
# Install what "make" has built, or remove it again.
#
#   install.sh install|uninstall BIN DOCS
#
#   BIN   folder of the programs
#   DOCS  folder of the manual pages and completions
#
#   DESTDIR=   put in front of every path, for packages
#   PREFIX=    /usr/local by default
#   UNITDIR= ZSHDIR= DOCDIR=   where a distribution has its own place for them
set -euo pipefail

action=$1 bin=$2 docs=$3
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

# fill TYPE FILE PATH: likewise, with the marks in the file filled in
fill() {
	local type=$1 title devices
	case $type in
	gpio)	title=GPIO devices=char-gpiochip ;;
	i2c)	title=I2C devices=char-i2c ;;
	spi)	title=SPI devices=char-spi ;;
	*)	echo "install.sh: nothing is known about $type" >&2; exit 1 ;;
	esac
	sed -e "s|@TYPE@|$type|g; s|@GROUP@|$type|g; s|@TITLE@|$title|g; s|@DEVICES@|$devices|g" \
		-e "s|@PROGRAM@|vhost-device-$type|g; s|@BINDIR@|$prefix/bin|g; s|@CONFDIR@|$confdir|g" \
		"$2" >"$filled"
	put 644 "$filled" "$3"
}

case $action in
install)
	for program in "$bin"/vhost-device-*; do
		[ -f "$program" ] || { echo "install: nothing is built yet; run make first" >&2; exit 1; }
	done ;;
uninstall) ;;
*) echo "usage: install.sh install|uninstall BIN DOCS" >&2; exit 2 ;;
esac

filled=$(mktemp)
trap 'rm -f "$filled"' EXIT

for entry in cmd/vhost-device-*.ts; do
	program=$(basename "$entry" .ts)
	type=${program#vhost-device-}
	put 755 "$bin/$program" "$prefix/bin/$program"
	put 644 "$docs/man1/$program.1" "$prefix/share/man/man1/$program.1"
	put 644 "$docs/bash/$program" "$prefix/share/bash-completion/completions/$program"
	put 644 "$docs/zsh/_$program" "$zshdir/_$program"
	put 644 "$docs/fish/$program.fish" "$prefix/share/fish/vendor_completions.d/$program.fish"
	fill "$type" packaging/systemd/vhost-device@.service.in "$unitdir/$program@.service"
	fill "$type" packaging/systemd/vhost-device@.socket.in "$unitdir/$program@.socket"
	fill "$type" packaging/qemu/vhost-user.json.in "$prefix/share/qemu/vhost-user/50-$program.json"
	put 644 "examples/$type.yaml" "$docdir/examples/$type.yaml"
done
put 644 packaging/systemd/sysusers.conf "$prefix/lib/sysusers.d/vhost-device.conf"
put 644 packaging/systemd/udev.rules "$prefix/lib/udev/rules.d/60-vhost-device.rules"
put 644 examples/ci/github-actions.yml "$docdir/examples/ci/github-actions.yml"
for file in README.md CHANGELOG.md CONTRIBUTING.md LICENSE LICENSE-APACHE LICENSE-BSD-3-Clause \
	packaging/LICENSES-BUNDLED; do
	put 644 "$file" "$docdir/$(basename "$file")"
done
for file in docs/*.{md,svg}; do put 644 "$file" "$docdir/$file"; done

if [ "$action" = uninstall ]; then
	rmdir "$destdir$docdir"/{examples/ci,examples,docs,} 2>/dev/null || :
fi
