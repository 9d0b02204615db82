#!/bin/bash
# Pack a folder into a tar file that depends on nothing but what is in it and the
# date of the sources.
#
#   pack.sh FOLDER MEMBER... >FILE
#
# With PACK=plain it is not compressed, with PACK=quick faster and less well.
set -euo pipefail

folder=$1
shift
date=$("$(dirname "$0")/source_date.sh")

compress() {
	# The programs have most of their bytes in common. A dictionary that reaches from one to the
	# next makes a third of it.
	case ${PACK:-best} in
	plain)	cat ;;
	quick)	xz --threads=1 --lzma2=preset=0,dict=128MiB ;;
	best)	xz --threads=1 --lzma2=preset=1,dict=128MiB ;;
	esac
}

tar -C "$folder" --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner \
	--mode=u+rw,go=rX --format=gnu -cf - "$@" | compress
