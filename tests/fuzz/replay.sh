#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# replay.sh TARGET PROGRAM PCR-GEN: replays generated seeds, changed copies of them, and the
# inputs that fuzzing has found, in an empty folder.
set -euo pipefail
target=$1 program=$2 pcr_gen=$3
here=$PCR_SOURCE_ROOT/tests/fuzz

case $target in
decode | prefix | split)
    "$pcr_gen" cases seeds
    mutations=10
    ;;
*)
    if ! "${PYTHON:-python3}" -c 'import xxhash, zstandard' 2>/dev/null; then
        echo "skipped: Python has no xxhash or no zstandard (tools/deps.sh installs them)"
        exit 77
    fi
    "${PYTHON:-python3}" -B "$PCR_SOURCE_ROOT/tests/vectors/make_vectors.py" \
        --seeds "$target" seeds
    mutations=200
    ;;
esac
kept=()
[ ! -d "$here/corpus/$target" ] || kept=("$here/corpus/$target")
"$program" --mutations "$mutations" seeds "${kept[@]}"
