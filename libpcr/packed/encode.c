/* SPDX-License-Identifier: BSD-2-Clause */
/* The encoder: rows of coefficients to symbols and plain bits, group by group. */
#include <stdlib.h>

#include "packed.h"
#include "train.h"

/* --- symbols --- */

/* Makes room for a call of n symbols, and for as many escapes. */
static int begin_call(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s, size_t n,
                      struct pcr_error *err)
{
    if (e->counts)
        return 0;
    int rc = pcri_tans_reserve(&s->symbols, n, err);
    if (!rc)
        rc = pcri_buffer_reserve(&s->plain, s->bits.nbytes + n + 16, err);
    s->bits.data = s->plain.data;
    return rc;
}

static void end_call(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                     size_t count_before)
{
    if (!e->counts)
        s->symbols.calls[s->symbols.call_count++] = (uint32_t) (s->symbols.count -
                                                                count_before);
}

/* n symbols of e->contexts. A symbol without a code is an escape, then itself. */
static int add_symbols(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                       enum pcri_pk_family family, const uint8_t *symbols, size_t n,
                       struct pcr_error *err)
{
    const uint16_t *contexts = e->contexts;
    if (e->counts)
        return e->passes_over
                   ? 0
                   : pcri_pk_counts_add(e->counts, family, contexts, symbols, n, err);
    const uint8_t *map = e->tables->maps[family], escape = pcri_pk_families[family].escape;
    uint8_t *tables = s->symbols.tables + s->symbols.count;
    uint8_t *out = s->symbols.symbols + s->symbols.count;
    for (size_t i = 0; i < n; i++) {
        tables[i] = map[contexts[i]];
        out[i] = symbols[i];
        if (symbols[i] == escape ||
            !e->tables->encoders[tables[i]].symbols[out[i]].nbits_delta) {
            out[i] = escape;
            pcri_pk_put(&s->bits, symbols[i], 8);
        }
    }
    s->symbols.count += n;
    return 0;
}

/* Makes room for the plain bits of a pass in a row. */
static int reserve_plain(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                         uint32_t blocks, struct pcr_error *err)
{
    int rc = pcri_buffer_reserve(&s->plain, s->bits.nbytes + 128 * (size_t) blocks + 32, err);
    s->bits.data = s->plain.data;
    return rc;
}

/* --- DC --- */

static int add_dc_row(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                      const struct pcri_pk_active *a, const int16_t *coef,
                      struct pcr_error *err)
{
    const unsigned c = a->pass->component;
    struct pcri_pk_dc *up = &e->rows.dc[c];
    int16_t *now = e->rows.dc_now[c];
    pcri_pk_rows_dc(&e->rows, &e->plan, c, e->kernels, e->contexts);
    for (uint32_t x = 0; x < a->row->blocks; x++) {
        now[x] = coef[64 * (size_t) x];
        if (abs(now[x]) > PCRI_PK_MAX_DC)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED, "DC is %d", now[x]);
        int r = now[x] - pcri_pk_dc_predict(up, x ? now[x - 1] : 0, x);
        a->row->mask[x] = (uint64_t) (int64_t) r; /* kept for the plain bits */
        up->residual[x] = (uint16_t) abs(r);
        e->symbols[x] = (uint8_t) pcri_bit_length((uint32_t) abs(r));
    }
    pcri_pk_dc_end(&e->rows, c);
    return add_symbols(e, s, PCRI_PK_DC, e->symbols, a->row->blocks, err);
}

/* A difference of n bits: its lower bits below the highest, then its sign. */
static void put_differences(struct pcri_pk_stream_writer *s, const struct pcri_pk_row *row)
{
    for (uint32_t x = 0; x < row->blocks; x++) {
        int r = (int) (int64_t) row->mask[x];
        uint32_t m = (uint32_t) abs(r), n = pcri_bit_length(m);
        if (n)
            pcri_pk_put(&s->bits, (m ^ 1u << (n - 1)) | (r < 0 ? 1u << (n - 1) : 0), n);
    }
}

static int encode_dc(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                     const struct pcri_pk_active *active, uint32_t n,
                     const struct pcri_coefs *c, struct pcr_error *err)
{
    size_t before = s->symbols.count;
    int rc = begin_call(e, s, e->rows.block_count, err);
    for (uint32_t i = 0; !rc && i < n; i++) {
        const struct pcri_plane *p = &c->planes[active[i].pass->component];
        rc = add_dc_row(e, s, &active[i], p->coef + 64 * (size_t) active[i].y * p->blocks_x,
                        err);
    }
    if (rc || e->counts)
        return rc;
    end_call(e, s, before);
    for (uint32_t i = 0; !rc && i < n; i++) {
        rc = reserve_plain(e, s, active[i].row->blocks, err);
        if (!rc)
            put_differences(s, active[i].row);
    }
    return rc;
}

