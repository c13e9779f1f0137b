/* SPDX-License-Identifier: BSD-2-Clause */
/* Single samples: metadata, and reads of at most g ranges. */
#include <stdlib.h>

#include <pcr/image.h>

#include "../image/judge.h"
#include "dataset.h"
#include "materialise.h"
#include "original.h"

struct pcr_sample {
    struct pcr_dataset *ds;
    struct pcri_held *held;
    uint32_t i; /* in the record */
};

uint64_t pcri_record_of(const struct pcr_dataset *ds, uint64_t index)
{
    return PCRI_FIRST(i, 1, ds->record_count, ds->first_samples[i] > index) - 1;
}

int pcr_sample_acquire(struct pcr_dataset *ds, uint64_t index, struct pcr_sample **out,
                       struct pcr_error *err)
{
    uint64_t count = ds->first_samples[ds->record_count];
    if (index >= count)
        return pcri_fail(err, PCR_ERR_INVAL, "sample %llu of %llu", (unsigned long long) index,
                         (unsigned long long) count);
    struct pcr_sample *s = pcri_calloc(1, sizeof(*s), err);
    if (!s)
        return PCR_ERR_NOMEM;
    uint64_t record = pcri_record_of(ds, index);
    int rc = pcri_hold(ds, record, &s->held, err);
    if (rc) {
        free(s);
        return rc;
    }
    s->ds = ds;
    s->i = (uint32_t) (index - ds->first_samples[record]);
    *out = s;
    return 0;
}

void pcr_sample_release(struct pcr_sample **sample)
{
    struct pcr_sample *s = sample ? *sample : NULL;
    if (!s)
        return;
    pcri_let_go(s->ds, s->held);
    free(s);
    *sample = NULL;
}

int pcri_describe(const struct pcr_dataset *ds, const struct pcri_held *held, uint32_t i,
                  struct pcr_sample_info *info_out, struct pcr_error *err)
{
    const struct pcri_head *h = held->record->head;
    const uint32_t *floats = h->float_label_first;
    bool is_float = floats && floats[i] < floats[i + 1];
    struct pcr_sample_info info = {
        .coding = h->coding[i],
        .index = ds->first_samples[held->number] + i,
        .labels = h->labels && !is_float ? h->labels + h->label_first[i] : NULL,
        .float_labels = is_float ? h->float_labels + floats[i] : NULL,
        .label_count = is_float ? floats[i + 1] - floats[i]
                                : h->label_first[i + 1] - h->label_first[i],
        .width = h->width[i],
        .height = h->height[i],
        .component_count = h->components[i],
        .orientation = h->orientation[i],
        .record_index = i,
        .record = held->number,
        .source_nbytes = h->source_nbytes[i],
        .exact = h->exact[i],
    };
    if (h->quality && h->group_count > 1) {
        info.quality_count = h->group_count - 1;
        info.quality = h->quality + (size_t) i * info.quality_count * PCR_QUALITY_SCALES;
    }
    info.key = pcri_text(&h->keys, i, &info.key_nbytes);
    return pcri_info_copy(info_out, "pcr_sample_info", &info, sizeof(info), err);
}

int pcr_sample_describe(const struct pcr_sample *s, struct pcr_sample_info *info_out,
                        struct pcr_error *err)
{
    return pcri_describe(s->ds, s->held, s->i, info_out, err);
}

int pcr_sample_attributes(const struct pcr_sample *s, struct pcr_buffer *out,
                          struct pcr_error *err)
{
    const struct pcri_record *r = s->held->record;
    int rc = pcri_attributes_text(r->head->attributes, s->i, out, err);
    return rc ? pcri_prefix(err, rc, "%s", r->file->path) : 0;
}

static int find_blob(const struct pcr_sample *s, const char *name, size_t *cell,
                     struct pcr_error *err)
{
    if (!name)
        return pcri_fail(err, PCR_ERR_INVAL, "no name of a blob");
    if (pcri_blobs_find(s->held->record->head->blobs, s->i, name, cell))
        return 0;
    if (pcri_schema_find(&s->ds->manifest.blobs, name) < s->ds->manifest.blobs.count)
        return PCR_END;
    return pcri_fail(err, PCR_ERR_INVAL, "there is no blob named '%.100s'", name);
}

int pcr_sample_blob(const struct pcr_sample *s, const char *name, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    size_t cell;
    out->nbytes = 0;
    int rc = find_blob(s, name, &cell, err);
    return rc ? rc : pcri_record_read_blob(s->held->record, cell, &s->ds->limits, out, err);
}

int pcr_sample_blob_nbytes(const struct pcr_sample *s, const char *name, uint64_t *nbytes_out,
                           struct pcr_error *err)
{
    size_t cell;
    *nbytes_out = 0;
    int rc = find_blob(s, name, &cell, err);
    if (rc)
        return rc;
    const uint64_t *begins = s->held->record->head->blobs->begins;
    *nbytes_out = begins[cell + 1] - begins[cell];
    return 0;
}

