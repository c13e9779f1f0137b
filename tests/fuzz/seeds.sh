#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# seeds.sh TARGET FOLDER PCR-GEN: makes a fuzz target's seeds. Exit status 77 where Python lacks
# what they need.
set -euo pipefail
target=$1 folder=$2 pcr_gen=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}

need() {
    if ! "$python" -c "import $1" 2>/dev/null; then
        echo "skipped: Python lacks one of: $1 (tools/deps.sh installs them)"
        exit 77
    fi
}

case $target in
decode | prefix | split)
    "$pcr_gen" cases "$folder"
    ;;
pictures)
    need PIL
    "$pcr_gen" cases "$folder"
    "$python" -B "$here/make_seeds.py" "$target" "$folder/others"
    ;;
restore | spans)
    "$pcr_gen" cases "$folder.cases"
    "$python" -B "$here/make_seeds.py" "$target" "$folder" "$folder.cases"
    ;;
head | header | manifest | materialise)
    need xxhash,zstandard
    "$python" -B "$here/../vectors/make_vectors.py" --seeds "$target" "$folder"
    ;;
*)
    [ "$target" != icc ] || need numpy
    "$python" -B "$here/make_seeds.py" "$target" "$folder"
    ;;
esac
