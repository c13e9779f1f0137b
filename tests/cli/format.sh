#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tree's C is laid out as .clang-format says. Skipped without clang-format 14 or git's files.
set -euo pipefail
git -C "$PCR_SOURCE_ROOT" rev-parse >/dev/null 2>&1 || exit 77
exec "$PCR_SOURCE_ROOT/tools/format.sh" --check
