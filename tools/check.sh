#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Builds libpcr in several configurations and runs the tests in each; ends with the totals.
set -uo pipefail

usage() {
    cat <<'END'
usage: tools/check.sh [--quick] [-v | --verbose]

Installs what is missing (tools/deps.sh), builds in build-check/, runs the tests.

  gcc       all tests; warnings are errors, as everywhere but with sanitizers
  sanitize  AddressSanitizer and UndefinedBehaviorSanitizer; all tests but Python's and the
            suite "once" (pcrtool bench and doctor run among the faults)
  threads   ThreadSanitizer; the tests that have threads
  portable  without code for particular CPUs; vectors, fuzz targets' inputs, and unit tests but
            those that have threads, which use no such code beyond what the others test
  clang     the other compiler; unit tests but those that have threads, each once
  arm64     64-bit ARM, run by QEMU: pixel kernels and decoders; skipped where what
            tools/cross/aarch64-linux-gnu.ini names is not installed
  32-bit    32-bit x86: unit tests and fuzz targets' inputs; skipped where what
            tools/cross/i686-linux-gnu.ini names is not installed

  --quick   only gcc, and of its tests the suites "unit", "cli" and "python" without the suite
            "slow": what takes long, and unit tests once more as for other CPUs
  -v, --verbose
            all output of meson, ninja and the tests; otherwise it is in build-check/NAME.log

Prints a line when a configuration is built and one when its tests have run. A test program of
which every test is skipped counts as skipped. Before the totals come the failed tests, the
end of each one's output, and a list of their names. The last line is
"N passed, N failed, N skipped", over all configurations; a build that fails counts as a
failed test. The exit status is 0 where nothing failed.
END
}

quick=no verbose=no
for arg; do
    case $arg in
    --quick) quick=yes ;;
    -v | --verbose) verbose=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "check.sh: unknown option $arg" >&2; usage >&2; exit 2 ;;
    esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# The distribution's own meson and python3, never others that happen to come first.
export PATH=/usr/bin:$PATH
# Tests ask for more memory than there is, and want NULL. What is freed is kept from use for the
# next 16 MB, not 256: fresh pages took up to a seventh of a test's time.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:quarantine_size_mb=16
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Sanitizers are slow, and the machine may be busy.
export CK_TIMEOUT_MULTIPLIER=10
export TSAN_OPTIONS=allocator_may_return_null=1:halt_on_error=1

passed=0 failed=0 skipped=0
failures=build-check/failures
jobs=$(($(nproc) + 2)) # some tests wait more than they work

# Runs a command with its output in file $1, and on the terminal too where that is asked for.
logged() {
    local log=$1
    shift
    if [ $verbose = yes ]; then
        "$@" 2>&1 | tee -a "$log"
    else
        "$@" >>"$log" 2>&1
    fi
}

# failure NAME WHY LOG: what failed other than a test, with the end of a log.
failure() {
    failed=$((failed + 1))
    echo "== $1: $2"
    { echo "== failed: $1: $2"; tail -n 40 "$3"; } >>$failures
}

# check NAME CC MESON_OPTIONS -- SELECTION_OF_TESTS: one configuration. Builds the selected
# tests' programs; everything if $everything is set.
check() {
    local name=$1 compiler=$2 began=$SECONDS setup=() programs=()
    shift 2
    while [ "$1" != -- ]; do
        setup+=("$1")
        shift
    done
    shift
    local dir=build-check/$name log=build-check/$name.log
    rm -rf "$dir" "$log"
    if ! CC="$ccache $compiler" logged "$log" meson setup "$dir" "${setup[@]}" ||
        { [ -z "${everything:-}" ] &&
            ! read -r -d '' -a programs < <(tools/check_tests.py programs "$dir" "$@" &&
                printf '\0'); } ||
        ! logged "$log" ninja -C "$dir" "${programs[@]}"; then
        failure "$name" "the build failed" "$log"
        return
    fi
    echo "== $name: built in $((SECONDS - began)) s: $compiler ${setup[*]}"

    began=$SECONDS
    logged "$log" meson test -C "$dir" --no-rebuild --print-errorlogs -t 4 \
        --num-processes $jobs "$@"
    local status=$? said ok=0 bad=0 left=0
    said=$(tools/check_tests.py results "$dir" "$name" $failures)
    read -r ok bad left <<<"${said##*$'\n'}"
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + left))
    echo "== $name: $ok passed, $bad failed, $left skipped in $((SECONDS - began)) s"
    sed '$d' <<<"$said"
    if [ $((ok + bad + left)) -eq 0 ] || { [ $status -ne 0 ] && [ "$bad" -eq 0 ]; }; then
        failure "$name" "the tests did not end as they should (status $status)" "$log"
    fi
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
    check arm64 aarch64-linux-gnu-gcc $error --cross-file $cross -Ddebug=false -- \
        guards kernels native packed packed_samples packed_tables prefix prefix_steps refine \
        residual resize
}

check_32_bit() {
    local cross=tools/cross/i686-linux-gnu.ini
    can_cross 32-bit $cross i686-linux-gnu-gcc || return
    check 32-bit i686-linux-gnu-gcc $error --cross-file $cross -Ddebug=false -- \
        --suite unit --suite fuzz
}

# What deps.sh cannot install fails here, with its reason.
tools/deps.sh || exit 1
mkdir -p build-check
: >$failures
ccache=$(command -v ccache)
if [ -n "$ccache" ] && ! "$ccache" gcc -x c -c /dev/null -o build-check/nothing.o 2>/dev/null; then
    ccache= # its folder cannot be written
fi

error=-Dwerror=true
if [ $quick = yes ]; then
    check gcc gcc $error -Ddebug=false -- --suite unit --suite cli --suite python --no-suite slow
else
    everything=yes check gcc gcc $error -Ddebug=false --
    # Sanitizers' builds are for finding, not for speed, and lines of the source are enough to
    # tell by. GCC has false warnings with them.
    check sanitize gcc -Db_sanitize=address,undefined -Doptimization=1 -Dc_args=-g1 -- \
        --no-suite once
    check threads gcc -Db_sanitize=thread -Dc_args=-g1 -- --suite threads
    check portable gcc $error -Dportable=true -Ddebug=false -- \
        --suite unit --suite vectors --suite fuzz --no-suite threads
    everything=yes check clang clang $error -Ddebug=false -- \
        --suite unit --no-suite threads --no-suite slow
    check_arm64
    check_32_bit
fi

cat $failures
echo "== $SECONDS s in all"
grep '^== failed: ' $failures
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
