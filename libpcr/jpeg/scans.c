/* SPDX-License-Identifier: BSD-2-Clause */
/* Coding 1, JPEG scans: what a sample's spans hold is a progressive JPEG file without its end
 * (docs/FORMAT.md section 4). The decoder takes any JPEG file, also a sequential one. */
#include <stdlib.h>

#include <pcr/dataset.h>

#include "encode.h"
#include "prefix.h"

struct scans_decoder {
    struct pcri_prefix prefix;
    struct pcri_block_source source;
    const struct pcr_spans *spans;
    struct pcr_limits limits;
    uint32_t next; /* span to parse */
    bool run;      /* the first scans are decoded */
};

static int scans_create(void **state_out, struct pcr_error *err)
{
    struct scans_decoder *d = pcri_calloc(1, sizeof(*d), err);
    *state_out = d;
    if (!d)
        return PCR_ERR_NOMEM;
    d->source = pcri_prefix_source(&d->prefix);
    return 0;
}

static void scans_destroy(void *state)
{
    struct scans_decoder *d = state;
    if (d)
        pcri_prefix_free(&d->prefix);
    free(d);
}

/* Parses to the first scan. */
static int parse_header(struct scans_decoder *d, struct pcr_error *err)
{
    const struct pcr_span *s = d->spans->items;
    d->next = 1;
    if (d->spans->count == 1)
        return pcri_prefix_open(&d->prefix, s->data, s->nbytes, &d->limits, err);
    pcri_prefix_begin(&d->prefix);
    int rc = pcri_prefix_add(&d->prefix, s->data, s->nbytes, &d->limits, err);
    while (!rc && !d->prefix.file.in_scans && d->next < d->spans->count) {
        s = &d->spans->items[d->next++];
        rc = pcri_prefix_add(&d->prefix, s->data, s->nbytes, &d->limits, err);
    }
    if (!rc && !d->prefix.file.in_scans)
        rc = pcri_fail(err, PCR_ERR_TRUNCATED, "JPEG: no scan");
    return rc;
}

static int scans_begin(void *state, const struct pcr_spans *spans,
                       const struct pcr_limits *limits, const struct pcr_ladder *ladder,
                       const struct pcri_block_source **source_out, struct pcr_error *err)
{
    struct scans_decoder *d = state;
    d->spans = spans;
    d->limits = *limits;
    d->limits.max_pixels = UINT64_MAX;
    d->run = false;
    int rc = parse_header(d, err);
    if (rc)
        return rc;
    d->prefix.ladder = ladder;
    *source_out = &d->source;
    return 0;
}

static void scans_keep(void *state, uint32_t component, uint32_t row_begin, uint32_t row_end)
{
    struct scans_decoder *d = state;
    /* Without EOI all of the picture must be there, whatever is wanted of it. */
    if (!d->prefix.file.no_eoi)
        pcri_prefix_keep(&d->prefix, component, row_begin, row_end);
}

static int scans_run(void *state, struct pcr_error *err)
{
    struct scans_decoder *d = state;
    const struct pcri_jpeg_file *f = &d->prefix.file;
    int rc = d->run ? 0 : pcri_prefix_run(&d->prefix, err);
    d->run = true;
    while (!rc && d->next < d->spans->count) {
        const struct pcr_span *s = &d->spans->items[d->next++];
        rc = pcri_prefix_add(&d->prefix, s->data, s->nbytes, &d->limits, err);
        if (!rc)
            rc = pcri_prefix_run(&d->prefix, err);
    }
    if (rc || (rc = pcri_prefix_finish(&d->prefix, err)))
        return rc;
    /* A sequential image needs all its components, a prefix of a progressive one the first
     * one's DC. */
    for (uint32_t c = 0; c < (f->sof == M_SOF2 ? 1 : f->component_count); c++)
        if (d->prefix.bits[c][0] < 0)
            return pcri_fail(err, PCR_ERR_TRUNCATED, "JPEG: no scan has DC of component %u",
                             (unsigned) c + 1);
    return 0;
}

/* run() has seen it all. */
static int scans_finish(void *state, struct pcr_error *err)
{
    (void) state, (void) err;
    return 0;
}

/* A single span is a whole file. */
static int scans_to_jpeg(struct pcr_spans *spans, struct pcr_buffer *memory,
                         struct pcr_error *err)
{
    static const uint8_t eoi[2] = { 0xFF, M_EOI };
    memory->nbytes = 0;
    return spans->count == 1 ? 0 : pcri_spans_add(spans, eoi, sizeof(eoi), err);
}

static const struct pcri_block_decoder decoder = {
    .create = scans_create,
    .destroy = scans_destroy,
    .begin = scans_begin,
    .keep = scans_keep,
    .run = scans_run,
    .finish = scans_finish,
};

const struct pcri_coding pcri_coding_scans = {
    .number = PCR_CODING_SCANS,
    .name = "scans",
    .ladder = "bitplane",
    .magic = { 0xFF, M_SOI },
    .magic_nbytes = 2,
    .encoder = &pcri_scans_encoder,
    .decoder = &decoder,
    .to_jpeg = scans_to_jpeg,
};
