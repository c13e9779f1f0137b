#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Builds the Debian packages, from any clone.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/debs.sh [OUTPUT_FOLDER]

Builds libpcr0, libpcr-dev, pcrtool and python3-pcr for the Debian or Ubuntu release that runs
it, runs the unit tests, and puts the packages and their sources into OUTPUT_FOLDER (default:
dist). Installs what is missing for that by apt. A line for each step; the rest is in
build-debs/log.

DEB_BUILD_OPTIONS=nocheck runs no tests. This and other values are those of dpkg-buildpackage;
where the variable is not set, no packages with debugging symbols are made.
END
}

output=dist
case $#:${1-} in
1:-h | 1:--help) usage; exit 0 ;;
1:-*) usage >&2; exit 2 ;;
1:*) output=$1 ;;
0:) ;;
*) usage >&2; exit 2 ;;
esac

mkdir -p "$output"
output=$(cd "$output" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=/usr/bin:$PATH LC_ALL=C.UTF-8
export DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-noautodbgsym}
work=build-debs
log=$PWD/$work/log
rm -rf $work
mkdir $work
: >"$log"

# step WHAT COMMAND...: one line with the time; the output is in the log.
step() {
    local began=$SECONDS what=$1
    shift
    printf '%-44s' "$what"
    if ! "$@" >>"$log" 2>&1; then
        printf 'failed\n'
        tail -n 30 "$log" >&2
        echo "debs.sh: failed: $* (all output: $log)" >&2
        exit 1
    fi
    printf '%4d s\n' $((SECONDS - began))
}

# In a copy of the tree's files, so that nothing is written into it.
copy_tree() {
    mkdir $work/libpcr &&
        git ls-files -z | xargs -0 cp --parents -t $work/libpcr
}

build_packages() {
    (cd $work/libpcr && dpkg-buildpackage -us -uc)
}

keep_packages() {
    local changes=("$work"/*.changes)
    mv "$work"/*.dsc "$work"/*.tar.* "$work"/*.deb "$work"/*.buildinfo "${changes[@]}" "$output/"
}

step "packages that are missing (apt)" tools/deps.sh --debs
step "copy of the tree (git)" copy_tree
step "build and test (dpkg-buildpackage)" build_packages
step "packages to $output" keep_packages
ls -l "$output"/*.deb | awk '{ printf "%9d %s\n", $5, $NF }'
