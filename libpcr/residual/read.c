/* SPDX-License-Identifier: BSD-2-Clause */
/* Residuals to pixels. */
#include <stdlib.h>

#include "../packed/rows.h"
#include "residual.h"

struct pcr_span pcri_rs_find(const struct pcr_spans *spans)
{
    static const uint8_t mark[PCRI_RS_MARK_NBYTES] = PCRI_RS_MARK;
    const uint32_t n = spans->count;
    const struct pcr_span none = { NULL, 0 };
    if (n < 3 || spans->items[n - 2].nbytes != sizeof(mark) ||
        memcmp(spans->items[n - 2].data, mark, sizeof(mark)) != 0)
        return none;
    return spans->items[n - 1];
}

/* The sizes of the strips' parts, and then these. */
static int find_pieces(struct pcri_rs_reader *r, struct pcri_cursor *c, struct pcr_error *err)
{
    int rc = r->strip_count <= pcri_left(c) / 2
                 ? PCRI_GROW(r->pieces, r->capacity, r->strip_count, err)
                 : pcri_fail(err, PCR_ERR_CORRUPT, "residual: it lacks strips");
    if (rc)
        return rc;
    uint64_t total = 0;
    for (uint32_t i = 0; i < r->strip_count; i++) {
        const uint64_t symbols = pcri_get_varint(c), plain = pcri_get_varint(c);
        if (symbols > UINT32_MAX || plain > UINT32_MAX)
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "residual: a strip of more than 2^32 bytes");
        r->pieces[i] = (struct pcri_rs_piece) { .symbols_nbytes = (uint32_t) symbols,
                                                .plain_nbytes = (uint32_t) plain };
        total += symbols + plain;
    }
    if (c->bad || total != pcri_left(c))
        return pcri_fail(err, PCR_ERR_CORRUPT, "residual: strips of %llu bytes in %zu",
                         (unsigned long long) total, pcri_left(c));
    for (uint32_t i = 0; i < r->strip_count; i++) {
        struct pcri_rs_piece *p = &r->pieces[i];
        p->symbols = pcri_get_bytes(c, p->symbols_nbytes);
        p->plain = pcri_get_bytes(c, p->plain_nbytes);
    }
    return 0;
}

int pcri_rs_open(struct pcri_rs_reader *r, const struct pcr_span *residual, uint32_t width,
                 uint32_t height, uint32_t channels, struct pcr_error *err)
{
    struct pcri_cursor c = { residual->data,
                             (const uint8_t *) residual->data + residual->nbytes, false };
    const uint64_t rows = pcri_get_varint(&c), tables_nbytes = pcri_get_varint(&c);
    const uint8_t *tables = pcri_get_bytes(&c, tables_nbytes);
    if (!tables || !rows || rows > UINT16_MAX)
        return pcri_fail(err, PCR_ERR_CORRUPT, "residual: incomplete, or strips of %llu rows",
                         (unsigned long long) rows);
    r->width = width;
    r->height = height;
    r->channels = channels;
    r->strip_rows = (uint32_t) rows;
    r->strip_count = height / r->strip_rows + (height % r->strip_rows != 0);
    int rc = find_pieces(r, &c, err);
    if (!rc)
        rc = pcri_rs_tables_open(&r->tables, tables, (size_t) tables_nbytes, channels, err);
    return rc ? rc : pcri_rs_strip_reserve(&r->strip, width, channels, err);
}

/* A strip being read. */
struct residual_reading {
    struct pcri_rs_reader *reader;
    pcri_tans_read_fn *read;
    struct pcri_tans_reader symbols;
    struct pcri_cursor plain;
};

