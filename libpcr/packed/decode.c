/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder: symbols and plain bits to rows of coefficients, all groups of a batch of rows
 * before the next batch, so that what is decoded is still in the first cache.
 *
 * What bounds it: symbols are read by calls, whose lengths follow from what was decoded before and
 * are at most 64 a block; reading a call past the end of its stream fails after at most
 * PCRI_TANS_UNCHECKED symbols (tans.h). Plain bits are counted before they are read, or are those
 * of a row's DC. Masks keep to their band whatever the symbols say. */
#include <stdlib.h>

#include "../base/bytes.h"
#include "packed.h"

static int damaged(struct pcr_error *err, const char *what)
{
    return pcri_fail(err, PCR_ERR_CORRUPT, "packed group: %s", what);
}

/* --- calls --- */

/* Reads a call of n symbols whose contexts are in d->contexts, and the escapes among them. */
static int read_call(struct pcri_pk_decoder *d, struct pcri_pk_stream *s,
                     enum pcri_pk_family family, size_t n, uint8_t *out, struct pcr_error *err)
{
    const uint8_t escape = pcri_pk_families[family].escape;
    bool escapes;
    if (!pcri_tans_read(&s->symbols, d->kernels->read_symbols, d->tables->entries,
                        d->tables->maps[family], d->contexts, n, escape, out, &escapes))
        return damaged(err, "symbols end too early");
    for (size_t i = 0; escapes && i < n; i += 32)
        for (uint32_t left = pcri_tans_escapes(d->contexts, i, n); left; left &= left - 1) {
            if (s->plain.end - s->plain.bit < 8)
                return damaged(err, "plain bits end too early");
            out[i + (unsigned) __builtin_ctz(left)] = (uint8_t) pcri_pk_take(&s->plain, 8);
        }
    return 0;
}

/* --- DC --- */

/* Values without a row above: each is predicted to be the one before. */
static void read_first_dc(struct pcri_pk_bits *bits, const uint8_t *lengths, size_t n,
                          uint16_t *residual, int16_t *now)
{
    int left = 0;
    for (size_t x = 0; x < n; x++) {
        const int v = (int) pcri_pk_take(bits, lengths[x]), top = 1 << lengths[x] >> 1;
        residual[x] = (uint16_t) (v | top);
        left += v & top ? -(v | top) : v | top;
        left = left < INT16_MIN ? INT16_MIN : left > INT16_MAX ? INT16_MAX : left;
        now[x] = (int16_t) left;
    }
}

static int read_dc_row(struct pcri_pk_decoder *d, struct pcri_pk_stream *s, unsigned c,
                       const uint8_t *lengths, struct pcr_error *err)
{
    struct pcri_pk_dc *up = &d->rows.dc[c];
    int16_t *now = d->rows.dc_now[c];
    const uint32_t n = d->rows.rows[c].blocks;
    uint8_t longest = 0;
    for (uint32_t x = 0; x < n; x++)
        longest = lengths[x] > longest ? lengths[x] : longest;
    if (longest > 12)
        return damaged(err, "an impossible DC difference");
    if (up->any)
        d->kernels->dc_values(up, lengths, n, &s->plain, now);
    else
        read_first_dc(&s->plain, lengths, n, up->residual, now);
    if (s->plain.bit > s->plain.end) /* 12 bits a block were padding */
        return damaged(err, "plain bits end too early");
    int16_t least = 0, most = 0;
    for (uint32_t x = 0; x < n; x++) {
        least = now[x] < least ? now[x] : least;
        most = now[x] > most ? now[x] : most;
    }
    pcri_pk_dc_end(&d->rows, c);
    return least < -PCRI_PK_MAX_DC || most > PCRI_PK_MAX_DC ? damaged(err, "an impossible DC")
                                                            : 0;
}

