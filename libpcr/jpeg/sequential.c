/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients to the data of a sequential scan. The mask of nonzero coefficients of each block
 * is walked from bit to bit: the distance is the run. A table has the code and the bits of small
 * values together. Bits are gathered in 64, which are stored together if no byte is FF. */
#include "sequential.h"
#include "pairs.h"

enum {
    LENGTH_BITS = 5,
    DC_CATEGORIES = 12,
    AC_CATEGORIES = 11,
    /* The longest code, 16 bits, and 11 of a value; each byte may be stuffed. */
    BLOCK_NBYTES = 64 * 27 / 8 * 2,
};

/* --- codes --- */

/* The codes of a table by symbol, with their lengths. A table that has too many codes of some
 * length is that of a damaged file: what it codes is wrong, too. */
static void assign_codes(const struct pcri_dht *t, uint32_t codes[256])
{
    uint32_t code = 0, i = 0;
    for (unsigned n = 1; n <= 16; n++, code <<= 1)
        for (unsigned k = 0; k < t->counts[n] && i < t->value_count; k++)
            codes[t->values[i++]] = (code++ & 0xFFFF) << LENGTH_BITS | n;
}

/* Appends n bits to what an entry has. */
static inline uint32_t extend(uint32_t entry, uint32_t value, unsigned n)
{
    uint32_t length = entry & ((1 << LENGTH_BITS) - 1), code = entry >> LENGTH_BITS;
    return entry ? (code << n | value) << LENGTH_BITS | (length + n) : 0;
}

static inline unsigned category(unsigned magnitude)
{
    return magnitude ? 32 - (unsigned) __builtin_clz(magnitude) : 0;
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
    for (unsigned run = 0; run < 16; run++) {
        memcpy(out->by_category[run], codes + 16 * run, sizeof(out->by_category[run]));
        for (int v = -32; v < 32; v++) {
            unsigned n = category((unsigned) (v < 0 ? -v : v));
            uint32_t bits = (uint32_t) (v + (v >> 31)) & ((1u << n) - 1);
            out->small[run][v & 63] = extend(codes[run << 4 | n], bits, n);
        }
    }
}

/* --- bits --- */

PCRI_ALWAYS_INLINE void store(struct pcri_bit_sink *w, uint64_t v)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    if (!(v & high & ~(v + UINT64_C(0x0101010101010101)))) { /* no byte is FF */
        pcri_store64(w->p, __builtin_bswap64(v));
        w->p += 8;
        return;
    }
    for (int shift = 56; shift >= 0; shift -= 8) {
        uint8_t byte = (uint8_t) (v >> shift);
        *w->p++ = byte;
        if (byte == 0xFF)
            *w->p++ = 0;
    }
}

PCRI_ALWAYS_INLINE void put(struct pcri_bit_sink *w, uint64_t value, int n)
{
    w->free -= n;
    if (w->free >= 0) {
        w->bits = w->bits << n | value;
        return;
    }
    store(w, w->bits << (n + w->free) | value >> -w->free);
    w->bits = value; /* what was stored of it is shifted out */
    w->free += 64;
}

PCRI_ALWAYS_INLINE void put_entry(struct pcri_bit_sink *w, uint32_t entry)
{
    put(w, entry >> LENGTH_BITS, entry & ((1 << LENGTH_BITS) - 1));
}

/* Fills up the last byte. */
static void flush(struct pcri_bit_sink *w, bool zeros)
{
    int used = 64 - w->free, pad = -used & 7;
    put(w, zeros ? 0 : (1u << pad) - 1, pad);
    for (used += pad; used > 0; used -= 8) {
        uint8_t byte = (uint8_t) (w->bits >> (used - 8));
        *w->p++ = byte;
        if (byte == 0xFF)
            *w->p++ = 0;
    }
    w->bits = 0;
    w->free = 64;
}

/* --- blocks --- */

/* A value's code and then its bits; what 8-bit JPEG cannot code is noted, and left out. */
PCRI_ALWAYS_INLINE void put_value(struct pcri_bit_sink *w, const uint32_t *entries,
                                  unsigned most, int v)
{
    unsigned n = category((unsigned) (v < 0 ? -v : v));
    if (n > most) {
        w->beyond = true;
        n = 0;
    }
    put_entry(w, extend(entries[n], (uint32_t) (v + (v >> 31)) & ((1u << n) - 1), n));
}

PCRI_ALWAYS_INLINE void put_ac(const struct pcri_ac_codes *t, struct pcri_bit_sink *w,
                               const int16_t *coef, uint64_t mask)
{
    int before = 0;
    for (; mask; mask &= mask - 1) {
        int k = __builtin_ctzll(mask), v = coef[k], run = k - before - 1;
        before = k;
        for (; run > 15; run -= 16)
            put_entry(w, t->by_category[15][0]);
        if (v >= -32 && v < 32)
            put_entry(w, t->small[run][v & 63]);
        else
            put_value(w, t->by_category[run], AC_CATEGORIES - 1, v);
    }
    if (before != 63)
        put_entry(w, t->by_category[0][0]);
}

static uint64_t mask_of(const int16_t *coef)
{
    uint64_t mask = 0;
    for (int k = 1; k < 64; k++)
        mask |= (uint64_t) (coef[k] != 0) << k;
    return mask;
}

struct source_block {
    const int16_t *coef;
    uint64_t mask; /* of AC */
    int dc;
};

