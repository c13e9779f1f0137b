/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding packed samples for the pixel stage: block rows as they are asked for. */
#include <stdlib.h>

#include "coding.h"
#include "image.h"

struct packed_decoder {
    struct pcri_pk_image image;
    struct pcri_pk_decoder decoder;
    struct pcri_block_source source;
    const struct pcr_spans *spans;
    struct pcri_blocks planes[4];
    int8_t bits[4][64];
    struct {
        bool set; /* false: all */
        uint32_t begin, end;
    } keep[4];        /* block rows */
    uint32_t next[4]; /* the block row of each component that is decoded next */
    uint8_t *memory;
    size_t capacity;
    int rc; /* what was damaged, and */
    struct pcr_error why;
};

static void advance(void *state, uint32_t component, uint32_t end);

static int create(void **state_out, struct pcr_error *err)
{
    struct packed_decoder *d = pcri_calloc(1, sizeof(*d), err);
    *state_out = d;
    if (!d)
        return PCR_ERR_NOMEM;
    d->source = (struct pcri_block_source) { .file = &d->image.file,
                                             .planes = d->planes,
                                             .bits = (const int8_t(*)[64]) d->bits,
                                             .advance = advance,
                                             .state = d };
    return 0;
}

static void destroy(void *state)
{
    struct packed_decoder *d = state;
    if (!d)
        return;
    pcri_pk_image_free(&d->image);
    pcri_pk_decoder_free(&d->decoder);
    free(d->memory);
    free(d);
}

static int begin(void *state, const struct pcr_spans *spans, const struct pcr_limits *limits,
                 const struct pcr_ladder *ladder, const struct pcri_block_source **source_out,
                 struct pcr_error *err)
{
    struct packed_decoder *d = state;
    struct pcr_limits any_size = *limits;
    any_size.max_pixels = UINT64_MAX;
    memset(d->keep, 0, sizeof(d->keep));
    d->spans = spans;
    *source_out = &d->source;
    return pcri_pk_image_open(&d->image, spans, &any_size, ladder, err);
}

static void keep(void *state, uint32_t component, uint32_t row_begin, uint32_t row_end)
{
    struct packed_decoder *d = state;
    d->keep[component].set = true;
    d->keep[component].begin = row_begin;
    d->keep[component].end = row_end;
}

static uint32_t entry_rows(void *state)
{
    const struct packed_decoder *d = state;
    return d->image.sample.params.restart;
}

/* The rows to keep of each component, and the MCU rows that they are in. */
static void lay_out(struct packed_decoder *d, bool has_ac, uint32_t *begin_out,
                    uint32_t *end_out)
{
    const struct pcri_jpeg_file *f = &d->image.file;
    *begin_out = UINT32_MAX;
    *end_out = 0;
    for (uint32_t c = 0; c < f->component_count; c++) {
        struct pcri_blocks *b = &d->planes[c];
        uint32_t v = f->components[c].v, end = d->keep[c].end;
        b->blocks_x = pcri_blocks_x(f, c);
        b->blocks_y = pcri_blocks_y(f, c);
        b->row_end = d->keep[c].set && end < b->blocks_y ? end : b->blocks_y;
        b->row_begin = d->keep[c].begin < b->row_end ? d->keep[c].begin : b->row_end;
        b->turn = 2 * v;
        b->has_ac = has_ac;
        d->next[c] = b->row_begin;
        if (b->row_begin == b->row_end)
            continue;
        uint32_t from = b->row_begin / v, to = (b->row_end - 1) / v + 1;
        *begin_out = from < *begin_out ? from : *begin_out;
        *end_out = to > *end_out ? to : *end_out;
    }
    if (*begin_out > *end_out)
        *begin_out = *end_out;
}

struct sizes {
    size_t coef, dc, mask;
};

/* The blocks that there is room for at a time. */
static size_t room(const struct pcri_blocks *b)
{
    const uint32_t rows = b->row_end - b->row_begin;
    return (size_t) (rows < b->turn ? rows : b->turn) * b->blocks_x;
}