static int decode_dc(struct pcri_pk_decoder *d, struct pcri_pk_stream *s,
                     const struct pcri_pk_active *active, uint32_t count,
                     struct pcr_error *err)
{
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        pcri_pk_rows_dc(&d->rows, &d->plan, active[i].pass->component, d->kernels,
                        d->contexts + n);
        n += active[i].row->blocks;
    }
    int rc = read_call(d, s, PCRI_PK_DC, n, d->symbols, err);
    const uint8_t *lengths = d->symbols;
    for (uint32_t i = 0; !rc && i < count; i++) {
        rc = read_dc_row(d, s, active[i].pass->component, lengths, err);
        lengths += active[i].row->blocks;
    }
    return rc;
}

/* --- AC: the calls --- */

/* T of all passes: those of pass i begin at t[i]. */
static int read_t(struct pcri_pk_decoder *d, struct pcri_pk_stream *s,
                  const struct pcri_pk_active *active, uint32_t count, const uint8_t *t[4],
                  struct pcr_error *err)
{
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct pcri_pk_active *a = &active[i];
        d->kernels->t_contexts(a->row, a->above, a->pass, d->contexts + n);
        t[i] = d->t + n;
        n += a->row->blocks;
    }
    int rc = read_call(d, s, PCRI_PK_T, n, d->t, err);
    for (uint32_t i = 0; !rc && i < count; i++) {
        struct pcri_pk_row *row = active[i].row;
        row->listed = d->kernels->list(t[i], row->blocks, row->list);
    }
    return rc;
}

/* What is new, of B. */
static int read_b(struct pcri_pk_decoder *d, struct pcri_pk_stream *s,
                  const struct pcri_pk_active *active, uint32_t count,
                  const uint8_t *const t[4], struct pcr_error *err)
{
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += d->kernels->b_contexts(active[i].row, active[i].above, active[i].pass, t[i],
                                    d->contexts + n);
    int rc = read_call(d, s, PCRI_PK_B, n, d->symbols, err);
    const uint8_t *b = d->symbols;
    for (uint32_t i = 0; !rc && i < count; i++)
        b += d->kernels->place(active[i].row, active[i].pass->band, t[i], b);
    return rc;
}

/* M of what first passes found, which is settled. */
static int read_m(struct pcri_pk_decoder *d, struct pcri_pk_stream *s,
                  const struct pcri_pk_active *active, uint32_t count, struct pcr_error *err)
{
    size_t n = 0;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!active[i].pass->first)
            continue;
        n += pcri_pk_m_contexts(&d->rows, &d->plan, &active[i], d->contexts + n);
        any = true;
    }
    return any ? read_call(d, s, PCRI_PK_M, n, d->symbols, err) : 0;
}

/* --- AC: plain bits --- */

/* What a component's last pass finds nothing refines: where the CPU has masks for it, it makes no
 * list. */
static bool goes_through_masks(const struct pcri_pk_decoder *d,
                               const struct pcri_pk_pass *pass)
{
    return d->kernels->sign && pass == d->last[pass->component];
}

/* Of eight lengths m, of which n are there, the bits below the highest: in bytes. */
static uint64_t below_highest(const uint8_t *m, size_t n)
{
    const uint64_t below = pcri_load64(m) - PCRI_EACH_BYTE(1);
    return n < 8 ? below & ((UINT64_C(1) << 8 * n) - 1) : below;
}

/* The magnitudes of n new coefficients, of m bits each; few have more than one. */
static int read_magnitudes(struct pcri_pk_stream *s, const uint8_t *m, size_t n, unsigned al,
                           int16_t *values, struct pcr_error *err)
{
    const unsigned too_many = PCRI_PK_PLANES - al;
    uint64_t sum = 0, bad = 0;
    for (size_t i = 0; i < n; i += 8) {
        const uint64_t below = below_highest(m + i, n - i);
        bad |= below | (below + PCRI_EACH_BYTE(128 - too_many));
        sum += (below * PCRI_EACH_BYTE(1)) >> 56;
    }
    if (bad & PCRI_EACH_BYTE(128))
        return damaged(err, "an impossible magnitude");
    if (s->plain.end - s->plain.bit < sum)
        return damaged(err, "plain bits end too early");
    struct pcri_pk_bits bits = s->plain;
    for (size_t i = 0; i < n; i += 8) {
        for (size_t k = i; k < i + 8; k++)
            values[k] = (int16_t) (1 << al);
        for (uint64_t left = below_highest(m + i, n - i); left;) {
            const unsigned k = (unsigned) __builtin_ctzll(left) / 8, below = m[i + k] - 1u;
            values[i + k] = (int16_t) ((pcri_pk_take(&bits, below) | 1u << below) << al);
            left &= ~(UINT64_C(255) << 8 * k);
        }
    }
    s->plain = bits;
    return 0;
}

