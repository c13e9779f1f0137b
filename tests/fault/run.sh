#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Lets every fault happen that the programs of this folder know, and prints a table.
set -uo pipefail

usage() {
    cat <<'EOF'
usage: tests/fault/run.sh [--step N] [NAME...]

Builds the programs of tests/fault (allocations and so on: fault-NAME of its meson.build; all
where none is named) as they are used and with AddressSanitizer and UndefinedBehaviorSanitizer,
in build-fault/ and build-fault-sanitize/, and runs them. Prints a line for each scenario:
trials, right results, right errors, wrong; then the sums.

  --step N  only every N-th place (1)

The exit status is 0 where nothing was wrong.
EOF
}

step=1
while [ $# -gt 0 ]; do
    case $1 in
    --step) step=${2:?--step needs a number}; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "run.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
    *) break ;;
    esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export PATH=/usr/bin:$PATH
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# shellcheck disable=SC2046  # names of one word each
[ $# -gt 0 ] || set -- $(sed -n "s/^  '\([a-z_]*\)': {.*/\1/p" tests/fault/meson.build)

status=0
rows=$(mktemp) || exit 1
trap 'rm -f "$rows"' EXIT
for build in build-fault build-fault-sanitize; do
    options=()
    [ $build = build-fault ] || options=(-Db_sanitize=address,undefined)
    [ -d $build ] || meson setup $build --buildtype=release "${options[@]}" >/dev/null || exit 1
    ninja -C $build "${@/#/tests/fault/fault-}" >/dev/null || exit 1
    for name; do
        "$build/tests/fault/fault-$name" "$step" | sed "s/^fault\t/&$name, ${build#build-}: /" \
            >>"$rows"
        rc=${PIPESTATUS[0]}
        [ "$rc" -eq 0 ] || [ "$rc" -eq 77 ] || { echo "$build: $name: exit $rc" >&2; status=1; }
    done
done
awk -F'\t' '
    BEGIN {
        line = "%-56s %8s %8s %8s %6s\n"
        printf line, "", "trials", "results", "errors", "wrong"
    }
    $1 == "fault" { printf line, $2, $3, $4, $5, $6; t += $3; r += $4; e += $5; w += $6 }
    END { printf line, "in all", t, r, e, w; exit w > 0 }' "$rows" || status=1
exit $status