uint64_t pcr_sample_nbytes(const struct pcr_sample *s, uint32_t fidelity)
{
    const struct pcri_head *h = s->held->record->head;
    uint32_t g = 0;
    uint64_t n = 0;
    if (pcri_fidelity(fidelity, h->group_count, &g, NULL))
        return 0;
    for (uint32_t k = 0; k < g; k++)
        n += pcri_chunk_nbytes(h, k, s->i);
    return n;
}

/* The sample's chunks of groups 1..g; to be given back, also on failure. */
static int read_run(const struct pcr_sample *s, uint32_t fidelity, uint32_t *g_out,
                    struct pcri_run *run, struct pcr_error *err)
{
    const struct pcri_record *r = s->held->record;
    int rc = pcri_fidelity(fidelity, r->head->group_count, g_out, err);
    if (rc)
        return rc;
    run->memory = pcri_spare_take(&s->ds->spare,
                                  pcri_record_run_nbytes(r, s->i, s->i + 1, *g_out));
    return pcri_record_read(r, s->i, s->i + 1, *g_out, run, err);
}

int pcr_sample_read(const struct pcr_sample *s, uint32_t fidelity, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    struct pcri_run run = { 0 };
    uint32_t g = 0;
    int rc = read_run(s, fidelity, &g, &run, err);
    if (!rc)
        rc = pcri_materialise(s->held->record->head, s->i, g, run.groups, out, err);
    pcri_spare_give(&s->ds->spare, &run.memory);
    return rc;
}

int pcr_sample_decode(const struct pcr_sample *s, uint32_t fidelity, struct pcr_decoder *d,
                      const struct pcr_decode_options *opts, struct pcr_buffer *pixels,
                      struct pcr_image_info *info_out, struct pcr_error *err)
{
    const struct pcri_head *h = s->held->record->head;
    struct pcr_decode_options o;
    struct pcr_spans spans = { 0 };
    struct pcri_run run = { 0 };
    uint32_t g = 0;
    int rc = pcri_options_copy(&o, sizeof(o), opts, "pcr_decode_options", err);
    if (rc)
        return rc;
    o.size = sizeof(o);
    if (!o.limits)
        o.limits = &s->ds->limits;
    if (!o.orientation && h->coding[s->i] != PCR_CODING_OPAQUE)
        o.orientation = h->orientation[s->i]; /* its metadata may not be in what is read */
    rc = read_run(s, fidelity, &g, &run, err);
    if (!rc)
        rc = pcri_known_spans(h, s->i, 0, g, run.groups, &spans, err);
    if (!rc) {
        rc = pcr_decoder_decode_spans(d, &spans, &o, pixels, info_out, err);
        if (!rc)
            pcri_decoder_close(d);
    }
    pcr_spans_free(&spans);
    pcri_spare_give(&s->ds->spare, &run.memory);
    return rc;
}

int pcr_sample_baseline(const struct pcr_sample *s, uint32_t fidelity, struct pcr_decoder *d,
                        const struct pcr_baseline_options *opts, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    const struct pcri_head *h = s->held->record->head;
    struct pcr_baseline_options o;
    struct pcr_spans spans = { 0 };
    struct pcri_run run = { 0 };
    uint32_t g = 0;
    if (h->coding[s->i] == PCR_CODING_OPAQUE ||
        (h->exact[s->i] && (!fidelity || fidelity == h->group_count)))
        return pcr_sample_read(s, fidelity, out, err);
    int rc = pcri_options_copy(&o, sizeof(o), opts, "pcr_baseline_options", err);
    if (rc)
        return rc;
    o.size = sizeof(o);
    if (!o.limits)
        o.limits = &s->ds->limits;
    rc = read_run(s, fidelity, &g, &run, err);
    if (!rc)
        rc = pcri_known_spans(h, s->i, 0, g, run.groups, &spans, err);
    if (!rc)
        rc = pcr_decoder_baseline(d, &spans, &o, out, err);
    pcr_spans_free(&spans);
    pcri_spare_give(&s->ds->spare, &run.memory);
    return rc;
}

int pcr_sample_file_info(const struct pcr_sample *s, struct pcr_file_info *info_out,
                         struct pcr_error *err)
{
    const struct pcri_restore_column *column;
    if (!info_out)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_sample_file_info: info_out is NULL");
    int rc = pcri_held_originals(s->ds, s->held, &column, err);
    if (!rc)
        *info_out = pcri_restore_file_info(column, s->i);
    return rc;
}

int pcr_sample_original(const struct pcr_sample *s, struct pcr_decoder *d,
                        struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcri_head *h = s->held->record->head;
    const struct pcri_restore_column *column;
    struct pcri_run run = { 0 };
    uint32_t g = 0, n;
    if (h->coding[s->i] == PCR_CODING_OPAQUE)
        return pcr_sample_read(s, PCR_FIDELITY_FULL, out, err);
    if (!d)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_sample_original: no decoder");
    int rc = pcri_held_originals(s->ds, s->held, &column, err);
    if (!rc)
        rc = read_run(s, PCR_FIDELITY_FULL, &g, &run, err);
    if (!rc &&
        (rc = pcri_restore_file(h, s->i, column, run.groups, &s->ds->limits, d, out, err)))
        pcri_prefix(err, rc, "sample %s", pcri_text(&h->keys, s->i, &n));
    pcri_spare_give(&s->ds->spare, &run.memory);
    return rc;
}
