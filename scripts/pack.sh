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
	case ${PACK:-best} in
	plain)	cat ;;
	quick)	xz --threads=1 --lzma2=preset=0 ;;
	# Higher presets take six times as long for a tenth less.
	best)	xz --threads=1 --lzma2=preset=1 ;;
	esac
}

tar -C "$folder" --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner \
	--mode=u+rw,go=rX --format=gnu -cf - "$@" | compress
