#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each public header compiles alone, as strict C11 and as C++.
set -euo pipefail
include=$PCR_SOURCE_ROOT/libpcr/include
strict=(-fsyntax-only -Wall -Wextra -Wundef -pedantic-errors -Werror -I"$include")

cxx=$(command -v g++ || command -v clang++ || true)
[ -n "$cxx" ] || echo "no C++ compiler: C++ is not checked"

count=0
for header in "$include"/pcr/*.h; do
    name=pcr/${header##*/}
    # Twice: the guard holds. The declaration keeps the unit from being empty.
    printf '#include <%s>\n#include <%s>\nextern int unit;\n' "$name" "$name" >unit.c
    ${CC:-cc} -x c -std=c11 "${strict[@]}" unit.c
    [ -z "$cxx" ] || "$cxx" -x c++ -std=c++11 "${strict[@]}" unit.c
    count=$((count + 1))
done
[ $count -ge 9 ]