/* --- AC: what a pass finds --- */

static void find(const struct pcri_pk_active *a)
{
    const struct pcri_pk_row *row = a->row;
    for (uint32_t i = 0; i < row->blocks; i++) {
        uint64_t v = 0;
        for (uint32_t p = a->pass->al; p < PCRI_PK_PLANES; p++)
            v |= row->plane[p][i];
        row->found[i] = v & a->pass->band & ~row->known[i];
    }
}

/* The first call, T; and what the others are about: t, b and their number, pass by pass. */
static int add_t(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                 const struct pcri_pk_active *active, uint32_t n, size_t b_count[4],
                 uint8_t *t[4], uint8_t *b[4], struct pcr_error *err)
{
    size_t before = s->symbols.count;
    int rc = begin_call(e, s, e->rows.block_count, err);
    for (uint32_t i = 0; !rc && i < n; i++) {
        const struct pcri_pk_active *a = &active[i];
        find(a);
        b_count[i] = e->kernels->name_bytes(a->row, a->pass->band, t[i], b[i]);
        a->row->listed = e->kernels->list(t[i], a->row->blocks, a->row->list);
        e->kernels->t_contexts(a->row, a->above, a->pass, e->contexts);
        rc = add_symbols(e, s, PCRI_PK_T, t[i], a->row->blocks, err);
    }
    if (!rc)
        end_call(e, s, before);
    return rc;
}

static int add_b(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                 const struct pcri_pk_active *active, uint32_t n, const size_t b_count[4],
                 uint8_t *const t[4], uint8_t *const b[4], struct pcr_error *err)
{
    size_t before = s->symbols.count;
    int rc = begin_call(e, s, 8 * (size_t) e->rows.block_count, err);
    for (uint32_t i = 0; !rc && i < n; i++) {
        const struct pcri_pk_active *a = &active[i];
        e->kernels->b_contexts(a->row, a->above, a->pass, t[i], e->contexts);
        rc = add_symbols(e, s, PCRI_PK_B, b[i], b_count[i], err);
    }
    if (!rc)
        end_call(e, s, before);
    return rc;
}

/* --- AC: first passes --- */

static unsigned magnitude(int16_t coef, unsigned al)
{
    return (unsigned) abs(coef) >> al;
}

static const int16_t *row_coef(const struct pcri_coefs *c, const struct pcri_pk_active *a)
{
    const struct pcri_plane *p = &c->planes[a->pass->component];
    return p->coef + 64 * (size_t) a->y * p->blocks_x;
}

/* Bit lengths of the new coefficients of a settled row, over the symbols that have served. */
static int add_m(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                 const struct pcri_pk_active *active, uint32_t n, struct pcr_error *err)
{
    size_t before = s->symbols.count;
    int rc = begin_call(e, s, 64 * (size_t) e->rows.block_count, err);
    bool any = false;
    for (uint32_t i = 0; !rc && i < n; i++) {
        const struct pcri_pk_active *a = &active[i];
        const struct pcri_pk_found *f;
        if (!a->pass->first)
            continue;
        size_t count = 0;
        for (uint32_t at = 0; (f = pcri_pk_next_part(&e->rows, &e->plan, a->pass, &at));)
            for (uint32_t k = f->settled; k < f->count; k++)
                e->symbols[count++] = (uint8_t) pcri_bit_length(
                    magnitude(f->values[k], a->pass->al));
        pcri_pk_m_contexts(&e->rows, &e->plan, a, e->contexts);
        rc = add_symbols(e, s, PCRI_PK_M, e->symbols, count, err);
        any = true;
    }
    if (!rc && any)
        end_call(e, s, before);
    return rc;
}

/* The lower bits of n magnitudes, of those that have more than one bit. */
static void put_mantissas(struct pcri_pk_bit_writer *bits, const int16_t *values, uint32_t n,
                          unsigned al)
{
    for (uint32_t i = 0; i < n; i++) {
        const unsigned m = magnitude(values[i], al), below = pcri_bit_length(m) - 1;
        if (below)
            pcri_pk_put(bits, m ^ 1u << below, below);
    }
}

/* Bit `at` of n numbers. */
static void put_bits(struct pcri_pk_bit_writer *bits, const int16_t *values, uint32_t n,
                     unsigned at, bool of_magnitudes)
{
    enum { AT_ONCE = 32 };
    for (uint32_t i = 0; i < n; i += AT_ONCE) {
        const uint32_t count = n - i < AT_ONCE ? n - i : AT_ONCE;
        uint32_t v = 0;
        for (uint32_t k = 0; k < count; k++) {
            const unsigned value = (unsigned) (of_magnitudes ? abs(values[i + k])
                                                             : values[i + k]);
            v |= (value >> at & 1) << k;
        }
        pcri_pk_put(bits, v, count);
    }
}

