/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients as they are, as a coding. */
#include "toy.h"

#include <stdlib.h>

#include "jpeg/ladder.h"
#include "jpeg/original.h"
#include "jpeg/scan_file.h"

/* APP15 segments: after SOI, and at the header's end. */
static const uint8_t mark[] = { 0xFF, 0xEF, 0, 6, 'T', 'O', 'Y', 0 };
static const uint8_t header_end[] = { 0xFF, 0xEF, 0, 6, 'T', 'O', 'Y', 1 };
static const uint8_t nothing[] = { 0 };

/* --- encoder --- */

struct toy_coder {
    struct pcri_coder base;
    struct pcri_original original;
};

static int create(struct pcri_coder **out, const struct pcr_ladder *ladder,
                  const struct pcr_limits *limits, const struct pcri_coder_memory *memory,
                  struct pcr_error *err)
{
    struct toy_coder *c = pcri_calloc(1, sizeof(*c), err);
    if (!c)
        return PCR_ERR_NOMEM;
    pcri_original_init(&c->original, ladder, limits, memory);
    *out = &c->base;
    return 0;
}

static void destroy(struct pcri_coder *coder)
{
    pcri_original_free(&((struct toy_coder *) coder)->original);
    free(coder);
}

/* Coefficients [from, to) of each block of each component. */
static int append_coefs(const struct pcri_coefs *c, int from, int to, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < c->component_count; i++) {
        const struct pcri_plane *p = &c->planes[i];
        for (size_t b = 0; !rc && b < (size_t) p->blocks_x * p->blocks_y; b++)
            rc = pcri_buffer_append(out, p->coef + 64 * b + from,
                                    sizeof(p->coef[0]) * (size_t) (to - from), err);
    }
    return rc;
}

static int add_groups(const struct pcri_original *o, struct pcri_coded *p,
                      struct pcr_error *err)
{
    uint32_t groups = o->ladder->group_count, at = 0;
    p->pieces = pcri_calloc(pcri_ladder_piece_total(o->ladder), sizeof(*p->pieces), err);
    int rc = p->pieces ? pcri_buffer_append(&p->strings, header_end, sizeof(header_end), err)
                       : PCR_ERR_NOMEM;
    for (uint32_t g = 0; !rc && g < groups; at += o->ladder->piece_counts[g++]) {
        size_t before = p->bytes.nbytes;
        if (g && g + 1 < groups)
            rc = pcri_buffer_append(&p->bytes, nothing, sizeof(nothing), err);
        if (!rc && !g)
            rc = append_coefs(&o->coefs, 0, 1, &p->bytes, err);
        if (!rc && g + 1 == groups)
            rc = append_coefs(&o->coefs, 1, 64, &p->bytes, err);
        p->pieces[at].nbytes = (uint32_t) (p->bytes.nbytes - before);
    }
    if (!rc)
        p->pieces[0].string_nbytes = sizeof(header_end);
    return rc;
}

static int encode_file(struct pcri_coder *coder, const struct pcri_coder_tables *tables,
                       const void *data, size_t nbytes, bool salvage, struct pcri_coded *out,
                       struct pcr_error *err)
{
    static const struct pcri_marks marks = { 1, { { mark, sizeof(mark) } } };
    struct pcri_original *o = &((struct toy_coder *) coder)->original;
    struct pcri_coded p = { .coding = TOY_CODING };
    (void) tables;
    o->restorable = coder->restorable;
    int rc = pcri_original_load(o, data, nbytes, salvage, err);
    if (!rc && o->coefs.component_count > 3)
        rc = pcri_fail(err, PCR_ERR_UNSUPPORTED, "a toy has at most three components");
    if (!rc)
        rc = pcri_original_describe(o, &marks, &p, err);
    if (!rc)
        rc = add_groups(o, &p, err);
    if (rc)
        pcri_coded_free(&p);
    else
        *out = p;
    return rc;
}

static int restore(struct pcri_coder *coder, struct pcri_coded *coded, struct pcr_error *err)
{
    return pcri_original_restore(&((struct toy_coder *) coder)->original, coded, err);
}

static const struct pcri_encoder encoder = {
    .create = create,
    .destroy = destroy,
    .encode = encode_file,
    .restore = restore,
};

/* --- decoder --- */

struct toy_decoder {
    struct pcri_jpeg_file file;
    struct pcri_coefs coefs;
    struct pcri_blocks planes[4];
    int8_t bits[4][64];
    struct pcri_block_source source;
    const struct pcr_spans *spans;
    uint32_t first_chunk;
    uint32_t levels; /* of masks */
};

static int decoder_create(void **state_out, struct pcr_error *err)
{
    struct toy_decoder *d = pcri_calloc(1, sizeof(*d), err);
    *state_out = d;
    if (!d)
        return PCR_ERR_NOMEM;
    d->levels = 1;
    d->source = (struct pcri_block_source) { .file = &d->file,
                                             .planes = d->planes,
                                             .bits = (const int8_t(*)[64]) d->bits };
    return 0;
}

static void decoder_destroy(void *state)
{
    struct toy_decoder *d = state;
    if (!d)
        return;
    pcri_jpeg_file_free(&d->file);
    pcri_coefs_free(&d->coefs);
    free(d);
}

static bool is_end(const struct pcr_span *s)
{
    return s->nbytes == sizeof(header_end) && !memcmp(s->data, header_end, s->nbytes);
}

