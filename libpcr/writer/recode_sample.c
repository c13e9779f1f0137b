/* SPDX-License-Identifier: BSD-2-Clause */
/* One sample of a dataset that is recoded. */
#include <pcr/dataset.h>

#include "write.h"

/* What is opaque stays so, and so becomes what the coding cannot hold. */
static int code(struct pcri_worker *t, const struct pcr_sample *sample, uint32_t coding,
                struct pcri_coded *out, struct pcr_error *err)
{
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    int rc = PCR_ERR_UNSUPPORTED;
    if (coding != PCR_CODING_OPAQUE)
        rc = pcri_coder_encode(t->coder, t->write->tables, t->file.data, t->file.nbytes, out,
                               &why);
    if (rc == PCR_ERR_UNSUPPORTED) {
        rc = pcr_sample_read(sample, PCR_FIDELITY_FULL, &t->file, err);
        return rc ? rc : pcri_sample_keep_whole(t, coding != PCR_CODING_OPAQUE, out, err);
    }
    return pcri_hand_on(err, rc, &why);
}

static int code_sample(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                       struct pcr_error *err)
{
    struct pcr_sample_info info = { .size = sizeof(info) };
    bool lost;
    int rc = pcr_sample_acquire(t->write->recode->dataset, index, &slot->held, err);
    if (!rc)
        rc = pcr_sample_describe(slot->held, &info, err);
    if (rc)
        return rc;
    pcri_recode_describe(&info, &slot->sample);
    if (pcri_label_check(&t->write->plan, &slot->sample, NULL))
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "other labels than the manifest says");
    struct pcr_buffer attributes = { 0 };
    if (!rc)
        rc = pcr_sample_attributes(slot->held, &attributes, err);
    slot->attributes = (char *) attributes.data;
    if (!rc)
        rc = pcri_sample_load(t, index, &lost, err);
    if (!rc)
        rc = code(t, slot->held, info.coding, &slot->coded, err);
    slot->coded.source_nbytes = info.source_nbytes;
    return rc ? pcri_sample_prefix(&slot->sample, rc, err) : 0;
}

int pcri_recode_sample(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                       struct pcr_error *err)
{
    int rc = code_sample(t, index, slot, err);
    int given = pcri_worker_rest(t, rc ? NULL : err);
    return rc ? rc : given;
}