/* --- AC --- */

static int put_plain(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                     const struct pcri_pk_active *a, struct pcr_error *err)
{
    const struct pcri_pk_pass *pass = a->pass;
    const struct pcri_pk_found *f;
    int rc = reserve_plain(e, s, a->row->blocks, err);
    if (rc)
        return rc;
    for (uint32_t at = 0;
         pass->first && (f = pcri_pk_next_part(&e->rows, &e->plan, pass, &at));)
        put_mantissas(&s->bits, f->values + f->settled, f->count - f->settled, pass->al);
    for (uint32_t at = 0; (f = pcri_pk_next_part(&e->rows, &e->plan, pass, &at));)
        put_bits(&s->bits, f->values + f->settled, f->count - f->settled, 15, false);
    for (uint32_t at = 0;
         !pass->first && (f = pcri_pk_next_part(&e->rows, &e->plan, pass, &at));)
        put_bits(&s->bits, f->values, f->settled, pass->al, true);
    return 0;
}

static int encode_ac(struct pcri_pk_encoder *e, struct pcri_pk_stream_writer *s,
                     const struct pcri_pk_active *active, uint32_t n,
                     const struct pcri_coefs *c, struct pcr_error *err)
{
    size_t b_count[4];
    uint8_t *t[4], *b[4], *at = e->symbols;
    for (uint32_t i = 0; i < n; i++) {
        t[i] = at;
        b[i] = at + active[i].row->blocks + PCRI_PK_PADDING;
        at = b[i] + 8 * (size_t) active[i].row->blocks + 16;
    }
    int rc = add_t(e, s, active, n, b_count, t, b, err);
    if (!rc)
        rc = add_b(e, s, active, n, b_count, t, b, err);
    for (uint32_t i = 0; !rc && i < n; i++) {
        e->kernels->place(active[i].row, active[i].pass->band, t[i], b[i]);
        pcri_pk_join(&e->rows, &e->plan, &active[i], e->kernels);
        pcri_pk_gather(&e->rows, &e->plan, &active[i], row_coef(c, &active[i]));
        e->kernels->settle(active[i].row, active[i].above);
    }
    if (!rc)
        rc = add_m(e, s, active, n, err);
    for (uint32_t i = 0; !rc && !e->counts && i < n; i++)
        rc = put_plain(e, s, &active[i], err);
    return rc;
}

/* --- an image --- */

static int begin_rows(struct pcri_pk_encoder *e, const struct pcri_coefs *c,
                      const uint32_t y[4], struct pcr_error *err)
{
    for (uint32_t i = 0; i < e->plan.component_count; i++) {
        if (y[i] == UINT32_MAX)
            continue;
        pcri_pk_row_begin(&e->rows, &e->plan, i);
        e->kernels->slice(&e->rows.rows[i],
                          c->planes[i].coef + 64 * (size_t) y[i] * c->planes[i].blocks_x);
        if (e->rows.rows[i].planes >> PCRI_PK_PLANES)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED, "a coefficient above %d",
                             (1 << PCRI_PK_PLANES) - 1);
    }
    return 0;
}

static int encode_batch(struct pcri_pk_encoder *e, const struct pcri_coefs *c, uint32_t batch,
                        struct pcr_error *err)
{
    struct pcri_pk_active active[4];
    uint32_t y[4];
    pcri_pk_batch_rows(&e->plan, batch, y);
    int rc = begin_rows(e, c, y, err);
    for (uint32_t i = 0; !rc && i < e->plan.step_count; i++) {
        const struct pcri_pk_step *step = &e->plan.steps[i];
        struct pcri_pk_stream_writer *s = &e->streams[step->group];
        uint32_t n = pcri_pk_active(&e->rows, &e->plan, i, y, active);
        if (n)
            rc = step->dc ? encode_dc(e, s, active, n, c, err)
                          : encode_ac(e, s, active, n, c, err);
    }
    return rc;
}

