/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts a coded sample together at any fidelity, apart from the library's own way. */
#include "assemble.h"

#include "jpeg/coding.h"

int pcr_gen_assemble(const struct pcri_coded *p, const struct pcr_ladder *ladder,
                     uint32_t fidelity, struct pcr_buffer *out, struct pcr_error *err)
{
    uint16_t counts[32];
    uint32_t group_count = pcr_ladder_group_count(ladder);
    const uint8_t *string = p->strings.data, *bytes = p->bytes.data;
    const struct pcri_piece *piece = p->pieces;
    int rc = 0;

    out->nbytes = 0;
    pcri_ladder_piece_counts(ladder, counts);
    for (uint32_t i = 0; !rc && i < p->item_count; i++) {
        if (p->items[i].kind == PCRI_ITEM_NEEDED || fidelity == group_count)
            rc = pcri_buffer_append(out, string, p->items[i].nbytes, err);
        string += p->items[i].nbytes;
    }
    for (uint32_t g = 0; g < fidelity; g++) {
        for (uint32_t k = 0; !rc && k < counts[g]; k++, piece++) {
            rc = pcri_buffer_append(out, string, piece->string_nbytes, err);
            if (!rc)
                rc = pcri_buffer_append(out, bytes, piece->nbytes, err);
            string += piece->string_nbytes;
            bytes += piece->nbytes;
        }
    }
    return rc ? rc : pcri_buffer_append(out, "\xFF\xD9", 2, err);
}
