/* SPDX-License-Identifier: BSD-2-Clause */
/* Freeing a packed sample. */
#include <stdlib.h>

#include "packed.h"

void pcri_packed_free(struct pcri_packed *p)
{
    if (!p)
        return;
    free(p->items);
    free(p->pieces);
    pcr_buffer_free(&p->strings);
    pcr_buffer_free(&p->bytes);
    *p = (struct pcri_packed) { 0 };
}