/* Plain bits of a pass: magnitudes of what a first pass found, of *m bits, signs, and a bit more of
 * what was known before another. *m moves on. Kernels change some values beyond the last, so those
 * that were known come first. */
static int read_plain(struct pcri_pk_decoder *d, struct pcri_pk_stream *s,
                      const struct pcri_pk_active *a, const uint8_t **m, struct pcr_error *err)
{
    const struct pcri_pk_pass *pass = a->pass;
    const bool last = goes_through_masks(d, pass);
    struct pcri_pk_found *f;
    const uint8_t *data = s->plain.data;
    uint64_t signs = 0, more = 0;
    for (uint32_t at = 0; (f = pcri_pk_next_part(&d->rows, &d->plan, pass, &at));) {
        if (last) {
            f->settled = f->count;
            signs += d->kernels->sign(a->row, d->plan.parts[pass->component][at - 1], data,
                                      s->plain.bit + signs);
        }
        const uint32_t n = f->count - f->settled;
        int rc = pass->first ? read_magnitudes(s, *m, n, pass->al, f->values + f->settled, err)
                             : 0;
        if (rc)
            return rc;
        *m += pass->first ? n : 0;
        signs += n;
        more += pass->first ? 0 : f->settled;
    }
    if (s->plain.end - s->plain.bit < signs + more)
        return damaged(err, "plain bits end too early");
    uint64_t sign = s->plain.bit, bit = sign + signs;
    s->plain.bit += signs + more;
    for (uint32_t at = 0; (f = pcri_pk_next_part(&d->rows, &d->plan, pass, &at));) {
        const uint32_t n = f->count - f->settled;
        int16_t *new = f->values + f->settled;
        if (!pass->first) {
            d->kernels->refine(data, bit, f->settled, 1 << pass->al, f->values);
            d->kernels->fresh(data, sign, n, 1 << pass->al, new);
            bit += f->settled;
        } else {
            d->kernels->signs(data, sign, n, new);
        }
        sign += n;
    }
    return 0;
}

static int decode_ac(struct pcri_pk_decoder *d, struct pcri_pk_stream *s,
                     const struct pcri_pk_active *active, uint32_t count,
                     struct pcr_error *err)
{
    const uint8_t *t[4], *m = d->symbols;
    int rc = read_t(d, s, active, count, t, err);
    if (!rc)
        rc = read_b(d, s, active, count, t, err);
    for (uint32_t i = 0; !rc && i < count; i++) {
        if (!goes_through_masks(d, active[i].pass))
            pcri_pk_join(&d->rows, &d->plan, &active[i], d->kernels);
        d->kernels->settle(active[i].row, active[i].above);
    }
    if (!rc)
        rc = read_m(d, s, active, count, err);
    for (uint32_t i = 0; !rc && i < count; i++)
        rc = read_plain(d, s, &active[i], &m, err);
    return rc;
}

/* --- an image --- */

static int reserve_scratch(struct pcri_pk_decoder *d, struct pcr_error *err)
{
    const size_t blocks = d->rows.block_count, most = 64 * blocks + PCRI_PK_PADDING;
    if (most <= d->scratch_capacity)
        return 0;
    free(d->contexts);
    d->scratch_capacity = 0;
    d->contexts = pcri_calloc(4, most, err); /* and what follows */
    if (!d->contexts)
        return PCR_ERR_NOMEM;
    d->symbols = (uint8_t *) (d->contexts + most);
    d->t = d->symbols + most;
    d->scratch_capacity = most;
    return 0;
}

