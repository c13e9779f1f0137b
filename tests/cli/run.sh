#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh SCRIPT [ARGUMENT...]: runs a test script in an empty folder, and removes it.
set -u
folder=$(mktemp -d "${TMPDIR:-/tmp}/pcr-test.XXXXXX") || exit 99
trap 'chmod -R u+rwX "$folder" && rm -rf "$folder"' EXIT
cd "$folder" || exit 99
export LC_ALL=C.UTF-8
export PYTHONDONTWRITEBYTECODE=1
unset NO_COLOR PCR_LIBRARY
case $1 in
*.py) "${PYTHON:-python3}" "$@" ;;
*) bash "$@" ;;
esac
