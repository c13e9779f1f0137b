/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read of a dataset that is recoded: samples as files, and what else its records have. */
#include <stdlib.h>

#include "../dataset/dataset.h"
#include "../jpeg/coefs.h"
#include "../record/builder.h"
#include "../record/columns.h"
#include "../residual/residual.h"
#include "write.h"

/* --- samples --- */

void pcri_recode_describe(const struct pcr_sample_info *info, struct pcr_source_sample *out)
{
    out->key = info->key;
    out->labels = info->label_count ? info->labels : NULL;
    out->float_labels = info->float_labels;
    out->label_count = info->label_count;
    out->nbytes = info->source_nbytes;
}

/* What writing a coded sample as a file may take: its coefficients, with masks of all planes. */
static uint64_t coefs_nbytes(const struct pcri_head *h, uint32_t i)
{
    enum { MOST_LEVELS = 14 };
    struct pcri_jpeg_file f = { .width = h->width[i],
                                .height = h->height[i],
                                .component_count = h->components[i],
                                .max_h = 1,
                                .max_v = 1 };
    for (uint32_t c = 0; c < f.component_count; c++) {
        uint32_t factors = h->sampling ? h->sampling[i] >> 8 * c & 0xFF : 0;
        f.components[c].h = factors >> 4 ? factors >> 4 & 15 : 1;
        f.components[c].v = factors & 15 ? factors & 15 : 1;
        f.max_h = f.components[c].h > f.max_h ? f.components[c].h : f.max_h;
        f.max_v = f.components[c].v > f.max_v ? f.components[c].v : f.max_v;
    }
    return pcri_coefs_nbytes(&f, MOST_LEVELS);
}

/* What must be written anew is written as what libjpeg reads soonest; it has the same header. */
static int read_file(const struct pcr_sample *sample, uint32_t fidelity, bool anew,
                     struct pcri_worker *t, struct pcr_error *err)
{
    const struct pcr_baseline_options o = { .size = sizeof(o),
                                            .restart_rows = PCR_NO_RESTARTS };
    int rc = PCR_ERR_UNSUPPORTED; /* in sequence there may be a step of DC that has no code */
    if (anew)
        rc = pcr_sample_baseline(sample, fidelity, t->decoder, &o, &t->file, err);
    return rc == PCR_ERR_UNSUPPORTED ? pcr_sample_read(sample, fidelity, &t->file, err) : rc;
}

/* An exact picture's residual, and what it says of its JPEG's quality, into t->exact. */
static int read_residual(struct pcr_dataset *ds, uint64_t record, uint32_t i,
                         const struct pcri_head *h, struct pcri_worker *t,
                         struct pcr_error *err)
{
    struct pcri_exact *e = &t->exact;
    const uint32_t prefixes = h->group_count - 1;
    struct pcr_spans spans = { 0 };
    struct pcr_slice *slice = NULL;
    int rc = pcr_slice_read(ds, record, i, 1, PCR_FIDELITY_FULL, &slice, err);
    if (!rc)
        rc = pcr_slice_spans(slice, 0, 0, 0, &spans, err);
    const struct pcr_span residual = pcri_rs_find(&spans);
    e->residual.nbytes = 0;
    if (!rc)
        rc = pcri_buffer_append(&e->residual, residual.data, residual.nbytes, err);
    memset(e->quality, 255, sizeof(e->quality));
    if (h->quality)
        memcpy(e->quality,
               h->quality + ((size_t) i * prefixes + prefixes - 1) * PCRI_QUALITY_SCALES,
               sizeof(e->quality));
    pcr_spans_free(&spans);
    pcr_slice_release(&slice);
    return rc;
}