static int begin(void *state, const struct pcr_spans *spans, const struct pcr_limits *limits,
                 const struct pcr_ladder *ladder, const struct pcri_block_source **source_out,
                 struct pcr_error *err)
{
    struct toy_decoder *d = state;
    (void) ladder;
    d->spans = spans;
    *source_out = &d->source;
    pcri_jpeg_file_begin(&d->file);
    uint32_t i = 0;
    for (; i < spans->count && !is_end(&spans->items[i]); i++) {
        int rc = pcri_jpeg_file_add(&d->file, spans->items[i].data, spans->items[i].nbytes,
                                    limits, err);
        if (rc)
            return rc;
    }
    d->first_chunk = i + 1;
    return i < spans->count ? pcri_jpeg_file_end_header(&d->file, err)
                            : pcri_fail(err, PCR_ERR_TRUNCATED, "a toy without chunks");
}

static void keep(void *state, uint32_t component, uint32_t row_begin, uint32_t row_end)
{
    (void) state, (void) component, (void) row_begin, (void) row_end; /* all is kept */
}

/* Takes coefficients [from, to) of all blocks out of a chunk. */
static int take(struct toy_decoder *d, const struct pcr_span *chunk, int from, int to,
                struct pcr_error *err)
{
    const uint8_t *in = chunk->data;
    size_t left = chunk->nbytes, n = sizeof(int16_t) * (size_t) (to - from);
    for (uint32_t i = 0; i < d->file.component_count; i++) {
        struct pcri_plane *p = &d->coefs.planes[i];
        for (size_t b = 0; b < (size_t) p->blocks_x * p->blocks_y; b++, in += n, left -= n) {
            if (left < n)
                return pcri_fail(err, PCR_ERR_CORRUPT, "a toy's chunk ends early");
            memcpy(p->coef + 64 * b + from, in, n);
        }
        memset(d->bits[i] + from, 0, (size_t) (to - from));
    }
    return 0;
}

/* The ladder has more than two groups: what comes after the first is the last. */
static int run(void *state, struct pcr_error *err)
{
    struct toy_decoder *d = state;
    const struct pcr_spans *s = d->spans;
    const struct pcr_span *last = &s->items[s->count - 1];
    int rc = pcri_coefs_reserve(&d->coefs, &d->file, d->levels, err);
    if (rc)
        return rc;
    memset(d->bits, -1, sizeof(d->bits));
    for (uint32_t i = 0; i < d->file.component_count; i++) {
        struct pcri_plane *p = &d->coefs.planes[i];
        memset(p->coef, 0, 128 * (size_t) p->blocks_x * p->blocks_y);
        d->planes[i] = (struct pcri_blocks) { .blocks_x = p->blocks_x,
                                              .blocks_y = p->blocks_y,
                                              .row_end = p->blocks_y,
                                              .coef = p->coef,
                                              .mask = p->mask,
                                              .has_ac = true };
    }
    if (d->first_chunk < s->count)
        rc = take(d, &s->items[d->first_chunk], 0, 1, err);
    if (!rc && last->nbytes > 1 && last != &s->items[d->first_chunk])
        rc = take(d, last, 1, 64, err);
    pcri_coefs_index(&d->coefs, d->coefs.level_count);
    return rc;
}

static int finish(void *state, struct pcr_error *err)
{
    (void) state, (void) err;
    return 0;
}

static const struct pcri_block_decoder decoder = {
    .create = decoder_create,
    .destroy = decoder_destroy,
    .begin = begin,
    .keep = keep,
    .run = run,
    .finish = finish,
};

/* --- as a file --- */

/* By the scans of a ladder whose first group is DC, and with all or none of the others. */
static int to_jpeg(struct pcr_spans *spans, struct pcr_buffer *memory, struct pcr_error *err)
{
    const struct pcri_block_source *source;
    struct pcr_limits limits = { 0 };
    struct pcr_ladder *ladder = NULL;
    void *state = NULL;
    pcri_limits_fill(&limits);
    memory->nbytes = 0;
    int rc = decoder_create(&state, err);
    struct toy_decoder *d = state;
    if (!rc)
        rc = begin(d, spans, &limits, NULL, &source, err);
    if (!rc)
        rc = pcr_ladder_create("packed", &ladder, err);
    if (!rc) {
        d->levels = pcri_script_levels(&ladder->scripts[0]);
        rc = run(d, err);
    }
    if (!rc)
        rc = pcri_buffer_append(memory, "\xFF\xD8", 2, err); /* without the mark */
    for (uint32_t i = 1; !rc && i + 1 < d->first_chunk; i++)
        rc = pcri_buffer_append(memory, spans->items[i].data, spans->items[i].nbytes, err);
    if (!rc)
        rc = pcri_scans_append(&d->coefs, &d->file, &ladder->scripts[0],
                               d->bits[0][1] ? 1 : ladder->group_count, memory, err);
    spans->count = 0;
    if (!rc)
        rc = pcri_spans_add(spans, memory->data, memory->nbytes, err);
    pcr_ladder_destroy(&ladder);
    decoder_destroy(state);
    return rc;
}

const struct pcri_coding pcri_coding_toy = {
    .number = TOY_CODING,
    .name = "toy",
    .ladder = "packed",
    .magic = { 0xFF, 0xD8, 0xFF, 0xEF, 0, 6, 'T', 'O', 'Y', 0 },
    .magic_nbytes = 10,
    .encoder = &encoder,
    .decoder = &decoder,
    .to_jpeg = to_jpeg,
};