/* Block (x, y) of a part; beyond the image a block like the one before, without AC. */
PCRI_ALWAYS_INLINE struct source_block find_block(const struct pcri_sequential_part *p,
                                                  uint32_t x, uint32_t y)
{
    const struct pcri_blocks *plane = p->plane;
    struct source_block b = { NULL, 0, p->last_dc };
    if (x < plane->blocks_x && y < plane->blocks_y) {
        const size_t at = (size_t) y * plane->blocks_x + x;
        const size_t place = pcri_row_place(plane, y) + x;
        b.coef = plane->coef + 64 * place;
        b.dc = plane->has_ac ? b.coef[0] : plane->dc[place];
        b.mask = plane->has_ac ? plane->mask[at] & ~UINT64_C(1) : 0;
    } else if (p->padding) {
        b.coef = pcri_padding_block(p->padding, x, y);
        b.dc = b.coef[0];
        b.mask = mask_of(b.coef);
    }
    return b;
}

PCRI_ALWAYS_INLINE void put_block(struct pcri_sequential_part *p, struct pcri_bit_sink *w,
                                  uint32_t x, uint32_t y)
{
    const struct source_block b = find_block(p, x, y);
    put_value(w, p->dc->by_category, DC_CATEGORIES - 1, b.dc - p->last_dc);
    p->last_dc = b.dc;
    put_ac(p->ac, w, b.coef, b.mask);
}

/* --- scans --- */

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
    s->sink = (struct pcri_bit_sink) { .free = 64 };
    s->out = out;
}

/* MCUs [from, to) of the next row. */
static void put_mcus(struct pcri_sequential_scan *s, uint32_t from, uint32_t to)
{
    struct pcri_bit_sink w = s->sink; /* in registers */
    for (uint32_t mx = from; mx < to; mx++)
        for (uint32_t i = 0; i < s->part_count; i++) {
            struct pcri_sequential_part *p = &s->parts[i];
            for (uint32_t y = 0; y < p->v; y++)
                for (uint32_t x = 0; x < p->h; x++)
                    put_block(p, &w, mx * p->h + x, s->next * p->v + y);
        }
    s->sink = w;
}

static void put_restart(struct pcri_sequential_scan *s)
{
    flush(&s->sink, s->pad_zeros);
    *s->sink.p++ = 0xFF;
    *s->sink.p++ = (uint8_t) (M_RST0 + (s->restarts++ & 7));
    s->mcu = 0;
    for (uint32_t i = 0; i < s->part_count; i++)
        s->parts[i].last_dc = 0;
}

int pcri_sequential_row(struct pcri_sequential_scan *s, struct pcr_error *err)
{
    size_t blocks = 0, nbytes;
    for (uint32_t i = 0; i < s->part_count; i++)
        blocks += (size_t) s->parts[i].h * s->parts[i].v;
    /* With a marker before each MCU, and the bits of the row before. */
    if (!pcri_mul(blocks * BLOCK_NBYTES + 4, s->mcus_x, &nbytes) ||
        !pcri_add(nbytes, s->out->nbytes + 64, &nbytes))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(s->out, nbytes, err);
    if (rc)
        return rc;
    s->sink.p = s->out->data + s->out->nbytes;
    for (uint32_t x = 0; x < s->mcus_x;) {
        uint32_t end = s->mcus_x;
        if (s->restart_interval && s->mcu == s->restart_interval)
            put_restart(s);
        if (s->restart_interval && end - x > s->restart_interval - s->mcu)
            end = x + (s->restart_interval - s->mcu);
        put_mcus(s, x, end);
        s->mcu += end - x;
        x = end;
    }
    if (++s->next == s->rows)
        flush(&s->sink, s->pad_zeros);
    s->out->nbytes = (size_t) (s->sink.p - s->out->data);
    return s->sink.beyond ? pcri_fail(err, PCR_ERR_UNSUPPORTED,
                                      "coefficients beyond what 8-bit JPEG codes")
                          : 0;
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

static void count_block(const struct source_block *b, int last_dc, uint32_t dc[256],
                        uint32_t ac[256])
{
    int before = 0, diff = b->dc - last_dc;
    dc[category((unsigned) (diff < 0 ? -diff : diff))]++;
    for (uint64_t mask = b->mask; mask; mask &= mask - 1) {
        int k = __builtin_ctzll(mask), v = b->coef[k], run = k - before - 1;
        before = k;
        ac[0xF0] += (uint32_t) run / 16;
        ac[((unsigned) run % 16) << 4 | (category((unsigned) (v < 0 ? -v : v)) & 15)]++;
    }
    ac[0] += before != 63;
}

void pcri_sequential_count(const struct pcri_sequential_scan *scan, uint32_t dc[4][256],
                           uint32_t ac[4][256])
{
    struct pcri_sequential_scan s = *scan;
    for (uint32_t my = 0; my < s.rows; my++)
        for (uint32_t mx = 0; mx < s.mcus_x; mx++) {
            const bool restart = s.restart_interval && s.mcu == s.restart_interval;
            s.mcu = restart ? 1 : s.mcu + 1;
            for (uint32_t i = 0; i < s.part_count; i++) {
                struct pcri_sequential_part *p = &s.parts[i];
                if (restart)
                    p->last_dc = 0;
                for (uint32_t k = 0; k < (uint32_t) p->h * p->v; k++) {
                    const struct source_block b = find_block(p, mx * p->h + k % p->h,
                                                             my * p->v + k / p->h);
                    count_block(&b, p->last_dc, dc[i], ac[i]);
                    p->last_dc = b.dc;
                }
            }
        }
}
