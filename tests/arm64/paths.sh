# What the tests on arm64 are made of and where it is kept, for the scripts of this
# folder to source.

arm64=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$arm64/../guest/cache.sh"

# QEMU for the machine that this is, libraries for the one that it emulates.
arm64_suite=trixie
arm64_qemu=qemu-user
arm64_libraries="libc6 libgcc-s1 libstdc++6 zlib1g libgpiod3"
# The newest that is tested and that the registry has for arm64.
arm64_deno=2.9.6

arm64_dir=$guest_cache/arm64-$(hash_of "$arm64_suite $arm64_qemu $arm64_libraries $arm64_deno" \
	"$arm64/root.sh" "$arm64/wrap.c")
