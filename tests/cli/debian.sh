#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# debian/ says what the rest of the tree says: the version, and what building needs.
set -euo pipefail
out=$PWD
cd "$PCR_SOURCE_ROOT"

bash -n tools/debs.sh
tools/debs.sh --help | grep -q '^usage: tools/debs.sh'
status=0
tools/debs.sh --none 2>"$out/said" || status=$?
[ $status -eq 2 ] && [ -s "$out/said" ]

version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build | head -1)
if [ -z "$version" ] || ! head -1 debian/changelog | grep -qF "libpcr ($version) "; then
    head -1 debian/changelog
    echo "that is not of meson.build's version, $version" >&2
    exit 1
fi

# The packages of field $2 in the paragraph of debian/control that begins with line $1.
field() {
    awk -v RS= -v first="$1" 'index($0, first "\n") == 1' debian/control |
        awk -v field="$2:" '/^[^ ]/ { inside = index($0, field) == 1 } inside' |
        sed "s/^$2://" | tr ',' '\n' | sed 's/[(<].*//; s/ //g; /^$/d' | LC_ALL=C sort
}

# What is held equal: $1, the packages of $2 (-) and $3 (+).
equal() {
    if ! diff -u "$2" "$3"; then
        echo "$1 differs" >&2
        exit 1
    fi
}

# gcc and libc6-dev come with build-essential, which needs no mention; git is for tools/debs.sh;
# pkg-config is pkgconf since Debian 12.
tools/deps.sh --list | sed -n 's/^\(build\|debs\) //p' |
    sed '/^\(gcc\|libc6-dev\|build-essential\|git\)$/d; s/^debhelper$/debhelper-compat/;
        s/^pkg-config$/pkgconf/' |
    LC_ALL=C sort -u >"$out/needed"
field 'Source: libpcr' Build-Depends >"$out/declared"
equal "Build-Depends of debian/control (+) and tools/deps.sh (-)" "$out/needed" "$out/declared"

# The static library needs what the library is linked with.
sed -n 's/.* # *package: //p' meson.build | LC_ALL=C sort >"$out/linked"
[ "$(wc -l <"$out/linked")" -ge 8 ]
field 'Package: libpcr-dev' Depends | sed '/^libpcr0$/d; /^\$/d' >"$out/static"
equal "Depends of libpcr-dev (+) and meson.build (-)" "$out/linked" "$out/static"