int pcri_recode_load(struct pcri_worker *t, uint64_t index, struct pcr_error *err)
{
    struct pcr_dataset *ds = t->write->recode->dataset;
    struct pcri_held *held = NULL;
    struct pcr_sample *sample = NULL;
    uint64_t record = pcri_record_of(ds, index);
    uint32_t i = (uint32_t) (index - ds->first_samples[record]);
    int rc = pcri_hold(ds, record, &held, err);
    if (rc)
        return rc;
    const struct pcri_head *h = held->record->head;
    uint32_t coding = h->coding[i];
    if (coding != PCR_CODING_OPAQUE)
        rc = pcri_memory_take(t, coefs_nbytes(h, i), err);
    if (!rc)
        rc = pcr_sample_acquire(ds, index, &sample, err);
    if (!rc)
        rc = read_file(sample, h->exact[i] ? h->group_count - 1 : PCR_FIDELITY_FULL,
                       coding == PCR_CODING_PACKED, t, err);
    if (!rc && h->exact[i])
        rc = read_residual(ds, record, i, h, t, err);
    pcr_sample_release(&sample);
    pcri_let_go(ds, held);
    return rc;
}

/* --- what else a record has --- */

static int add_notes(const struct pcr_buffer *tail, uint32_t sample_count,
                     struct pcri_builder *b, struct pcri_note_counts *counts,
                     struct pcr_error *err)
{
    struct pcr_buffer lines = { 0 };
    int rc = pcri_notes_read(tail, sample_count, counts, &lines, err);
    char *line = (char *) lines.data;
    while (!rc && line && line < (char *) lines.data + lines.nbytes) {
        char *end = memchr(line, '\n', lines.nbytes);
        *end = '\0';
        rc = pcri_builder_note(b, line, err);
        line = end + 1;
    }
    pcr_buffer_free(&lines);
    return rc;
}

static int add_skips(const struct pcr_buffer *tail, struct pcri_builder *b,
                     struct pcr_error *err)
{
    struct pcri_text_list list = { 0 };
    int rc = pcri_text_list_open(tail, PCRI_TAIL_SKIPPED, &list, err);
    while (!rc && list.left) {
        size_t n;
        const uint8_t *text = pcri_text_list_next(&list, &n);
        char *copy = text ? pcri_strndup((const char *) text, n, err) : NULL;
        if (!text)
            rc = pcri_fail(err, PCR_ERR_CORRUPT, "the list of skipped inputs is damaged");
        else
            rc = copy ? pcri_builder_skip(b, copy, err) : PCR_ERR_NOMEM;
        free(copy);
    }
    return rc;
}

int pcri_recode_tail(const struct pcri_write *w, uint64_t record, struct pcri_builder *b,
                     struct pcri_note_counts *counts, struct pcr_error *err)
{
    struct pcr_dataset *ds = w->recode->dataset;
    struct pcri_held *held = NULL;
    struct pcr_buffer tail = { 0 };
    int rc = pcri_hold(ds, record, &held, err);
    if (rc)
        return rc;
    const struct pcri_record *r = held->record;
    rc = pcri_record_read_tail(r, &ds->limits, &tail, err);
    if (!rc)
        rc = add_notes(&tail, r->header.sample_count, b, counts, err);
    if (!rc)
        rc = add_skips(&tail, b, err);
    if (rc)
        rc = pcri_prefix(err, rc, "%s", r->file->path);
    pcr_buffer_free(&tail);
    pcri_let_go(ds, held);
    return rc;
}

/* errors.jsonl names also what no record has room for. */
int pcri_recode_errors(const struct pcri_write *w, const char *name, struct pcr_buffer *out,
                       struct pcr_error *err)
{
    const struct pcr_dataset *ds = w->recode->dataset;
    char *path = pcri_join(ds->folder, name, err);
    if (!path)
        return PCR_ERR_NOMEM;
    int rc = pcri_storage_read(ds->storage, path, ds->limits.max_manifest_nbytes,
                               PCRI_TRIES_AGAIN, out, err);
    if (rc && pcri_is_absent(rc, err))
        rc = 0;
    free(path);
    return rc;
}
