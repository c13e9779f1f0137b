#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lays C out as .clang-format says, or tells which files are not.
#
# usage: tools/format.sh [--check] [FILE...]
#
# Without files all C of the tree. --check: names the files that would change and changes none;
# exit status 1 if there are some. Needs clang-format 14, for other versions lay some lines out
# differently: without it the exit status is 77.
set -euo pipefail
cd "$(dirname "$0")/.."
check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
format=
for name in clang-format-14 clang-format; do
    if "$name" --version 2>/dev/null | grep -q ' version 14\.'; then
        format=$name
        break
    fi
done
if [ -z "$format" ]; then
    echo "format.sh: no clang-format 14" >&2
    exit 77
fi
files=("$@")
if [ $# = 0 ]; then
    mapfile -t files < <(git ls-files '*.c' '*.h')
fi
if [ $check = no ]; then
    exec "$format" -i "${files[@]}"
fi
if ! said=$("$format" --dry-run -Werror "${files[@]}" 2>&1); then
    sed -n 's/^\([^ :]*\):[0-9].*/\1/p' <<<"$said" | sort -u >&2
    echo "the files above are not laid out as .clang-format says; tools/format.sh does it" >&2
    exit 1
fi