/* Ends a segment: its streams join those of the segments before it. */
static int end_segment(struct pcri_pk_encoder *e, bool last, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t g = 0; !rc && g < e->plan.group_count; g++) {
        struct pcri_pk_stream_writer *s = &e->streams[g];
        if (e->plan.first_step[g] == e->plan.first_step[g + 1])
            continue;
        size_t before = s->bytes.nbytes, plain = s->bits.nbytes + (s->bits.held > 0);
        rc = pcri_tans_finish(&s->symbols, e->tables->encoders, 1u << e->params.lanes_log,
                              &s->bytes, err);
        if (!rc)
            rc = pcri_buffer_append_varint(&s->lengths, s->bytes.nbytes - before, err);
        if (!rc && !last)
            rc = pcri_buffer_append_varint(&s->lengths, plain, err);
        if (!rc && plain)
            rc = pcri_buffer_append(&s->bytes, s->plain.data, plain, err);
        s->bits = (struct pcri_pk_bit_writer) { .data = s->plain.data };
    }
    return rc;
}

static int reserve_symbols(struct pcri_pk_encoder *e, struct pcr_error *err)
{
    const size_t most = 64 * (size_t) e->rows.block_count + 8 * PCRI_PK_PADDING;
    if (most <= e->symbols_capacity)
        return 0;
    free(e->contexts);
    e->symbols_capacity = 0;
    e->contexts = pcri_malloc(3, most, err); /* and symbols */
    if (!e->contexts)
        return PCR_ERR_NOMEM;
    e->symbols = (uint8_t *) (e->contexts + most);
    e->symbols_capacity = most;
    return 0;
}

static int encode_all(struct pcri_pk_encoder *e, const struct pcri_coefs *c,
                      const struct pcri_jpeg_file *f, const struct pcri_script *script,
                      uint32_t group_count, struct pcr_error *err)
{
    int rc = pcri_pk_plan(script, group_count, f, &e->plan, err);
    if (!rc)
        rc = pcri_pk_rows_reserve(&e->rows, &e->plan, e->plan.step_count, true, err);
    if (!rc)
        rc = reserve_symbols(e, err);
    e->kernels = pcri_pk_kernels_choose();
    for (uint32_t g = 0; g < group_count; g++) {
        struct pcri_pk_stream_writer *s = &e->streams[g];
        s->symbols.count = s->symbols.call_count = 0;
        s->lengths.nbytes = s->bytes.nbytes = 0;
        s->bits = (struct pcri_pk_bit_writer) { .data = s->plain.data };
    }
    uint32_t every = e->params.restart * e->plan.max_v,
             count = rc ? 0 : pcri_pk_batches(&e->plan);
    for (uint32_t b = 0; !rc && b < count; b++) {
        if (every && b && b % every == 0) {
            pcri_pk_rows_restart(&e->rows);
            rc = e->counts ? 0 : end_segment(e, false, err);
        }
        e->passes_over = e->count_every && b % e->count_every;
        if (!rc)
            rc = encode_batch(e, c, b, err);
    }
    return rc || e->counts ? rc : end_segment(e, true, err);
}

int pcri_pk_encode(struct pcri_pk_encoder *e, const struct pcri_coefs *c,
                   const struct pcri_jpeg_file *f, const struct pcri_script *script,
                   uint32_t group_count, const struct pcri_pk_tables *tables,
                   const struct pcri_pk_params *params, struct pcr_buffer chunks[],
                   struct pcr_error *err)
{
    e->tables = tables;
    e->params = *params;
    e->counts = NULL;
    int rc = encode_all(e, c, f, script, group_count, err);
    for (uint32_t g = 0; !rc && g < group_count; g++) {
        const struct pcr_buffer *lengths = &e->streams[g].lengths,
                                *bytes = &e->streams[g].bytes;
        if (e->plan.first_step[g] == e->plan.first_step[g + 1])
            rc = pcri_buffer_append(&chunks[g], "", 1, err);
        if (!rc)
            rc = pcri_buffer_append(&chunks[g], lengths->data, lengths->nbytes, err);
        if (!rc)
            rc = pcri_buffer_append(&chunks[g], bytes->data, bytes->nbytes, err);
    }
    return rc;
}

int pcri_pk_count(struct pcri_pk_encoder *e, const struct pcri_coefs *c,
                  const struct pcri_jpeg_file *f, const struct pcri_script *script,
                  uint32_t group_count, struct pcri_pk_counts *counts, struct pcr_error *err)
{
    e->params = (struct pcri_pk_params) { 0 };
    e->counts = counts;
    return encode_all(e, c, f, script, group_count, err);
}

void pcri_pk_encoder_free(struct pcri_pk_encoder *e)
{
    for (uint32_t g = 0; g < PCRI_LADDER_MAX_GROUPS; g++) {
        struct pcri_pk_stream_writer *s = &e->streams[g];
        pcri_tans_free(&s->symbols);
        pcr_buffer_free(&s->plain);
        pcr_buffer_free(&s->lengths);
        pcr_buffer_free(&s->bytes);
    }
    pcri_pk_rows_free(&e->rows);
    free(e->contexts);
    *e = (struct pcri_pk_encoder) { 0 };
}
