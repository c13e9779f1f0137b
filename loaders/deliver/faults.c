/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples were left out or degraded, and why. */
#include <stdlib.h>

#include "faults.h"
#include "../../libpcr/base/base.h"

int pcri_faults_init(struct pcri_faults *f, const struct pcr_loader_options *o,
                     struct pcr_error *err)
{
    if (o->bad_sample == PCR_SAMPLE_ERROR)
        return 0;
    f->items = pcri_calloc(PCR_LOADER_FAULTS, sizeof(*f->items), err);
    return f->items ? 0 : PCR_ERR_NOMEM;
}

void pcri_faults_free(struct pcri_faults *f)
{
    free(f->items);
    *f = (struct pcri_faults) { 0 };
}

void pcri_faults_add(struct pcri_faults *f, const struct pcr_loader_fault *fault)
{
    if (f->items)
        f->items[f->count++ % PCR_LOADER_FAULTS] = *fault;
}
