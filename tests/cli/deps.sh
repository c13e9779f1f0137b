#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# meson.build, tools/deps.sh and the table in README.md name the same packages.
set -euo pipefail
out=$PWD
cd "$PCR_SOURCE_ROOT"

# Every dependency() in a meson.build names its package; threads come with the C library.
grep -rn --include=meson.build --exclude-dir='build*' "= dependency('" . |
    grep -v "'threads'" >"$out/dependencies"
if grep -v '# package: [a-z0-9+.-]*$' "$out/dependencies"; then
    echo "the dependencies above lack their '# package: NAME'" >&2
    exit 1
fi
sed 's/.*# package: //' "$out/dependencies" | sort -u >"$out/meson"
[ "$(wc -l <"$out/meson")" -ge 6 ]

tools/deps.sh --list >"$out/list"
if grep -Ev '^(build|python|test|fuzz|coverage|browser|wheel|debs) [a-z0-9+.-]+$' "$out/list"; then
    echo "tools/deps.sh --list: the lines above are not 'ROLE PACKAGE'" >&2
    exit 1
fi
cut -d' ' -f2 "$out/list" | sort -u >"$out/tool"

# The table's rows between "## Dependencies" and the next heading.
sed -n '/^## Dependencies$/,/^## /{/^|/p;}' README.md |
    grep -o '`[^`]*`' | tr -d '\140' | sort -u >"$out/readme"

failed=no
if [ -n "$(comm -23 "$out/meson" "$out/tool")" ]; then
    echo "in a meson.build, not in tools/deps.sh:" >&2
    comm -23 "$out/meson" "$out/tool" >&2
    failed=yes
fi
if ! diff -u "$out/tool" "$out/readme" >&2; then
    echo "tools/deps.sh (-) and README.md's table (+) differ" >&2
    failed=yes
fi
[ $failed = no ]