static int reserve_ranges(struct pcri_pk_decoder *d, struct pcr_error *err)
{
    size_t n = (size_t) d->groups * d->segments;
    if (n <= d->range_capacity)
        return 0;
    free(d->ranges);
    d->range_capacity = 0;
    d->ranges = pcri_malloc(n, sizeof(*d->ranges), err);
    if (!d->ranges)
        return PCR_ERR_NOMEM;
    d->range_capacity = n;
    return 0;
}

static uint32_t segment_batches(const struct pcri_pk_decoder *d)
{
    return d->params.restart ? d->params.restart * d->plan.max_v : pcri_pk_batches(&d->plan);
}

/* Finds the segments of a group's chunk, as places in it. */
static int find_segments(const struct pcri_pk_decoder *d, const struct pcr_span *chunk,
                         struct pcri_pk_range *ranges, struct pcr_error *err)
{
    const uint8_t *data = chunk->data;
    struct pcri_cursor c = { data, data + chunk->nbytes, false };
    bool last = false;
    for (uint32_t i = 0; i < d->segments; i++) {
        last = i + 1 == d->segments;
        uint64_t symbols = pcri_get_varint(&c), plain = last ? 0 : pcri_get_varint(&c);
        c.bad |= symbols > chunk->nbytes || plain > chunk->nbytes;
        ranges[i] = (struct pcri_pk_range) { .plain = (size_t) symbols,
                                             .end = (size_t) plain };
    }
    size_t at = chunk->nbytes - pcri_left(&c), end = chunk->nbytes;
    for (uint32_t i = 0; i < d->segments && !c.bad; i++) {
        struct pcri_pk_range *r = &ranges[i];
        last = i + 1 == d->segments;
        c.bad = r->plain > end - at || (!last && r->end > end - at - r->plain);
        *r = (struct pcri_pk_range) { at, at + r->plain, last ? end : at + r->plain + r->end };
        at = r->end;
    }
    return c.bad ? damaged(err, "segments are longer than the chunk") : 0;
}

/* Copies the segments of the wanted batches to d->bytes, and makes their ranges places there. */
static void take_segments(struct pcri_pk_decoder *d, const struct pcr_span *chunk,
                          struct pcri_pk_range *ranges)
{
    if (d->batch >= d->batch_end)
        return;
    const uint32_t every = segment_batches(d), first = d->batch / every,
                   last = (d->batch_end - 1) / every;
    const size_t begin = ranges[first].symbols, n = ranges[last].end - begin,
                 to = d->bytes.nbytes;
    memcpy(d->bytes.data + to, (const uint8_t *) chunk->data + begin, n);
    d->bytes.nbytes += n;
    for (uint32_t i = first; i <= last; i++) {
        struct pcri_pk_range *r = &ranges[i];
        *r = (struct pcri_pk_range) { r->symbols - begin + to, r->plain - begin + to,
                                      r->end - begin + to };
    }
}

static int take_chunks(struct pcri_pk_decoder *d, const struct pcr_span chunks[],
                       struct pcr_error *err)
{
    const size_t padding = PCRI_TANS_PADDING + 16 * (size_t) d->rows.block_count;
    size_t total = padding;
    for (uint32_t g = 0; g < d->groups; g++)
        if (!pcri_add(total, chunks[g].nbytes, &total))
            return pcri_fail_nomem(err, SIZE_MAX);
    d->bytes.nbytes = 0;
    int rc = pcri_buffer_reserve(&d->bytes, total, err);
    for (uint32_t g = 0; !rc && g < d->groups; g++) {
        struct pcri_pk_range *ranges = d->ranges + (size_t) g * d->segments;
        if (d->plan.first_step[g] == d->plan.first_step[g + 1]) {
            if (chunks[g].nbytes != 1 || *(const uint8_t *) chunks[g].data)
                rc = damaged(err, "unexpected bytes in a group without passes");
        } else if (!(rc = find_segments(d, &chunks[g], ranges, err))) {
            take_segments(d, &chunks[g], ranges);
        }
    }
    if (!rc)
        memset(d->bytes.data + d->bytes.nbytes, 0, padding);
    return rc;
}

