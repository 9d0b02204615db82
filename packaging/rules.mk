# Programs, installation and packages.  Included by the Makefile.

programs := $(patsubst cmd/%.ts,%,$(sort $(wildcard cmd/vhost-device-*.ts)))
sources := $(shell find cmd lib ffi -type f) deno.json deno.lock
# Programs for another machine do not get mixed up with those for this one.
bin := bin$(if $(TARGET),/$(TARGET))
docs := dist/docs
units := dist/units

# PREFIX=PATH     where install puts things, /usr/local by default
# DESTDIR=PATH    put in front of every path that install writes to
# UNITDIR=PATH    where systemd's units go, below PREFIX by default
# ZSHDIR=PATH     where completions for zsh go, likewise
# DOCDIR=PATH     where README, guides, examples and licences go, likewise
# TARGET=TRIPLE   compile for x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu
# DENORT_BIN=PATH the base binary that the programs are put behind
export TARGET DENORT_BIN PREFIX DESTDIR UNITDIR ZSHDIR DOCDIR

.PHONY: all
all: $(bin)/vhost-device $(programs:%=$(bin)/%) $(docs)/.made $(units)/.made ## compile the programs into bin/ (the default)

# All of them in one file, which is what is installed, and each by itself.
$(bin)/vhost-device $(programs:%=$(bin)/%) &: $(sources) $(wildcard tools/*.ts tools/compile/*.ts) \
		scripts/compile.sh scripts/compiler.sh scripts/toolchain.sh
	@scripts/compile.sh $(bin) vhost-device $(programs)

$(docs)/.made: $(sources) $(wildcard tools/*.ts tools/docs/*.ts)
	@scripts/docs.sh $(docs)
	@touch $@

$(units)/.made: $(sources) $(wildcard tools/*.ts tools/packaging/*.ts) $(shell find packaging -name '*.in')
	@scripts/units.sh $(units)
	@touch $@

.PHONY: guides picture
guides: ## bring the tables in docs/ up to date
	@scripts/docs.sh --guides
picture: guest browser ## make docs/demo.svg from a run of the demo, docs/panel.png from the panel's test
	@mkdir -p dist
	@scripts/demo.sh >dist/demo.log 2>&1
	@$(run_deno) run --quiet --allow-read --allow-write tools/docs/picture.ts dist/demo.log docs/demo.svg
	@$(run_deno) test --quiet --allow-all tests/panel/guest_test.ts
	@cp dist/panel.png docs/panel.png

.PHONY: install uninstall
install: all ## install below $(DESTDIR)$(PREFIX), /usr/local by default
	@scripts/install.sh install $(bin) $(docs) $(units)
uninstall: $(docs)/.made $(units)/.made ## remove what install has put there
	@scripts/install.sh uninstall $(bin) $(docs) $(units)

.PHONY: deb rpm release
deb: all ## make a Debian package in dist/
	@scripts/deb.sh $(bin) $(docs) $(units) dist
rpm: all ## make an RPM package in dist/
	@scripts/packages.sh rpmbuild=rpm
	@scripts/rpm.sh $(bin) $(docs) $(units) dist
release: all ## make a tarball, its checksum and its SBOM in dist/
	@scripts/release.sh $(bin) $(docs) $(units) dist

.PHONY: package package-tools
package-tools:
	@scripts/packages.sh man=man-db mandoc=mandoc zsh=zsh fish=fish lintian=lintian strace=strace valgrind=valgrind \
		python3=python3 python3-junitparser rpmbuild=rpm rpmlint=rpmlint \
		x86_64-linux-gnu-as=binutils-x86-64-linux-gnu \
		aarch64-linux-gnu-as=binutils-aarch64-linux-gnu \
		systemd-analyze=systemd systemd-nspawn=systemd-container
package: all package-tools ## only the tests of programs, installation and packages
	@scripts/test.sh $@
