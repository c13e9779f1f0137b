/* SPDX-License-Identifier: BSD-2-Clause */
/* Codes of refinement scans that are too long for a table. */
#include "decode_refine.h"

struct pcri_lookup_entry pcri_refine_slow(uint64_t word, const struct pcri_lookup *t)
{
    unsigned length;
    int symbol = pcri_slow_symbol(t, pcri_reverse16((uint32_t) word & 0xFFFF), &length);
    if (symbol < 0)
        return (struct pcri_lookup_entry) { 0 };
    return pcri_refine_entry((uint8_t) symbol, length, (uint32_t) (word >> length) & 1);
}