/* Symbols that are escapes are the next plain bytes. */
static void take_escapes(struct residual_reading *g, const struct pcri_rs_strip *s)
{
    const uint32_t width = g->reader->width;
    for (uint32_t i = 0; i < width; i += 32)
        for (uint32_t left = pcri_tans_escapes(s->contexts, i, width); left;
             left &= left - 1) {
            const uint8_t *p = pcri_get_bytes(&g->plain, 1);
            s->symbols[i + (uint32_t) __builtin_ctz(left)] = p ? *p : 0;
        }
}

static int read_row(struct residual_reading *g, uint8_t *pixels, struct pcr_error *err)
{
    struct pcri_rs_reader *r = g->reader;
    struct pcri_rs_strip *s = &r->strip;
    const int16_t *jpeg[PCRI_RS_CHANNELS] = { NULL }, *residual[PCRI_RS_CHANNELS] = { NULL };
    for (uint32_t k = 0; k < r->channels; k++) {
        bool escapes;
        jpeg[k] = pcri_rs_strip_jpeg(s, k);
        residual[k] = pcri_rs_strip_residual(s, k);
        int16_t *const to = pcri_rs_strip_residual(s, k);
        pcri_rs_strip_contexts(s, k);
        if (!pcri_tans_read(&g->symbols, g->read, r->tables.entries, r->tables.maps[k],
                            s->contexts, r->width, PCRI_RS_ESCAPE, s->symbols, &escapes))
            return pcri_fail(err, PCR_ERR_CORRUPT, "residual: a strip that ends too early");
        if (escapes)
            take_escapes(g, s);
        s->kernels->values(s->symbols, r->width, to, pcri_rs_strip_sizes(s, k));
        pcri_rs_strip_done(s, k);
    }
    s->kernels->join(jpeg, residual, r->width, r->channels, pixels);
    return 0;
}

/* A stream of symbols, with room to read beyond its end. */
static int open_symbols(struct residual_reading *g, const struct pcri_rs_piece *p,
                        struct pcr_error *err)
{
    struct pcr_buffer *b = &g->reader->padded;
    int rc = pcri_buffer_reserve(b, (size_t) p->symbols_nbytes + PCRI_TANS_PADDING, err);
    if (rc)
        return rc;
    if (p->symbols_nbytes)
        memcpy(b->data, p->symbols, p->symbols_nbytes);
    memset(b->data + p->symbols_nbytes, 0, PCRI_TANS_PADDING);
    return pcri_tans_open(&g->symbols, b->data, p->symbols_nbytes, PCRI_RS_LANES, err);
}

int pcri_rs_apply(struct pcri_rs_reader *r, uint32_t i, uint8_t *pixels, size_t stride_nbytes,
                  struct pcr_error *err)
{
    const struct pcri_rs_piece *p = &r->pieces[i];
    const uint32_t top = i * r->strip_rows;
    const uint32_t rows = r->height - top < r->strip_rows ? r->height - top : r->strip_rows;
    struct residual_reading g = { .reader = r,
                                  .read = pcri_pk_kernels_choose()->read_symbols,
                                  .plain = { p->plain, p->plain + p->plain_nbytes, false } };
    int rc = open_symbols(&g, p, err);
    if (!rc)
        pcri_rs_strip_begin(&r->strip, rows, pixels);
    for (uint32_t y = 0; y < rows && !rc; y++, pixels += stride_nbytes) {
        if (y + 1 < rows)
            pcri_rs_strip_below(&r->strip, pixels + stride_nbytes);
        rc = read_row(&g, pixels, err);
    }
    if (!rc && (!pcri_tans_finished(&g.symbols) || g.plain.bad || pcri_left(&g.plain)))
        rc = pcri_fail(err, PCR_ERR_CORRUPT,
                       "residual: a strip that does not end where it should");
    return rc;
}

void pcri_rs_free(struct pcri_rs_reader *r)
{
    pcri_rs_tables_free(&r->tables);
    free(r->pieces);
    pcri_rs_strip_free(&r->strip);
    pcr_buffer_free(&r->padded);
    *r = (struct pcri_rs_reader) { 0 };
}
