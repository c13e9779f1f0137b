#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Builds libpcr in several configurations and runs all tests in each; ends with the totals.
set -uo pipefail

usage() {
    cat <<'END'
usage: tools/check.sh [--quick]

Installs what is missing (tools/deps.sh), builds in build-check/, runs the tests.

  gcc       warnings are errors; all tests
  sanitize  AddressSanitizer and UndefinedBehaviorSanitizer; all tests but Python's and the
            suite "once" (pcrtool bench and doctor run among the faults)
  threads   ThreadSanitizer; the tests that have threads
  portable  without code for particular CPUs; all tests but pcrtool's and Python's
  clang     the other compiler; unit tests
  arm64     64-bit ARM, run by QEMU: pixel kernels and decoders; skipped where what
            tools/cross/aarch64-linux-gnu.ini names is not installed
  32-bit    32-bit x86: unit tests and fuzz targets' inputs; skipped where what
            tools/cross/i686-linux-gnu.ini names is not installed

  --quick   only the first

The last line is "N passed, N failed, N skipped", over all configurations. The exit status
is 0 where nothing failed.
END
}

quick=no
for arg; do
    case $arg in
    --quick) quick=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "check.sh: unknown option $arg" >&2; usage >&2; exit 2 ;;
    esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# The distribution's own meson and python3, never others that happen to come first.
export PATH=/usr/bin:$PATH
# Tests ask for more memory than there is, and want NULL.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Sanitizers are slow, and the machine may be busy.
export CK_TIMEOUT_MULTIPLIER=10
export TSAN_OPTIONS=allocator_may_return_null=1:halt_on_error=1

passed=0 failed=0 skipped=0
broken=()

# Adds what the summary of `meson test` in file $1 says to the totals.
count() {
    local name n seen=no
    while IFS=: read -r name n; do
        n=${n//[^0-9]/}
        case $name in
        Ok | 'Expected Fail') passed=$((passed + n)); seen=yes ;;
        Fail | 'Unexpected Pass' | Timeout)
            failed=$((failed + n)) seen=yes
            ;;
        Skipped) skipped=$((skipped + n)); seen=yes ;;
        esac
    done < <(grep -E '^(Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout): +[0-9]+' "$1")
    [ $seen = yes ]
}

# check NAME CC MESON_OPTIONS -- MESON_TEST_OPTIONS: one configuration. A build that fails
# counts as one failed test. $targets: what to build, else everything.
check() {
    local name=$1 compiler=$2 began=$SECONDS dir log setup=()
    shift 2
    while [ "$1" != -- ]; do
        setup+=("$1")
        shift
    done
    shift
    dir=build-check/$name log=build-check/$name.log
    echo "== $name: $compiler ${setup[*]}"
    rm -rf "$dir"
    if ! CC=$compiler meson setup "$dir" -Dwerror=true "${setup[@]}" >"$log" 2>&1 ||
        ! ninja -C "$dir" ${targets:-} >>"$log" 2>&1; then
        tail -n 40 "$log"
        echo "== $name: the build failed"
        failed=$((failed + 1))
        broken+=("$name")
        return
    fi
    local before=$failed
    meson test -C "$dir" --no-rebuild --print-errorlogs "$@" 2>&1 | tee "$log.tests"
    local status=${PIPESTATUS[0]}
    if ! count "$log.tests" || { [ "$status" -ne 0 ] && [ $failed -eq $before ]; }; then
        echo "== $name: the tests did not end as they should (status $status)"
        failed=$((failed + 1))
    fi
    [ $failed -eq $before ] || broken+=("$name")
    echo "== $name: $((SECONDS - began)) s"
}

# can_cross NAME FILE COMMAND...: are the commands there, and the libraries of a cross file?
# Counts the configuration NAME as skipped where not.
can_cross() {
    local name=$1 cross=$2 libraries
    shift 2
    libraries=$(sed -n "s/^pkg_config_libdir = '\(.*\)'/\1/p" "$cross")
    if command -v "$@" >/dev/null && [ "$(command -v "$@" | wc -l)" -eq $# ] &&
        PKG_CONFIG_LIBDIR=$libraries pkg-config --exists libjpeg libpng zlib lcms2 libzstd \
            libxxhash jansson check; then
        return 0
    fi
    echo "== $name: skipped: needs $* and libraries; see $cross"
    skipped=$((skipped + 1))
    return 1
}

check_arm64() {
    local cross=tools/cross/aarch64-linux-gnu.ini
    can_cross arm64 $cross aarch64-linux-gnu-gcc qemu-aarch64-static || return
    local tests='guards kernels native packed prefix prefix_steps refine resize'
    # shellcheck disable=SC2086
    targets="tests/unit/test-${tests// / tests/unit/test-}" \
        check arm64 aarch64-linux-gnu-gcc --cross-file $cross -- -t 4 $tests
}

check_32_bit() {
    local cross=tools/cross/i686-linux-gnu.ini
    can_cross 32-bit $cross i686-linux-gnu-gcc || return
    targets=meson-test-prereq \
        check 32-bit i686-linux-gnu-gcc --cross-file $cross -- -t 4 --suite unit --suite fuzz
}

# What deps.sh cannot install fails here, with its reason.
tools/deps.sh || exit 1
mkdir -p build-check

check gcc gcc --
if [ $quick = no ]; then
    # What is no test (benchmarks) is built by gcc and clang alone.
    targets=meson-test-prereq
    check sanitize gcc -Db_sanitize=address,undefined -- -t 4 --no-suite once
    check threads gcc -Db_sanitize=thread -- -t 4 --suite threads
    check portable gcc -Dportable=true -- --no-suite cli --no-suite python
    targets=
    check clang clang -- --suite unit
    check_arm64
    check_32_bit
fi

echo "== ${SECONDS} s in all"
[ ${#broken[@]} -eq 0 ] || echo "== failed: ${broken[*]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
