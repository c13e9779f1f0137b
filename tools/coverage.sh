#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tells which share of the code's lines and branches the tests run.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/coverage.sh [--keep] [MESON_TEST_OPTION...]

Installs what is missing (tools/deps.sh --coverage), builds in build-coverage/, runs the tests,
and prints the share of lines and branches that they ran, by folder. build-coverage/report.txt
has the numbers of all files, with the lines that were not run. Where all tests run, so do those
of tests/fault that let allocations and system calls fail, at more places than in the suite.

  --keep             keep what earlier runs counted, and add to it
  MESON_TEST_OPTION  which tests; all

Branches that the compiler makes on lines without code, such as a closing brace, are not
counted. All others are: a failing call in a chain of them is a branch. Nor are lines counted that
only 32 bits reach: a size above SIZE_MAX is told there.
END
}

keep=no
case ${1:-} in
-h | --help) usage; exit 0 ;;
--keep) keep=yes; shift ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=/usr/bin:$PATH
tools/deps.sh --coverage
[ -d build-coverage ] || CC=${CC:-gcc} meson setup build-coverage -Db_coverage=true \
    -Dc_args=-fprofile-update=atomic --buildtype=debug >/dev/null
ninja -C build-coverage meson-test-prereq | tail -n 1
[ $keep = yes ] || find build-coverage -name '*.gcda' -delete
status=0
meson test -C build-coverage --no-rebuild --print-errorlogs -t 4 "$@" || status=$?
if [ $# -eq 0 ]; then
    build-coverage/tests/fault/fault-allocations 3 >/dev/null &
    build-coverage/tests/fault/fault-system_calls 3 >/dev/null || status=$?
    wait $! || status=$?
fi

gcovr -r . --object-directory build-coverage --gcov-ignore-parse-errors \
    --exclude-unreachable-branches \
    --exclude-lines-by-pattern '.*pcri_fail_nomem\(.*SIZE_MAX\);' \
    -e 'tests/' -e 'samples/' -e 'build.*' \
    --json-summary build-coverage/summary.json --txt build-coverage/report.txt
python3 - <<'END'
import json
from collections import defaultdict

sums = defaultdict(lambda: [0, 0, 0, 0])
for f in json.load(open("build-coverage/summary.json"))["files"]:
    parts = f["filename"].split("/")
    folder = "/".join(parts[:2]) if parts[0] == "libpcr" else parts[0]
    for name in folder, "all":
        for i, key in enumerate(("line_covered", "line_total", "branch_covered",
                                 "branch_total")):
            sums[name][i] += f[key]
print(f"{'folder':18} {'lines':>14} {'':7} {'branches':>14}")
for name in sorted(sums, key=lambda s: (s == "all", s)):
    a, b, c, d = sums[name]
    print(f"{name:18} {a:6} of {b:5} {100 * a / b:6.1f}% {c:6} of {d:5} {100 * c / d:6.1f}%")
END
exit $status
