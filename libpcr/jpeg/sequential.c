/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients to the data of a sequential scan, a row of MCUs after the other. Kernels write the
 * bits of a run of MCUs, which stay in the first cache; what follows a byte of FF comes then. */
#include "sequential_put.h"

/* --- codes --- */

/* The codes of a table by symbol, with their lengths. A table that has too many codes of some
 * length is that of a damaged file: what it codes is wrong, too. */
static void assign_codes(const struct pcri_dht *t, uint32_t codes[256])
{
    uint32_t code = 0, i = 0;
    for (unsigned n = 1; n <= 16; n++, code <<= 1)
        for (unsigned k = 0; k < t->counts[n] && i < t->value_count; k++)
            codes[t->values[i++]] = (code++ & 0xFFFF) << PCRI_CODE_SHIFT | n;
}

void pcri_dc_codes_make(const struct pcri_dht *t, struct pcri_dc_codes *out)
{
    uint32_t codes[256] = { 0 };
    assign_codes(t, codes);
    memcpy(out->by_category, codes, sizeof(out->by_category));
}

void pcri_ac_codes_make(const struct pcri_dht *t, struct pcri_ac_codes *out)
{
    uint32_t codes[256] = { 0 };
    assign_codes(t, codes);
    for (unsigned i = 0; i < 256; i++) {
        const unsigned n = codes[i] & ((1 << PCRI_CODE_SHIFT) - 1), value = i & 15;
        out->codes[i] = (uint16_t) (codes[i] >> PCRI_CODE_SHIFT);
        out->lengths[i] = (uint8_t) (n && value <= PCRI_AC_MOST ? n + value : 0);
    }
    for (unsigned run = 0; run < 16; run++) {
        memcpy(out->by_category[run], codes + 16 * run, sizeof(out->by_category[run]));
        for (int v = -32; v < 32; v++) {
            unsigned n = pcri_category(v);
            uint32_t bits = (uint32_t) (v + (v >> 31)) & ((1u << n) - 1);
            out->small[run][v & 63] = pcri_extend_entry(codes[run << 4 | n], bits, n);
        }
    }
}

/* --- scans --- */

static pcri_put_mcus *choose_kernel(void)
{
#ifdef PCRI_SEQUENTIAL_X86
    const unsigned features = pcri_cpu_features();
    if (features & PCRI_CPU_AVX512)
        return pcri_put_mcus_avx512;
    if (features & PCRI_CPU_AVX2) /* which here means BMI2, too */
        return pcri_put_mcus_bmi2;
#endif
    return pcri_put_mcus_portable;
}

/* At most ten. */
static uint32_t mcu_blocks(const struct pcri_sequential_scan *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->part_count; i++)
        n += (uint32_t) s->parts[i].h * s->parts[i].v;
    return n;
}