static int begin_segment(struct pcri_pk_decoder *d, uint32_t segment, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t g = 0; !rc && g < d->groups; g++) {
        if (d->plan.first_step[g] == d->plan.first_step[g + 1])
            continue;
        const struct pcri_pk_range *r = &d->ranges[(size_t) g * d->segments + segment];
        struct pcri_pk_stream *s = &d->streams[g];
        const uint8_t *data = d->bytes.data;
        rc = pcri_tans_open(&s->symbols, data + r->symbols, r->plain - r->symbols,
                            1u << d->params.lanes_log, err);
        s->plain = (struct pcri_pk_bits) { data + r->plain, 0,
                                           8 * (uint64_t) (r->end - r->plain) };
    }
    pcri_pk_rows_restart(&d->rows);
    return rc;
}

static int end_segment(const struct pcri_pk_decoder *d, struct pcr_error *err)
{
    for (uint32_t g = 0; g < d->groups; g++) {
        const struct pcri_pk_stream *s = &d->streams[g];
        if (d->plan.first_step[g] == d->plan.first_step[g + 1])
            continue;
        if (!pcri_tans_finished(&s->symbols) || (s->plain.bit + 7) / 8 != s->plain.end / 8)
            return damaged(err, "decoding does not end with the data");
    }
    return 0;
}

static void find_last(struct pcri_pk_decoder *d)
{
    memset(d->last, 0, sizeof(d->last));
    for (uint32_t i = 0; i < d->plan.first_step[d->groups]; i++) {
        const struct pcri_pk_step *s = &d->plan.steps[i];
        for (uint32_t j = 0; j < s->pass_count; j++)
            d->last[s->passes[j].component] = s->passes[j].first ? NULL : &s->passes[j];
    }
}

int pcri_pk_decoder_begin(struct pcri_pk_decoder *d, const struct pcri_jpeg_file *f,
                          const struct pcri_script *script, uint32_t group_count,
                          const struct pcri_pk_tables *tables,
                          const struct pcri_pk_params *params, const struct pcr_span chunks[],
                          uint32_t groups, uint32_t begin, uint32_t end, struct pcr_error *err)
{
    int rc = pcri_pk_plan(script, group_count, f, &d->plan, err);
    if (rc)
        return rc;
    d->tables = tables;
    d->params = *params;
    d->kernels = pcri_pk_kernels_choose();
    d->groups = groups;
    uint32_t every = segment_batches(d), all = pcri_pk_batches(&d->plan);
    d->segments = (all + every - 1) / every;
    d->wanted_begin = begin < d->plan.mcu_rows ? begin * d->plan.max_v : all;
    d->batch = d->wanted_begin / every * every;
    d->batch_end = end < d->plan.mcu_rows ? end * d->plan.max_v : all;
    find_last(d);
    rc = pcri_pk_rows_reserve(&d->rows, &d->plan, d->plan.first_step[groups], false, err);
    if (!rc)
        rc = reserve_scratch(d, err);
    if (!rc)
        rc = reserve_ranges(d, err);
    return rc ? rc : take_chunks(d, chunks, err);
}

bool pcri_pk_decoder_more(const struct pcri_pk_decoder *d, uint32_t rows[4])
{
    uint32_t batch = d->batch > d->wanted_begin ? d->batch : d->wanted_begin;
    pcri_pk_batch_rows(&d->plan, batch, rows);
    return batch < d->batch_end;
}

