# The parts of the Xen test bed, for build.sh and run.sh to source.

. "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
. "$guest_scripts/qemu/paths.sh"
xen=$guest_scripts/xen

# The hypervisor, and the headers that fit it.
xen_suite=trixie
xen_packages="xen-hypervisor-4.20-amd64 libxen-dev"
xen_dir=$guest_cache/xen-$(hash_of "$xen_suite $xen_packages" "$xen"/{hypervisor.sh,domain.c})

# The kernel of domain 0 is the distribution's own, with the modules it takes.
xen_kernel_suite=trixie
xen_kernel_package=linux-image-amd64
xen_kernel_dir=$guest_cache/xen-kernel-$(hash_of "$xen_kernel_suite $xen_kernel_package" \
	"$guest_scripts/debian_kernel.sh" "$xen/init")