void pcri_sequential_begin(struct pcri_sequential_scan *s, const struct pcri_jpeg_file *f,
                           struct pcr_buffer *out)
{
    const bool one = s->part_count == 1;
    const uint32_t c = s->parts[0].component;
    for (uint32_t i = 0; i < s->part_count; i++) {
        struct pcri_sequential_part *p = &s->parts[i];
        p->h = one ? 1 : f->components[p->component].h;
        p->v = one ? 1 : f->components[p->component].v;
        p->last_dc = 0;
    }
    s->mcus_x = one ? pcri_blocks_x(f, c) : (f->width + 8 * f->max_h - 1) / (8 * f->max_h);
    s->rows = one ? pcri_blocks_y(f, c) : (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
    s->next = s->mcu = s->restarts = 0;
    s->sink = (struct pcri_bit_sink) { 0 };
    s->out = out;
    s->kernel = choose_kernel();
    s->run_mcus = PCRI_RUN_NBYTES / PCRI_BLOCK_NBYTES / mcu_blocks(s);
}

static void put_restart(struct pcri_sequential_scan *s)
{
    pcri_fill_up(&s->sink, s->pad_zeros, s->out);
    s->out->data[s->out->nbytes++] = 0xFF;
    s->out->data[s->out->nbytes++] = (uint8_t) (M_RST0 + (s->restarts++ & 7));
    s->mcu = 0;
    for (uint32_t i = 0; i < s->part_count; i++)
        s->parts[i].last_dc = 0;
}

/* MCUs [from, to) of the row, at most run_mcus of one restart interval. */
static int put_run(struct pcri_sequential_scan *s, uint32_t from, uint32_t to,
                   struct pcr_error *err)
{
    enum { MARKER_NBYTES = 4, LAST_NBYTES = 2 }; /* with the bits before, and after */
    uint8_t bytes[PCRI_RUN_NBYTES + 8];
    size_t nbytes;
    if (!pcri_add(s->out->nbytes, 2 * PCRI_RUN_NBYTES + MARKER_NBYTES + LAST_NBYTES, &nbytes))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(s->out, nbytes, err);
    if (rc)
        return rc;
    if (s->restart_interval && s->mcu == s->restart_interval)
        put_restart(s);
    s->sink.p = bytes;
    s->kernel(s, from, to);
    pcri_stuff(s->out, bytes, (size_t) (s->sink.p - bytes));
    s->mcu += to - from;
    return 0;
}

/* The rows of blocks of the next row of MCUs. */
static void find_rows(struct pcri_sequential_scan *s)
{
    for (uint32_t i = 0; i < s->part_count; i++) {
        struct pcri_sequential_part *p = &s->parts[i];
        const struct pcri_blocks *b = p->plane;
        for (uint32_t k = 0; k < p->v; k++) {
            const uint32_t y = s->next * p->v + k;
            const size_t place = y < b->blocks_y ? pcri_row_place(b, y) : 0;
            p->rows[k] = (struct pcri_block_row) { .y = y };
            if (y >= b->blocks_y)
                continue;
            p->rows[k].coef = b->has_ac ? b->coef + 64 * place : NULL;
            p->rows[k].dc = b->has_ac ? NULL : b->dc + place;
            p->rows[k].mask = b->mask + (size_t) y * b->blocks_x;
            p->rows[k].count = b->blocks_x;
        }
    }
}

int pcri_sequential_row(struct pcri_sequential_scan *s, struct pcr_error *err)
{
    int rc = 0;
    find_rows(s);
    for (uint32_t x = 0, n; x < s->mcus_x && !rc; x += n) {
        const uint32_t left = s->restart_interval ? s->restart_interval - s->mcu : UINT32_MAX;
        n = s->mcus_x - x < s->run_mcus ? s->mcus_x - x : s->run_mcus;
        n = !left ? (n < s->restart_interval ? n : s->restart_interval) : n < left ? n : left;
        rc = put_run(s, x, x + n, err);
    }
    if (!rc && ++s->next == s->rows)
        pcri_fill_up(&s->sink, s->pad_zeros, s->out);
    return !rc && s->sink.beyond ? pcri_fail(err, PCR_ERR_UNSUPPORTED,
                                             "coefficients beyond what 8-bit JPEG codes")
                                 : rc;
}

/* --- all --- */

/* All rows of the scan before `end`. */
static int write_rows(struct pcri_sequential_scan *s, uint32_t end, struct pcr_error *err)
{
    int rc = 0;
    while (!rc && s->next < end && s->next < s->rows)
        rc = pcri_sequential_row(s, err);
    return rc;
}

int pcri_sequential_write(const struct pcri_block_source *source,
                          struct pcri_sequential_scan *scans, uint32_t count,
                          struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = source->file;
    uint32_t rows = (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
    int rc = 0;
    for (uint32_t my = 0; my < rows && !rc; my++) {
        for (uint32_t i = 0; i < f->component_count && source->advance; i++) {
            uint32_t end = (my + 1) * f->components[i].v, all = source->planes[i].blocks_y;
            source->advance(source->state, i, end < all ? end : all);
        }
        for (uint32_t i = 0; i < count && !rc; i++) {
            struct pcri_sequential_scan *s = &scans[i];
            const bool one = s->part_count == 1;
            rc = write_rows(
                s, one ? (my + 1) * f->components[s->parts[0].component].v : my + 1, err);
        }
    }
    return rc;
}

/* --- counting --- */

static void count_ac(const struct pcri_put_block *b, uint32_t counts[256])
{
    int before = 0;
    for (uint64_t mask = b->mask; mask; mask &= mask - 1) {
        const int k = __builtin_ctzll(mask), run = k - before - 1;
        before = k;
        counts[0xF0] += (uint32_t) run / 16;
        counts[((unsigned) run % 16) << 4 | (pcri_category(b->coef[k]) & 15)]++;
    }
    counts[0] += before != 63;
}

void pcri_sequential_count(const struct pcri_sequential_scan *scan, uint32_t dc[4][256],
                           uint32_t ac[4][256])
{
    struct pcri_sequential_scan s = *scan;
    for (; s.next < s.rows; s.next++) {
        find_rows(&s);
        for (uint32_t mx = 0; mx < s.mcus_x; mx++) {
            const bool restart = s.restart_interval && s.mcu == s.restart_interval;
            s.mcu = restart ? 1 : s.mcu + 1;
            for (uint32_t i = 0; i < s.part_count; i++) {
                struct pcri_sequential_part *p = &s.parts[i];
                if (restart)
                    p->last_dc = 0;
                for (uint32_t k = 0; k < (uint32_t) p->h * p->v; k++) {
                    const struct pcri_put_block b = pcri_put_find(p, &p->rows[k / p->h],
                                                                  mx * p->h + k % p->h);
                    dc[i][pcri_category(b.dc - p->last_dc)]++;
                    count_ac(&b, ac[i]);
                    p->last_dc = b.dc;
                }
            }
        }
    }
}
