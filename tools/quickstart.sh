#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# From a folder of images to batches at any fidelity, in one go.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/quickstart.sh [IMAGE_FOLDER]

Installs what is missing, builds libpcr in build/, converts IMAGE_FOLDER (or generated
images) to build/quickstart/dataset.pcr, shows what is in it, and reads it back at several
fidelities from C and from Python. Prints each command as it runs it.
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

run() {
    echo
    echo "\$ $*"
    "$@"
}

run tools/deps.sh --run
if [ -f build/build.ninja ]; then
    run meson configure build --buildtype=release
else
    run meson setup build --buildtype=release
fi
run ninja -C build

out=build/quickstart
dataset=$out/dataset.pcr
mkdir -p $out
if [ -z "$source" ]; then
    source=$out/images
    run rm -rf $source
    run build/tests/generator/pcr-gen photos $source --count 200 --splits
fi
run rm -rf $dataset
status=0
run build/pcrtool/pcrtool convert --on-bad skip "$source" $dataset || status=$?
if [ $status -ne 0 ] && [ $status -ne 3 ]; then
    exit $status
fi
[ $status -eq 0 ] || echo "(some inputs were left out: see $dataset/errors.jsonl)"

run build/pcrtool/pcrtool info $dataset
run build/samples/read_dataset $dataset
run build/pcrtool/pcrtool bench $dataset --fidelity 2
if /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    run env PYTHONPATH=loaders/python PCR_LIBRARY="$PWD/build/libpcr.so" \
        /usr/bin/python3 samples/train_resnet.py $dataset
else
    echo "(PyTorch is not installed: samples/train_resnet.py was not run)"
fi

cat <<END

Done. What to do next:
  - look at one image at each fidelity:
      build/pcrtool/pcrtool cat $dataset @0 --fidelity 1 -o coarse.jpg
      build/pcrtool/pcrtool cat $dataset @0 -o full.jpg
  - convert your own images: a folder with one folder a class, with or without
    train/validation/test folders above, or a flat folder:
      tools/quickstart.sh IMAGE_FOLDER
  - start from samples/train_resnet.py for training, samples/*.c for C programs
  - install:  meson install -C build  and  pip install .
  - run all tests:  tools/check.sh
END
