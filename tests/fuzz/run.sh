#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Fuzzes one target for some seconds, from generated seeds and the tree's own corpus.
set -euo pipefail

usage() {
    cat <<'END'
usage: tests/fuzz/run.sh TARGET SECONDS [SEED-FOLDER...]

Builds TARGET with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer in
build-fuzz/ (what decodes: build-fuzz-codec/), makes seeds, and fuzzes. Inputs that it finds stay
there in corpus/TARGET, crashes in crashes/TARGET. The exit status is that of libFuzzer: 0 where
nothing was found.

  cache        damaged cache files
  decode       image files, by our own decoder and libjpeg-turbo
  folders      names of folders and files in a tree of images
  head         record heads
  header       record headers
  icc          colour profiles
  ladder       ladders' text
  lists        lists of images, CSV and JSON lines
  manifest     manifests
  materialise  records' groups, to files
  packed       coefficients in coding 2: packed, changed, decoded; its tables
  pictures     PNG, WebP, TIFF, GIF, BMP, PNM: whole, by rows and resized
  prefix       coefficients of JPEG files, by our own decoder and libjpeg-turbo
  records      formats of records; tar and zip archives; annotations
  residual     residuals of exact pictures: made, changed, applied
  restore      JPEG files restored byte for byte, and changed restore programs
  resume       what a conversion goes on from: records' tails, the state file
  spans        packed images raised from one fidelity to the next
  split        JPEG files as sources: packed, and decoded at fidelities
  state        loaders' states

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

setup=()
case $target in
decode | packed | pictures | prefix | residual | restore | spans | split)
    # Tracing the comparisons in decoders' loops, and counting how rare each of so many features
    # is, would take most of the time. Small files show what large ones do.
    options=(-entropic=0 -max_len=2048)
    [ "$target" != split ] || options=(-entropic=0 -max_len=1024) # decodes each several times
    if [ -z "$suffix" ]; then
        suffix=-codec setup=(-Dc_args=-fno-sanitize-coverage=trace-cmp)
    fi
    ;;
*) options=(-max_len=65536) ;;
esac
build=${PCR_FUZZ_BUILD:-build-fuzz$suffix}

case $sanitize-$target in
memory-folders | memory-icc | memory-lists | memory-manifest | memory-pictures | memory-records | \
    memory-resume | memory-spans | memory-split)
    echo "$target calls libraries that MemorySanitizer does not see through" >&2
    exit 2
    ;;
esac
# It takes a shuffle's bytes for unwritten where others were.
[ "$sanitize-$target" != memory-packed ] || export PCR_CPU=${PCR_CPU:-avx2}
if [ ! -d "$build" ]; then
    CC=${CC:-clang} meson setup "$build" -Dfuzz=true -Db_sanitize="$sanitize" -Db_lundef=false \
        "${setup[@]}" >/dev/null
fi
ninja -C "$build" "tests/fuzz/fuzz-$target" tests/generator/pcr-gen >/dev/null
build=$(realpath "$build")
corpus=$build/corpus/$target crashes=$build/crashes/$target seeds=$build/seeds/$target
mkdir -p "$corpus" "$crashes" "$build/seeds"
# The generator uses libjpeg, so MemorySanitizer's reports on it are void.
[ -d "$seeds" ] || MSAN_OPTIONS=report_umrs=0 tests/fuzz/seeds.sh "$target" "$seeds" \
    "$build/tests/generator/pcr-gen"
folders=("$seeds")
[ ! -d "$seeds/good" ] || folders=("$seeds"/*)
kept=tests/fuzz/corpus/$target
[ ! -d "$kept" ] || folders+=("$kept")

# Leaks are looked for at the end: most targets keep memory for the next input, where libFuzzer
# suspects one each time, starts a thread and runs the input again.
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:malloc_context_size=2
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec "$build/tests/fuzz/fuzz-$target" -max_total_time="$seconds" -timeout=20 \
    -rss_limit_mb="${PCR_FUZZ_RSS:-2048}" -print_final_stats=1 -detect_leaks=0 "${options[@]}" \
    -artifact_prefix="$crashes/" "$corpus" "${folders[@]}" "$@"
