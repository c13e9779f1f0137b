/* SPDX-License-Identifier: BSD-2-Clause */
/* One sample of a dataset that is recoded. */
#include <pcr/dataset.h>

#include "../dataset/original.h"
#include "write.h"

/* Takes over what restores the source file, if there is something, and proves it. */
static int carry_original(struct pcri_worker *t, const struct pcr_sample_info *info,
                          struct pcri_coded *out, struct pcr_error *err)
{
    struct pcr_dataset *ds = t->write->recode->dataset;
    const struct pcri_restore_column *column;
    struct pcri_held *held = NULL;
    int rc = t->write->originals ? pcri_hold(ds, info->record, &held, err) : 0;
    if (rc || !held)
        return rc;
    rc = pcri_held_originals(ds, held, &column, err);
    const struct pcr_span program = rc ? (struct pcr_span) { NULL, 0 }
                                       : pcri_restore_program(column, info->record_index,
                                                              &out->restore_check);
    if (!rc)
        rc = pcri_buffer_append(&out->restore, program.data, program.nbytes, err);
    pcri_let_go(ds, held);
    return rc || !program.nbytes ? rc : pcri_coder_restore(t->coder, out, err);
}

/* Keeps the source file, or where it was not kept, the sample as a file. */
static int keep_whole(struct pcri_worker *t, const struct pcr_sample *sample, bool coded,
                      struct pcri_coded *out, struct pcr_error *err)
{
    struct pcr_error why;
    int rc = t->write->originals && coded
                 ? pcr_sample_original(sample, t->decoder, &t->file, &why)
                 : PCR_ERR_UNSUPPORTED;
    if (rc == PCR_ERR_UNSUPPORTED)
        rc = pcr_sample_read(sample, PCR_FIDELITY_FULL, &t->file, &why);
    return rc ? pcri_hand_on(err, rc, &why) : pcri_sample_keep_whole(t, coded, out, err);
}

/* What is opaque stays so, and so becomes what the coding cannot hold. */
static int code(struct pcri_worker *t, const struct pcr_sample *sample,
                const struct pcr_sample_info *info, struct pcri_coded *out,
                struct pcr_error *err)
{
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    const bool coded = info->coding != PCR_CODING_OPAQUE;
    int rc = PCR_ERR_UNSUPPORTED;
    if (coded)
        rc = pcri_coder_encode(t->coder, t->write->tables, t->file.data, t->file.nbytes, out,
                               &why);
    if (!rc) {
        rc = info->exact ? pcri_exact_attach(t->write, &t->exact, out, &why)
                         : carry_original(t, info, out, &why);
        if (rc)
            pcri_coded_free(out);
    }
    return rc == PCR_ERR_UNSUPPORTED ? keep_whole(t, sample, coded, out, err)
                                     : pcri_hand_on(err, rc, &why);
}

static int take_blobs(struct pcri_slot *slot, const struct pcr_dataset *ds,
                      struct pcr_error *err)
{
    struct pcr_buffer bytes = { 0 };
    const char *name;
    int rc = 0;
    for (uint32_t i = 0; !rc && (name = pcr_dataset_blob_name(ds, i)); i++) {
        rc = pcr_sample_blob(slot->held, name, &bytes, err);
        if (!rc)
            rc = pcri_blob_list_add(&slot->blobs, name, &bytes, err);
        rc = rc == PCR_END ? 0 : rc;
    }
    pcr_buffer_free(&bytes);
    return rc;
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
        rc = take_blobs(slot, t->write->recode->dataset, err);
    if (!rc && t->write->originals)
        rc = pcr_sample_file_info(slot->held, &slot->sample.file, err);
    if (!rc)
        rc = pcri_sample_load(t, index, &lost, err);
    if (!rc)
        rc = code(t, slot->held, &info, &slot->coded, err);
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
