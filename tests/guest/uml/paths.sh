# The two halves of the guest, for build.sh and run.sh to source.

. "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
uml=$guest_scripts/uml

kernel_dir=$guest_cache/uml-kernel-$(hash_of "$kernel_suite $kernel_package" \
	"${kernel_inputs[@]}" "$uml"/{kernel.sh,kernel.config,uml_sim.c})
