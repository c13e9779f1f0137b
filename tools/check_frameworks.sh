#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the Python tests that need PyTorch, JAX, TensorFlow, other loaders or packages around them.
set -uo pipefail

usage() {
    cat <<'END'
usage: tools/check_frameworks.sh [REQUIREMENT...]

Builds in build-check/frameworks, installs the frameworks into a virtual environment there, and
runs the tests that the normal suite skips without them; says with which versions.

REQUIREMENT is handed to pip with the frameworks' names, to choose versions ("torch==2.9.1").
PYTHON: the interpreter, python3 unless set. pip's own variables (PIP_INDEX_URL and such) hold.
END
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
-*) echo "check_frameworks.sh: unknown option $1" >&2; usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
python=${PYTHON:-$(command -v python3)}
dir=build-check/frameworks
mkdir -p build-check
[ -d $dir ] || PATH=/usr/bin:$PATH meson setup $dir --buildtype=release >$dir.log || exit 1
PATH=/usr/bin:$PATH ninja -C $dir libpcr.so.0.1.0 pcrtool/pcrtool \
    tests/generator/pcr-gen >>$dir.log ||
    { tail -n 40 $dir.log; exit 1; }
[ -x $dir/venv/bin/python ] || "$python" -m venv $dir/venv || exit 1
packages="torch torchvision torchdata lightning accelerate transformers datasets pyarrow"
packages="$packages jax grain tensorflow-cpu numpy pillow-heif pillow-avif-plugin"
packages="$packages pillow-jxl-plugin webdataset lmdb zstandard xxhash"
# Their requirements exclude new releases of the packages above; what they import is named beside.
bare="mosaicml-streaming litdata tfrecord"
imported="boto3 brotli catalogue crc32c python-snappy zstd"
$dir/venv/bin/python -m pip install -q $packages $imported pytest pillow "$@" || exit 1
$dir/venv/bin/python -m pip install -q --no-deps $bare || exit 1
packages="$packages $bare"
$dir/venv/bin/python -m pip list --format=freeze | grep -E "^($(tr " -" "|." <<<"$packages"))=="
export PYTHONPATH=$PWD/loaders/python PCR_LIBRARY=$PWD/$dir/libpcr.so PCR_SOURCE_ROOT=$PWD
export PCRTOOL=$PWD/$dir/pcrtool/pcrtool
export PYTHONDONTWRITEBYTECODE=1
status=0
$dir/venv/bin/python -m pytest -q -rs -p no:cacheprovider tests/python/test_torch*.py \
    tests/python/test_frameworks_*.py tests/python/test_formats.py tests/python/test_moving.py \
    tests/python/test_loader*.py tests/python/test_pillow.py tests/python/test_boxes*.py \
    tests/python/test_columns.py tests/python/test_labels.py tests/python/test_documents.py \
    tests/python/test_export.py tests/python/test_archives.py tests/python/test_import_*.py ||
    status=1
for test in sample_train sample_study; do
    if PYTHON=$PWD/$dir/venv/bin/python LIBPCR=$PCR_LIBRARY \
        PCR_GEN=$PWD/$dir/tests/generator/pcr-gen \
        tests/cli/run.sh "$PWD/tests/cli/$test.py"; then
        echo "tests/cli/$test.py: passed"
    else
        echo "tests/cli/$test.py: failed"
        status=1
    fi
done
exit $status
