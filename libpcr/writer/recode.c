/* SPDX-License-Identifier: BSD-2-Clause */
/* pcr_dataset_recode(): the samples of a dataset, record by record, in another coding.
 *
 * It is a conversion whose source is the dataset: each sample is written out as a JPEG file,
 * which takes no pixels, and packed and proven like any other. What a file does not say is
 * carried over: everything that the record has about the sample, and its notes in the tail. */
#include <stdlib.h>

#include "../dataset/dataset.h"
#include "../jpeg/ladder.h"
#include "write.h"

/* Holds the sample that it describes, so that the pointers live until the next. */
static int describe(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    struct pcri_recode *r = context;
    struct pcr_sample_info info = { .size = sizeof(info) };
    pcr_sample_release(&r->described);
    int rc = pcr_sample_acquire(r->dataset, index, &r->described, err);
    if (!rc)
        rc = pcr_sample_describe(r->described, &info, err);
    if (rc)
        return rc;
    pcri_recode_describe(&info, out);
    rc = pcr_sample_attributes(r->described, &r->attributes, err);
    if (rc)
        return rc;
    out->attributes = (const char *) r->attributes.data;
    out->revision = r->revision;
    return 0;
}

static int check_dataset(const struct pcr_dataset *ds, struct pcr_error *err)
{
    if (!ds)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_dataset_recode: no dataset");
    if (!ds->text.nbytes)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "a single record has no manifest: recode its dataset");
    if (ds->record_count != ds->manifest.record_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "the dataset was opened with one of its splits: open all of it");
    if (ds->flags & PCR_DATASET_NO_VERIFY)
        return pcri_fail(err, PCR_ERR_INVAL, "the dataset was opened without its checksums");
    return 0;
}

static int check_options(const struct pcr_write_options *o, struct pcr_error *err)
{
    if (!o || !o->coding)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_dataset_recode: no coding");
    if ((o->flags & ~(uint32_t) PCR_WRITE_DRY_RUN) || o->seed || o->record_samples ||
        o->record_nbytes || o->bad_policy || o->opaque_policy || o->max_side || o->quality ||
        o->originals || o->pictures || o->target_nbytes)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "pcr_dataset_recode keeps samples, their order and their records: "
                         "only coding, ladder, thread_count, limits, max_memory_nbytes, "
                         "storage, callbacks and PCR_WRITE_DRY_RUN may be set");
    return 0;
}

/* The new coding's own ladder if the dataset has that of a coding, else the dataset's. */
static int choose_ladder(const struct pcr_dataset *ds, const struct pcri_coding *coding,
                         struct pcr_ladder **out, struct pcr_error *err)
{
    const char *text = ds->manifest.ladder;
    bool own = false;
    int rc = 0;
    for (size_t i = 0; !rc && !own && pcri_codings[i]; i++) {
        struct pcr_ladder *builtin = NULL;
        rc = pcr_ladder_create(pcri_codings[i]->ladder, &builtin, err);
        if (!rc)
            rc = pcri_ladder_extend(builtin, out, err);
        own = !rc && (!strcmp(pcr_ladder_text(builtin), text) ||
                      !strcmp(pcr_ladder_text(*out), text));
        pcr_ladder_destroy(&builtin);
        pcr_ladder_destroy(out);
    }
    if (rc)
        return rc;
    rc = own ? pcr_ladder_create(coding->ladder, out, err)
             : pcr_ladder_parse(text, strlen(text), out, err);
    return rc ? rc : pcri_coding_check(coding, *out, err);
}

/* When the dataset was finished: what was made of it before is of another one. */
static int find_revision(struct pcri_recode *r, struct pcr_error *err)
{
    const struct pcr_dataset *ds = r->dataset;
    struct pcri_found manifest = { 0 };
    if (!ds->storage->may_write) /* it cannot tell */
        return 0;
    int rc = pcri_storage_find(ds->storage, ds->folder, PCRI_MANIFEST_NAME, &manifest, err);
    r->revision = manifest.changed_ns;
    return rc;
}

int pcr_dataset_recode(struct pcr_dataset *source, const char *path,
                       const struct pcr_write_options *opts, struct pcr_write_progress *report,
                       struct pcr_error *err)
{
    struct pcri_recode recode = { .dataset = source };
    struct pcri_write w = { .recode = &recode };
    struct pcr_ladder *ladder = NULL;
    int rc = pcri_write_begin(&w, path, report, err);
    if (!rc)
        rc = check_dataset(source, err);
    if (!rc)
        rc = pcri_options_copy(&w.opts, sizeof(w.opts), opts, "pcr_write_options", err);
    if (!rc)
        rc = check_options(&w.opts, err);
    if (rc)
        return rc;
    struct pcr_limits limits = source->limits;
    limits.size = sizeof(limits);
    if (!w.opts.limits)
        w.opts.limits = &limits;
    struct pcr_write_options own = w.opts;
    if ((rc = pcri_write_options_take(&w.opts, &w.limits, &own, err)))
        return rc;
    w.source = (struct pcr_source) { .size = sizeof(w.source),
                                     .context = &recode,
                                     .sample_count = source->manifest.sample_count,
                                     .describe = describe };
    if (!w.opts.ladder) {
        rc = choose_ladder(source, pcri_coding_numbered(w.opts.coding), &ladder, err);
        w.opts.ladder = ladder;
    }
    if (!rc)
        rc = find_revision(&recode, err);
    if (!rc)
        rc = pcri_write_run(&w, path, report, err);
    pcr_sample_release(&recode.described);
    pcr_buffer_free(&recode.attributes);
    pcr_ladder_destroy(&ladder);
    return rc;
}
