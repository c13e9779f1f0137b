#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tools/wheel.sh makes every library that meson.build asks for.
set -euo pipefail
out=$PWD
cd "$PCR_SOURCE_ROOT"

bash -n tools/wheel.sh
tools/wheel.sh --help | grep -q '^usage: tools/wheel.sh'
status=0
tools/wheel.sh --none 2>"$out/said" || status=$?
[ $status -eq 2 ] && [ -s "$out/said" ]

# It does without liblzma, for its licence has no SPDX name and xz is rare (docs/formats.md).
sed -n "s/^[a-z]*_dep = dependency('\([a-z0-9]*\)'.*# package: .*/\1/p" meson.build |
    grep -v '^liblzma$' | sort >"$out/asked"
sed -n 's/.*make_library [a-z0-9.-]* \([a-z0-9]*\) .*/\1/p' \
    tools/wheel.sh | sort >"$out/made"
[ "$(wc -l <"$out/asked")" -ge 8 ]
diff -u "$out/asked" "$out/made"

# What is listed as bundled, with its licence, is what is made.
sed -n "/^bundled='$/,/^'$/s/^\([a-z0-9.-]*\) .*/\1/p" tools/wheel.sh | sort >"$out/bundled"
sed -n 's/.*make_library \([a-z0-9.-]*\) [a-z0-9]* .*/\1/p' tools/wheel.sh | sort |
    diff -u "$out/bundled" -
