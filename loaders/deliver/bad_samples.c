/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples were left out or degraded, and why. */
#include <stdlib.h>

#include "bad_samples.h"
#include "../../libpcr/base/base.h"

int pcri_bad_samples_init(struct pcri_bad_samples *f, const struct pcr_loader_options *o,
                          struct pcr_error *err)
{
    if (o->bad_sample == PCR_SAMPLE_ERROR)
        return 0;
    f->items = pcri_calloc(PCR_LOADER_BAD_SAMPLES, sizeof(*f->items), err);
    return f->items ? 0 : PCR_ERR_NOMEM;
}

void pcri_bad_samples_free(struct pcri_bad_samples *f)
{
    free(f->items);
    *f = (struct pcri_bad_samples) { 0 };
}

void pcri_bad_samples_add(struct pcri_bad_samples *f, const struct pcr_bad_sample *sample)
{
    if (f->items)
        f->items[f->count++ % PCR_LOADER_BAD_SAMPLES] = *sample;
}
