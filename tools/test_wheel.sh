#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the Python tests with an installed wheel in bare Debian systems.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/test_wheel.sh WHEEL [RELEASE...]

Installs a wheel of tools/wheel.sh in bare Debian systems, which have no compiler and none of the
libraries that it holds, and runs the Python tests there; none of them sees the package in this
tree. The releases are by default bullseye (glibc 2.31, Python 3.9), bookworm and trixie.

Needs root, debootstrap, and the compiler that tools/wheel.sh keeps in build-wheel. Puts the systems
into build-wheel/RELEASE, and uses again those that are there. Packages that the tests need come
from PyPI.
END
}

case ${1---help} in
-h | --help) usage; exit 0 ;;
-*) echo "test_wheel.sh: unknown option $1; see --help" >&2; exit 2 ;;
esac
wheel=$(realpath -e "$1")
shift
releases=("${@:-bullseye bookworm trixie}")
fail() {
    echo "test_wheel.sh: $*" >&2
    exit 1
}
case $wheel in
*-manylinux_*_"$(uname -m)".whl) ;;
*) fail "$wheel is not for this machine and glibc" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "needs root"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
zig=(build-wheel/venv/bin/python -m ziglang cc -target "$(uname -m)-linux-gnu.2.28")
[ -x "${zig[0]}" ] || fail "build-wheel has no compiler: run tools/wheel.sh first"
export ZIG_GLOBAL_CACHE_DIR=$PWD/build-wheel/zig ZIG_LOCAL_CACHE_DIR=$PWD/build-wheel/zig

# Runs a command in a system. What it mounts and starts is gone when the command ends.
in_system() {
    unshare --mount --pid --fork --kill-child sh -c '
        mount -t proc proc "$0/proc"
        mount -t tmpfs tmpfs "$0/dev/shm"
        exec chroot "$0" /usr/bin/env -i --default-signal=INT HOME=/root LC_ALL=C.UTF-8 \
            PATH=/env/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 \
            PCR_SOURCE_ROOT=/source PCR_HEADERS=/source/libpcr/include/pcr \
            PCRTOOL=/env/bin/pcrtool PCR_LAYOUT=/source/layout \
            PCR_OTHER_ABI=/source/libother-abi.so "$@"' "$system" "$@"
}

make_system() {
    [ ! -e "$system.done" ] || return 0
    rm -rf "$system"
    debootstrap --variant=minbase --include=python3-venv,ca-certificates "$release" "$system"
    touch "$system.done"
}

# The tree without the package, and the two programs that its tests need.
copy_tests() {
    local to=$system/source include=libpcr/include
    rm -rf "$to" "$system/env"
    mkdir "$to"
    git ls-files -z -- . ':!loaders' | xargs -0 cp --parents -t "$to"
    python3 tests/python/layout.py $include/pcr "$to/layout.c" "$to/layout.d"
    "${zig[@]}" -I$include -o "$to/layout" "$to/layout.c"
    "${zig[@]}" -I$include -shared -fPIC -o "$to/libother-abi.so" tests/python/other_abi.c
    cp "$wheel" "$to/"
    # As on this machine, so that pip finds PyPI.
    cp /etc/resolv.conf /etc/hosts "$system/etc/"
    cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$system/etc/ssl/certs/ca-certificates.crt"
}

install_wheel() {
    in_system python3 -m venv /env
    # Pillow 13 resizes in another order of the axes, and reads more of damaged Exif.
    in_system pip install -q --cert /etc/ssl/certs/ca-certificates.crt \
        "/source/${wheel##*/}" "pillow<12" pytest zstandard xxhash
    in_system sh -ec '
        cd /tmp
        test "$(pcrtool --version)" = "$(python -m pcr --version)"
        python -c "import pcr; print(pcr.system()[\"library\"])" >/source/library
        grep ^/env/ /source/library'
}

run_tests() {
    in_system sh -ec '
        cd /tmp
        PCR_LIBRARY=$(cat /source/library) exec python -m pytest -q -p no:cacheprovider \
            /source/tests/python'
}

failed=0
for release in ${releases[*]}; do
    system=$PWD/build-wheel/$release
    log=$system.log
    start=$SECONDS
    printf 'test_wheel.sh: %s: ' "$release"
    set +e # in a condition, -e would not hold for the commands inside
    (set -e; make_system; copy_tests; install_wheel; run_tests) >"$log" 2>&1
    rc=$?
    set -e
    if [ $rc -eq 0 ]; then
        echo "$(in_system python -V), $(tail -1 "$log" | tr -d =), $((SECONDS - start)) s in all"
    else
        echo "failed after $((SECONDS - start)) s; the end of $log:"
        tail -30 "$log"
        failed=1
    fi
done
exit $failed
