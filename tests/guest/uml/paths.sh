# Where the guest's two halves are kept, for build.sh and run.sh to source.
# Each is named after a hash of everything it is made from: a checkout finds just
# what fits it, and several checkouts share what they have in common.

guest_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest_cache=${XDG_CACHE_HOME:-$HOME/.cache}/vhost-device

# Debian's package of the kernel source, and the suite it is taken from.
kernel_package=${KERNEL_PACKAGE:-linux-source-7.3}
kernel_suite=${KERNEL_SUITE:-trixie-backports}
# The suite of the programs inside the guest, and what is installed there.
root_suite=trixie
root_packages="busybox bash libtinfo6 libc6 libgcc-s1 gpiod libgpiod3
	i2c-tools libi2c0 spi-tools"

hash_of() {
	cat "$@" | sha256sum | cut -c 1-16
}
kernel_dir=$guest_cache/uml-kernel-$(hash_of - "$guest_here"/{kernel.sh,kernel.config,spi-virtio-remove.patch,uml_sim.c} \
	<<<"$kernel_suite $kernel_package")
root_dir=$guest_cache/uml-root-$(hash_of - "$guest_here/root.sh" \
	<<<"$root_suite $root_packages")
