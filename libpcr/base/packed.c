/* SPDX-License-Identifier: BSD-2-Clause */
/* Freeing a packed sample, and the place of its notes. */
#include <stdlib.h>

#include "packed.h"

void pcri_packed_free(struct pcri_packed *p)
{
    if (!p)
        return;
    free(p->items);
    free(p->pieces);
    free(p->notes);
    pcr_buffer_free(&p->strings);
    pcr_buffer_free(&p->bytes);
    *p = (struct pcri_packed) { 0 };
}

struct pcri_notes *pcri_packed_notes(struct pcri_packed *p, struct pcr_error *err)
{
    if (!p->notes)
        p->notes = pcri_calloc(1, sizeof(*p->notes), err);
    return p->notes;
}