/* Bytes of a component's coefficients, DC, and masks, which are of block 0 on. False: too many. */
static bool measure(const struct pcri_blocks *b, struct sizes *out, size_t *total)
{
    const size_t kept = room(b);
    return pcri_mul(kept, 64 * sizeof(int16_t), &out->coef) &&
           pcri_mul((kept + 63) / 64, 64 * sizeof(int16_t), &out->dc) &&
           pcri_mul((pcri_kept_end(b) + 63) / 64, 64 * sizeof(uint64_t), &out->mask) &&
           pcri_add(*total, out->coef, total) && pcri_add(*total, out->dc, total) &&
           pcri_add(*total, out->mask, total);
}

static int reserve(struct packed_decoder *d, struct pcr_error *err)
{
    struct sizes sizes[4];
    size_t total = 0;
    uint32_t count = d->image.file.component_count;
    for (uint32_t c = 0; c < count; c++)
        if (!measure(&d->planes[c], &sizes[c], &total))
            return pcri_fail_nomem(err, SIZE_MAX);
    if (total > d->capacity || !d->memory) {
        free(d->memory);
        d->capacity = 0;
        d->memory = aligned_alloc(64, total ? total : 64);
        if (!d->memory)
            return pcri_fail_nomem(err, total);
        d->capacity = total;
    }
    uint8_t *at = d->memory;
    for (uint32_t c = 0; c < count; c++) {
        struct pcri_blocks *b = &d->planes[c];
        b->coef = (int16_t *) (void *) at;
        b->dc = (int16_t *) (void *) (at + sizes[c].coef);
        b->mask = (uint64_t *) (void *) (at + sizes[c].coef + sizes[c].dc);
        at += sizes[c].coef + sizes[c].dc + sizes[c].mask;
        if (!b->has_ac)
            memset(b->mask, 0, sizes[c].mask);
    }
    return 0;
}

static int run(void *state, struct pcr_error *err)
{
    struct packed_decoder *d = state;
    const struct pcri_pk_image *m = &d->image;
    const struct pcr_span *chunks;
    uint32_t groups, from, to;
    d->rc = 0;
    int rc = pcri_pk_image_chunks(m, d->spans, &chunks, &groups, err);
    if (rc)
        return rc;
    lay_out(d, groups > 1, &from, &to);
    rc = pcri_pk_decoder_begin(&d->decoder, &m->file, m->script, m->ladder->group_count,
                               m->tables, &m->sample.params, chunks, groups, from, to, err);
    pcri_pk_bits(&d->decoder.plan, groups, d->bits);
    return rc ? rc : reserve(d, err);
}

/* What is not decoded is gray until finish() tells that it is damaged. */
static void give_up(struct packed_decoder *d)
{
    for (uint32_t c = 0; c < d->image.file.component_count; c++) {
        struct pcri_blocks *b = &d->planes[c];
        memset(b->has_ac ? b->coef : b->dc, 0,
               room(b) * (b->has_ac ? 64 : 1) * sizeof(*b->coef));
        memset(b->mask, 0, pcri_kept_end(b) * sizeof(*b->mask));
        d->next[c] = UINT32_MAX;
    }
}

static void advance(void *state, uint32_t component, uint32_t end)
{
    struct packed_decoder *d = state;
    uint32_t rows[4];
    while (d->next[component] < end) {
        if (!d->rc && !pcri_pk_decoder_more(&d->decoder, rows))
            d->rc = pcri_fail(&d->why, PCR_ERR_CORRUPT, "a block row that does not exist");
        if (!d->rc)
            d->rc = pcri_pk_decode_rows(&d->decoder, rows, d->planes, &d->why);
        if (d->rc)
            give_up(d);
        for (uint32_t c = 0; !d->rc && c < d->image.file.component_count; c++)
            if (rows[c] >= d->planes[c].row_begin && rows[c] < d->planes[c].row_end)
                d->next[c] = rows[c] + 1;
    }
}

static int finish(void *state, struct pcr_error *err)
{
    const struct packed_decoder *d = state;
    if (d->rc && err)
        *err = d->why;
    return d->rc;
}

const struct pcri_block_decoder pcri_pk_block_decoder = {
    .create = create,
    .destroy = destroy,
    .begin = begin,
    .keep = keep,
    .entry_rows = entry_rows,
    .run = run,
    .finish = finish,
};
