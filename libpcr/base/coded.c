/* SPDX-License-Identifier: BSD-2-Clause */
/* Freeing a coded sample, and the place of its notes. */
#include <stdlib.h>

#include "coded.h"

void pcri_coded_free(struct pcri_coded *p)
{
    if (!p)
        return;
    free(p->items);
    free(p->pieces);
    free(p->quality);
    free(p->notes);
    pcr_buffer_free(&p->strings);
    pcr_buffer_free(&p->bytes);
    pcr_buffer_free(&p->restore);
    *p = (struct pcri_coded) { 0 };
}

struct pcri_notes *pcri_coded_notes(struct pcri_coded *p, struct pcr_error *err)
{
    if (!p->notes)
        p->notes = pcri_calloc(1, sizeof(*p->notes), err);
    return p->notes;
}
