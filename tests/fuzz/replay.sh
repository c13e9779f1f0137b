#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# replay.sh TARGET PROGRAM PCR-GEN: replays generated seeds, changed copies of them, and the
# inputs that fuzzing has found, in an empty folder.
set -euo pipefail
target=$1 program=$2 pcr_gen=$3
here=$PCR_SOURCE_ROOT/tests/fuzz

"$here/seeds.sh" "$target" seeds "$pcr_gen"
case $target in
icc) mutations=40 ;;
records) mutations=10 ;;
decode | packed | pictures | prefix | residual | restore | spans | split) mutations=10 ;;
*) mutations=200 ;;
esac
kept=()
[ ! -d "$here/corpus/$target" ] || kept=("$here/corpus/$target")
"$program" --mutations "$mutations" seeds "${kept[@]}"
