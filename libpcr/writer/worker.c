/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker's tools: made, kept from picture to picture, and renewed. */
#include "write.h"

int pcri_worker_equip(struct pcri_worker *t, struct pcr_error *err)
{
    const struct pcri_coder_memory memory = { pcri_memory_take, t };
    int rc = 0;
    if (!t->coder)
        rc = pcri_coder_create(t->write->coding, t->write->ladder, t->write->opts.limits,
                               &memory, &t->coder, err);
    if (!rc)
        t->coder->restorable = t->write->originals;
    if (!rc && !t->decoder)
        rc = pcr_decoder_create(&t->decoder, err);
    return rc;
}

void pcri_worker_free(struct pcri_worker *t)
{
    pcri_coder_destroy(&t->coder);
    pcr_decoder_destroy(&t->decoder);
    pcr_buffer_free(&t->file);
    pcr_buffer_free(&t->pixels);
    pcri_exact_free(&t->exact);
}

int pcri_worker_rest(struct pcri_worker *t, struct pcr_error *err)
{
    bool keep = pcri_memory_is_spare(t);
    if (!keep)
        pcri_worker_free(t);
    pcri_memory_give(t);
    return keep ? 0 : pcri_worker_equip(t, err);
}
