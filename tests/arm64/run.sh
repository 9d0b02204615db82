#!/bin/bash
# Run a command in a namespace where programs that are made for arm64 can be run, too.
#
#   run.sh [COMMAND...]     `deno` is the one for arm64; without a command: whether this
#                           machine can do so
#
# It takes Linux 6.7 or newer, which can have the table of such programs (binfmt_misc)
# by itself for each user namespace: nothing else on the machine gets to see it.
set -eu

. "$(dirname "$0")/paths.sh"

export PATH="$arm64_dir/bin:$PATH"
[ $# -gt 0 ] || set -- true
# The head of an executable, as in elf.h: 64 bits, little endian, of that machine, and
# either of the two types that there are; what does not matter is masked out.
exec unshare --user --map-root-user --mount bash -ec '
head="\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
mask="\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
echo ":arm64:M::$head:$mask:$1:" >/proc/sys/fs/binfmt_misc/register
shift
exec "$@"' bash "$arm64_dir/wrap" "$@"