/* The next batch; y: its rows. */
static int decode_batch(struct pcri_pk_decoder *d, uint32_t y[4], struct pcr_error *err)
{
    struct pcri_pk_active active[4];
    uint32_t every = segment_batches(d), batch = d->batch++;
    int rc = batch % every ? 0 : begin_segment(d, batch / every, err);
    const bool has_ac = d->plan.first_step[d->groups] > 1;
    pcri_pk_batch_rows(&d->plan, batch, y);
    for (uint32_t c = 0; has_ac && c < d->plan.component_count; c++)
        if (y[c] != UINT32_MAX)
            pcri_pk_row_begin(&d->rows, &d->plan, c);
    for (uint32_t i = 0; !rc && i < d->plan.first_step[d->groups]; i++) {
        const struct pcri_pk_step *step = &d->plan.steps[i];
        struct pcri_pk_stream *s = &d->streams[step->group];
        uint32_t n = pcri_pk_active(&d->rows, &d->plan, i, y, active);
        if (n)
            rc = step->dc ? decode_dc(d, s, active, n, err) : decode_ac(d, s, active, n, err);
    }
    if (!rc && (d->batch % every == 0 || d->batch == pcri_pk_batches(&d->plan)))
        rc = end_segment(d, err);
    return rc;
}

/* A row's coefficients. */
static void expand(const struct pcri_pk_decoder *d, uint32_t c, int16_t *out)
{
    const struct pcri_pk_row *row = &d->rows.rows[c];
    const int16_t *dc = d->rows.dc[c].value;
    if (d->last[c] && d->kernels->fill)
        d->kernels->fill(row, dc, 1 << d->last[c]->al, out);
    else
        d->kernels->blank(row, dc, out);
    pcri_pk_scatter(&d->rows, &d->plan, c, out);
}

int pcri_pk_decoder_next(struct pcri_pk_decoder *d, const struct pcri_pk_target targets[4],
                         struct pcr_error *err)
{
    int rc = 0;
    uint32_t y[4];
    do
        rc = decode_batch(d, y, err);
    while (!rc && d->batch <= d->wanted_begin);
    for (uint32_t c = 0; !rc && c < d->plan.component_count; c++) {
        const struct pcri_pk_row *row = &d->rows.rows[c];
        const struct pcri_pk_target *t = &targets[c];
        const int16_t *dc = d->rows.dc[c].value;
        if (y[c] == UINT32_MAX)
            continue;
        if (t->coef)
            expand(d, c, t->coef);
        if (t->mask)
            memcpy(t->mask, row->known, 8 * (size_t) row->blocks);
        if (t->dc)
            memcpy(t->dc, dc, 2 * (size_t) row->blocks);
    }
    return rc;
}

int pcri_pk_decode_rows(struct pcri_pk_decoder *d, const uint32_t rows[4],
                        const struct pcri_blocks planes[4], struct pcr_error *err)
{
    struct pcri_pk_target targets[4] = { 0 };
    for (uint32_t c = 0; c < d->plan.component_count; c++) {
        const struct pcri_blocks *p = &planes[c];
        if (rows[c] < p->row_begin || rows[c] >= p->row_end)
            continue;
        const size_t at = pcri_row_place(p, rows[c]);
        targets[c].coef = p->has_ac ? p->coef + 64 * at : NULL;
        targets[c].dc = p->has_ac ? NULL : p->dc + at;
        targets[c].mask = p->mask + (size_t) rows[c] * p->blocks_x;
    }
    return pcri_pk_decoder_next(d, targets, err);
}

int pcri_pk_decode(struct pcri_pk_decoder *d, const struct pcri_blocks planes[4],
                   struct pcr_error *err)
{
    uint32_t rows[4];
    int rc = 0;
    while (!rc && pcri_pk_decoder_more(d, rows))
        rc = pcri_pk_decode_rows(d, rows, planes, err);
    return rc;
}

void pcri_pk_decoder_free(struct pcri_pk_decoder *d)
{
    pcri_pk_rows_free(&d->rows);
    pcr_buffer_free(&d->bytes);
    free(d->ranges);
    free(d->contexts);
    *d = (struct pcri_pk_decoder) { 0 };
}
