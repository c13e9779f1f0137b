#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# check.sh TEST-VECTORS TEST-DATASETS: makes all vectors and holds the readers against them
# and against those that are kept. Runs in an empty folder.
set -euo pipefail
here=$PCR_SOURCE_ROOT/tests/vectors
python=${PYTHON:-python3}

if ! "$python" -c 'import PIL, xxhash, zstandard' 2>/dev/null; then
    echo "skipped: Python lacks Pillow, xxhash or zstandard (tools/deps.sh installs them)"
    exit 77
fi
"$python" -B "$here/make_vectors.py" all
"$1" all "$here"/golden/*
"$2" all "$here"/golden/*
"$python" -B "$here/check_reference.py" all "$here"/golden/*

# README.md describes each vector.
missing=0
while IFS=$'\t' read -r file _; do
    case $file in
    datasets/*) name=$file ;;
    *) name=${file%.*} ;;
    esac
    if ! grep -qF "| \`$name\` |" "$here/README.md"; then
        echo "README.md does not describe $name (make_vectors.py --table prints what it needs)"
        missing=1
    fi
done < <(cat all/index.tsv; sed 's,^,datasets/,' all/datasets/index.tsv)
exit $missing
