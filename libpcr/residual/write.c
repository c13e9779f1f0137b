/* SPDX-License-Identifier: BSD-2-Clause */
/* Pixels to residuals, in two passes: symbols are counted, tables made of them, and symbols
 * written. */
#include <stdlib.h>

#include "residual.h"

enum { STRIP_ROWS = 32 };

/* A picture being written. */
struct residual_writing {
    const uint8_t *exact, *jpeg;
    uint32_t width, height, channels;
    struct pcri_rs_strip strip;
    struct pcri_rs_tables tables;
    uint32_t *counts[PCRI_RS_CHANNELS * PCRI_RS_CONTEXTS];
    struct pcri_tans_encoder *encoders;
    struct pcri_tans_writer symbols;
    struct pcr_buffer plain, sizes, data;
};

/* Does something with the symbols of a channel's row, whose contexts are there. */
typedef int row_fn(struct residual_writing *w, uint32_t channel, struct pcr_error *err);

static int count_row(struct residual_writing *w, uint32_t k, struct pcr_error *err)
{
    const struct pcri_rs_strip *s = &w->strip;
    for (uint32_t x = 0; x < w->width; x++) {
        uint32_t **row = &w->counts[k * PCRI_RS_CONTEXTS + s->contexts[x]];
        if (!*row && !(*row = pcri_calloc(256, sizeof(**row), err)))
            return PCR_ERR_NOMEM;
        (*row)[s->symbols[x]]++;
    }
    return 0;
}

static int write_row(struct residual_writing *w, uint32_t k, struct pcr_error *err)
{
    const struct pcri_rs_strip *s = &w->strip;
    struct pcri_tans_writer *t = &w->symbols;
    int rc = pcri_tans_reserve(t, w->width, err);
    if (rc)
        return rc;
    for (uint32_t x = 0; x < w->width && !rc; x++) {
        const uint8_t table = w->tables.maps[k][s->contexts[x]], symbol = s->symbols[x];
        const bool escapes = symbol == PCRI_RS_ESCAPE || !w->tables.freq[table][symbol];
        if (escapes)
            rc = pcri_buffer_append(&w->plain, &symbol, 1, err);
        t->tables[t->count] = table;
        t->symbols[t->count++] = escapes ? PCRI_RS_ESCAPE : symbol;
    }
    t->calls[t->call_count++] = w->width;
    return rc;
}

static int visit_row(struct residual_writing *w, const uint8_t *exact, row_fn *visit,
                     struct pcr_error *err)
{
    struct pcri_rs_strip *s = &w->strip;
    int rc = 0;
    s->kernels->split(exact, w->width, w->channels, s->exact);
    for (uint32_t k = 0; k < w->channels && !rc; k++) {
        s->kernels->symbols(s->exact[k], pcri_rs_strip_jpeg(s, k), w->width,
                            pcri_rs_strip_residual(s, k), pcri_rs_strip_sizes(s, k),
                            s->symbols);
        pcri_rs_strip_contexts(s, k);
        rc = visit(w, k, err);
        pcri_rs_strip_done(s, k);
    }
    return rc;
}

static int visit_strip(struct residual_writing *w, uint32_t top, row_fn *visit,
                       struct pcr_error *err)
{
    const uint32_t rows = w->height - top < STRIP_ROWS ? w->height - top : STRIP_ROWS;
    const size_t stride = (size_t) w->width * w->channels;
    const uint8_t *jpeg = w->jpeg + top * stride, *exact = w->exact + top * stride;
    int rc = 0;
    pcri_rs_strip_begin(&w->strip, rows, jpeg);
    for (uint32_t y = 0; y < rows && !rc; y++, exact += stride) {
        if (y + 1 < rows)
            pcri_rs_strip_below(&w->strip, jpeg + (y + 1) * stride);
        rc = visit_row(w, exact, visit, err);
    }
    return rc;
}

static int make_tables(struct residual_writing *w, struct pcr_buffer *stored,
                       struct pcr_error *err)
{
    int rc = pcri_rs_tables_train(&w->tables, w->counts, w->channels, stored, err);
    const uint32_t n = rc ? 0 : pcri_rs_tables_count(&w->tables);
    w->encoders = rc ? NULL : pcri_malloc(n, sizeof(*w->encoders), err);
    if (!w->encoders)
        return rc ? rc : PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        pcri_tans_encoder(w->tables.freq[i], &w->encoders[i]);
    return 0;
}

static int write_strip(struct residual_writing *w, uint32_t top, struct pcr_error *err)
{
    const size_t before = w->data.nbytes;
    w->plain.nbytes = 0;
    int rc = visit_strip(w, top, write_row, err);
    if (!rc)
        rc = pcri_tans_finish(&w->symbols, w->encoders, PCRI_RS_LANES, &w->data, err);
    if (!rc)
        rc = pcri_buffer_append_varint(&w->sizes, w->data.nbytes - before, err);
    if (!rc)
        rc = pcri_buffer_append_varint(&w->sizes, w->plain.nbytes, err);
    return rc ? rc : pcri_buffer_append(&w->data, w->plain.data, w->plain.nbytes, err);
}

static int write_all(struct residual_writing *w, struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_buffer stored = { 0 };
    int rc = pcri_rs_strip_reserve(&w->strip, w->width, w->channels, err);
    for (uint32_t y = 0; y < w->height && !rc; y += STRIP_ROWS)
        rc = visit_strip(w, y, count_row, err);
    if (!rc)
        rc = make_tables(w, &stored, err);
    for (uint32_t y = 0; y < w->height && !rc; y += STRIP_ROWS)
        rc = write_strip(w, y, err);
    if (!rc && w->data.nbytes > UINT32_MAX / 4)
        rc = pcri_fail(err, PCR_ERR_LIMIT, "a residual of more than 1 GiB");
    if (!rc)
        rc = pcri_buffer_append_varint(out, STRIP_ROWS, err);
    if (!rc)
        rc = pcri_buffer_append_varint(out, stored.nbytes, err);
    if (!rc)
        rc = pcri_buffer_append(out, stored.data, stored.nbytes, err);
    if (!rc)
        rc = pcri_buffer_append(out, w->sizes.data, w->sizes.nbytes, err);
    if (!rc)
        rc = pcri_buffer_append(out, w->data.data, w->data.nbytes, err);
    pcr_buffer_free(&stored);
    return rc;
}

int pcri_rs_make(const uint8_t *exact, const uint8_t *jpeg, uint32_t width, uint32_t height,
                 uint32_t channels, struct pcr_buffer *out, struct pcr_error *err)
{
    struct residual_writing *w = pcri_calloc(1, sizeof(*w), err);
    if (!w)
        return PCR_ERR_NOMEM;
    w->exact = exact;
    w->jpeg = jpeg;
    w->width = width;
    w->height = height;
    w->channels = channels;
    int rc = write_all(w, out, err);
    for (uint32_t i = 0; i < PCRI_RS_CHANNELS * PCRI_RS_CONTEXTS; i++)
        free(w->counts[i]);
    pcri_rs_strip_free(&w->strip);
    pcri_rs_tables_free(&w->tables);
    free(w->encoders);
    pcri_tans_free(&w->symbols);
    pcr_buffer_free(&w->plain);
    pcr_buffer_free(&w->sizes);
    pcr_buffer_free(&w->data);
    free(w);
    return rc;
}
