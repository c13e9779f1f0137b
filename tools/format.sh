#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lays C out as .clang-format says, or tells which files are not.
#
# usage: tools/format.sh [--check] [FILE...]
#
# Without files all C of the tree. --check: names the files that would change and changes none;
# exit status 1 if there are some. Without clang-format: exit status 77.
set -euo pipefail
cd "$(dirname "$0")/.."
check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
if ! command -v clang-format >/dev/null; then
    echo "format.sh: no clang-format" >&2
    exit 77
fi
files=("$@")
if [ $# = 0 ]; then
    mapfile -t files < <(git ls-files '*.c' '*.h')
fi
if [ $check = no ]; then
    clang-format -i "${files[@]}"
    exit 0
fi
failed=0
for file in "${files[@]}"; do
    if ! clang-format "$file" | cmp -s - "$file"; then
        echo "$file is not laid out as .clang-format says; tools/format.sh does it" >&2
        failed=1
    fi
done
exit $failed
