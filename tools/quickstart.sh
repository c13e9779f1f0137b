#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# From a folder of images to batches at any fidelity, in one go.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/quickstart.sh [IMAGE_FOLDER]

Installs what is missing, builds libpcr in build/, converts IMAGE_FOLDER (or generated
images) into a dataset in build/quickstart/, shows what is in it, and reads it back at several
fidelities from C and from Python. A line for each step; the rest is in build/quickstart/log.
The same command continues a conversion that was stopped.
END
}

source=
case $#:${1-} in
1:-h | 1:--help) usage; exit 0 ;;
0:) ;;
1:-*) usage >&2; exit 2 ;;
1:*)
    if [ ! -d "$1" ]; then
        echo "quickstart.sh: $1 is not a folder" >&2
        exit 1
    fi
    source=$(cd "$1" && pwd)
    ;;
*) usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# The distribution's own meson and python3, never others that happen to come first.
export PATH=/usr/bin:$PATH

out=build/quickstart
log=$out/log
mkdir -p $out
: >$log

# step WHAT COMMAND...: one line with the time; the output is in the log.
step() {
    local began=$SECONDS what=$1
    shift
    printf '%-44s' "$what"
    if ! "$@" >>$log 2>&1; then
        printf 'failed\n'
        tail -n 30 $log >&2
        echo "quickstart.sh: failed: $* (all output: $log)" >&2
        exit 1
    fi
    printf '%4d s\n' $((SECONDS - began))
}

# show WHAT COMMAND...: the same with the output, and the command to repeat it.
show() {
    local began=$SECONDS what=$1 status=0
    shift
    printf '\n$ %s\n' "$*"
    "$@" || status=$?
    [ $status -ne 0 ] || printf -- '-- %-41s%4d s\n' "$what" $((SECONDS - began))
    return $status
}

configure() {
    if [ -f build/build.ninja ]; then
        meson configure build --buildtype=release -Dtests=true
    else
        meson setup build --buildtype=release
    fi
}

generate() {
    rm -rf $out/images $out/unfinished
    build/tests/generator/pcr-gen photos $out/unfinished --count 200 --splits
    mv $out/unfinished $out/images
}

step "packages that are missing (apt)" tools/deps.sh --run
step "configure (meson)" configure
step "build library, pcrtool and samples (ninja)" ninja -C build pcrtool/pcrtool \
    samples/read_dataset samples/write_dataset tests/generator/pcr-gen
if [ -z "$source" ]; then
    source=$out/images
    [ -d $source ] || step "generate 200 images" generate
fi

# A dataset for each folder, so that a conversion that was stopped is continued.
dataset=$out/$(basename "$source")-$(echo "$source" | cksum | cut -d' ' -f1).pcr
tool=build/pcrtool/pcrtool
if ! $tool info "$dataset" >>$log 2>&1 && [ -e "$dataset" ]; then
    printf '\nContinues what is in %s.\n' "$dataset"
fi
status=0
show "converted" $tool convert --on-bad skip "$source" "$dataset" || status=$?
why=
[ $status -ne 1 ] || why=$($tool convert --quiet --on-bad skip "$source" "$dataset" 2>&1) || true
if [[ $why == *"another dataset" || $why == *"another folder" ]]; then
    echo "(the images or libpcr have changed since: it is made anew)"
    rm -rf "$dataset"
    status=0
    show "converted" $tool convert --on-bad skip "$source" "$dataset" || status=$?
fi
case $status in
0) ;;
3) echo "(some inputs were left out: see $dataset/errors.jsonl)" ;;
*) exit $status ;;
esac

show "described" $tool info "$dataset"
show "measured" $tool bench "$dataset" --fidelity 2
show "read by C" build/samples/read_dataset "$dataset"
export PYTHONPATH=loaders/python PCR_LIBRARY=$PWD/build/libpcr.so
show "read by Python, first coarse, then whole" /usr/bin/python3 - "$dataset" <<'END'
import sys

import pcr

with pcr.Loader(sys.argv[1], split="all", batch_size=64, size=224, fidelity=2) as loader:
    for fidelity in (2, None):
        loader.set_fidelity(fidelity)
        shapes = [images.shape for images, labels in loader]
        print(f"fidelity {fidelity or 'full'}: {sum(shape[0] for shape in shapes)} images in "
              f"{len(shapes)} batches, the first {shapes[0]}")
END
if /usr/bin/python3 -c 'import torch' 2>>$log; then
    show "trained" /usr/bin/python3 samples/train_resnet.py "$dataset"
else
    echo "(PyTorch is not installed: samples/train_resnet.py was not run)"
fi

cat <<END

Done in $SECONDS s. What to do next:
  - look at one image at each fidelity:
      build/pcrtool/pcrtool cat $dataset @0 --fidelity 1 -o coarse.jpg
      build/pcrtool/pcrtool cat $dataset @0 -o full.jpg
  - convert your own images: a folder with one folder a class, with or without
    train/validation/test folders above, or a flat folder:
      tools/quickstart.sh IMAGE_FOLDER
  - start from samples/train_resnet.py for training, samples/*.c for C programs
  - install:  README.md, "Install"
  - run all tests:  tools/check.sh
END
