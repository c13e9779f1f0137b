/* SPDX-License-Identifier: BSD-2-Clause */
/* Which samples were left out or degraded, and why. */
#include <stdlib.h>

#include "faults.h"
#include "schedule.h"

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

int pcr_loader_fault(const struct pcr_loader *loader, uint64_t i,
                     struct pcr_loader_fault *fault_out, struct pcr_error *err)
{
    struct pcr_loader *l = (struct pcr_loader *) loader; /* for its mutex */
    struct pcr_loader_fault found = { 0 };
    int rc = pcri_loader_check(loader, err);
    if (rc)
        return rc;
    if (!fault_out)
        return pcri_fail(err, PCR_ERR_INVAL, "no place for the fault");
    pthread_mutex_lock(&l->mutex);
    const struct pcri_faults *f = &l->faults;
    bool there = i < f->count && i < PCR_LOADER_FAULTS;
    if (there)
        found = f->items[(f->count - 1 - i) % PCR_LOADER_FAULTS];
    pthread_mutex_unlock(&l->mutex);
    return there ? pcri_info_copy(fault_out, &found, sizeof(found), err) : PCR_END;
}
