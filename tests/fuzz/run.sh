#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Fuzzes one target for some seconds, from generated seeds and the tree's own corpus.
set -euo pipefail

usage() {
    cat <<'END'
usage: tests/fuzz/run.sh TARGET SECONDS [SEED-FOLDER...]

Builds TARGET (decode, head, header, manifest, materialise, prefix, split) with clang,
libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer in build-fuzz/, makes seeds,
and fuzzes.
Inputs that it finds stay in build-fuzz/corpus/TARGET, crashes in build-fuzz/crashes/TARGET.
The exit status is that of libFuzzer: 0 where nothing was found.

  SEED-FOLDER   further inputs to start from; not changed

Environment: PCR_FUZZ_BUILD, the build folder; PCR_FUZZ_RSS, memory limit in MB (2048);
PCR_FUZZ_SANITIZE, other sanitizers. With `memory` (MemorySanitizer) the build folder is
build-fuzz-memory/, and decode, head, header, materialise and prefix run our own code alone,
for libraries that were built without it look as if they wrote nothing.
END
}

if [ $# -lt 2 ]; then
    usage >&2
    exit 2
fi
target=$1 seconds=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH=/usr/bin:$PATH
sanitize=${PCR_FUZZ_SANITIZE:-address,undefined} suffix=
[ "$sanitize" = address,undefined ] || suffix=-$sanitize
build=${PCR_FUZZ_BUILD:-build-fuzz$suffix}

case $sanitize-$target in
memory-manifest | memory-split)
    echo "$target calls libraries that MemorySanitizer does not see through" >&2
    exit 2
    ;;
esac
if [ ! -d "$build" ]; then
    CC=clang meson setup "$build" -Dfuzz=true -Db_sanitize="$sanitize" \
        -Db_lundef=false >/dev/null
fi
ninja -C "$build" "tests/fuzz/fuzz-$target" tests/generator/pcr-gen >/dev/null
build=$(realpath "$build")
corpus=$build/corpus/$target crashes=$build/crashes/$target seeds=$build/seeds
mkdir -p "$corpus" "$crashes" "$seeds"

case $target in
decode | prefix | split)
    # The generator uses libjpeg, so MemorySanitizer's reports on it are void.
    [ -d "$seeds/cases" ] \
        || MSAN_OPTIONS=report_umrs=0 "$build/tests/generator/pcr-gen" cases "$seeds/cases"
    set -- "$seeds"/cases/* "$@"
    ;;
*)
    [ -d "$seeds/$target" ] || python3 -B tests/vectors/make_vectors.py --seeds "$target" \
        "$seeds/$target"
    set -- "$seeds/$target" "$@"
    ;;
esac
kept=tests/fuzz/corpus/$target
[ ! -d "$kept" ] || set -- "$kept" "$@"

export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec "$build/tests/fuzz/fuzz-$target" -max_total_time="$seconds" -timeout=20 \
    -rss_limit_mb="${PCR_FUZZ_RSS:-2048}" -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$crashes/" "$corpus" "$@"
