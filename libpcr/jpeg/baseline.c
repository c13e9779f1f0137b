/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients to a sequential Huffman JPEG, by the tables of annex K. The mask of nonzero
 * coefficients of each block is walked from bit to bit: the distance is the run. A table has
 * the code and the bits of small values together. Bits are gathered in 64, which are stored
 * together if no byte is FF.
 *
 * The tables are the standard ones. Optimal ones would need a pass over all coefficients
 * before, to save a few percent of bytes that go no further than a decoder. */
#include "baseline.h"
#include "pairs.h"
#include "scan_decode.h"

enum {
    LENGTH_BITS = 5,
    DC_CATEGORIES = 12,
    AC_CATEGORIES = 11,
    MOST_MCU_BLOCKS = 10,
    /* The longest code, 16 bits, and 11 of a value; each byte may be stuffed. */
    BLOCK_NBYTES = 64 * 27 / 8 * 2,
};

/* --- tables --- */

/* The codes of a table by symbol, with their lengths. */
static void assign_codes(const struct pcri_dht *t, uint32_t codes[256])
{
    uint32_t code = 0, i = 0;
    for (unsigned n = 1; n <= 16; n++, code <<= 1)
        for (unsigned k = 0; k < t->counts[n]; k++)
            codes[t->values[i++]] = code++ << LENGTH_BITS | n;
}

/* Appends n bits to what an entry has. */
static inline uint32_t extend(uint32_t entry, uint32_t value, unsigned n)
{
    uint32_t length = entry & ((1 << LENGTH_BITS) - 1), code = entry >> LENGTH_BITS;
    return (code << n | value) << LENGTH_BITS | (length + n);
}

static inline unsigned category(unsigned magnitude)
{
    return magnitude ? 32 - (unsigned) __builtin_clz(magnitude) : 0;
}

static void make_tables(struct pcri_baseline *b)
{
    for (int t = 0; t < 2; t++) {
        uint32_t dc[256] = { 0 }, ac[256] = { 0 };
        assign_codes(&pcri_standard_tables[t], dc);
        assign_codes(&pcri_standard_tables[2 + t], ac);
        memcpy(b->dc[t], dc, sizeof(b->dc[t]));
        for (unsigned run = 0; run < 16; run++) {
            for (unsigned n = 0; n < AC_CATEGORIES; n++)
                b->ac[t][run][n] = ac[run << 4 | n];
            for (int v = -32; v < 32; v++) {
                unsigned n = category((unsigned) (v < 0 ? -v : v));
                uint32_t bits = (uint32_t) (v + (v >> 31)) & ((1u << n) - 1);
                b->small[t][run][v & 63] = extend(ac[run << 4 | n], bits, n);
            }
        }
    }
    b->ready = true;
}

void pcri_baseline_free(struct pcri_baseline *b)
{
    for (int i = 0; i < 4; i++)
        pcr_buffer_free(&b->later[i]);
}

/* --- bits --- */

/* Where bits go while a row is written; the buffer has room. */
struct bit_sink {
    uint8_t *p;
    uint64_t bits;
    int free;    /* of the 64 */
    bool beyond; /* there was a value that has no code */
};

PCRI_ALWAYS_INLINE void store(struct bit_sink *w, uint64_t v)
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

PCRI_ALWAYS_INLINE void put(struct bit_sink *w, uint64_t value, int n)
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

PCRI_ALWAYS_INLINE void put_entry(struct bit_sink *w, uint32_t entry)
{
    put(w, entry >> LENGTH_BITS, entry & ((1 << LENGTH_BITS) - 1));
}

/* Fills up the last byte with ones. */
static void flush(struct bit_sink *w)
{
    int used = 64 - w->free, pad = -used & 7;
    put(w, (1u << pad) - 1, pad);
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

/* A component in its scan. */
struct part {
    const struct pcri_blocks *plane;
    uint8_t component, h, v; /* blocks in an MCU */
    int table;               /* 0: luma's, 1: chroma's */
    int last_dc;
};

/* A scan on its way, with its data's place. */
struct scan {
    struct part parts[4];
    uint32_t part_count;
    uint32_t mcus_x, rows, next; /* rows of MCUs in all, and which is written next */
    struct pcr_buffer *out;
    struct bit_sink sink;
    uint32_t restarts;
};

/* A value's code and then its bits; what 8-bit JPEG cannot code is noted, and left out. */
PCRI_ALWAYS_INLINE void put_value(struct bit_sink *w, const uint32_t *entries, unsigned most,
                                  int v)
{
    unsigned n = category((unsigned) (v < 0 ? -v : v));
    if (n > most) {
        w->beyond = true;
        n = 0;
    }
    put_entry(w, extend(entries[n], (uint32_t) (v + (v >> 31)) & ((1u << n) - 1), n));
}

PCRI_ALWAYS_INLINE void put_ac(const struct pcri_baseline *b, int t, struct bit_sink *w,
                               const int16_t *coef, uint64_t mask)
{
    int before = 0;
    for (; mask; mask &= mask - 1) {
        int k = __builtin_ctzll(mask), v = coef[k], run = k - before - 1;
        before = k;
        for (; run > 15; run -= 16)
            put_entry(w, b->ac[t][15][0]);
        if (v >= -32 && v < 32)
            put_entry(w, b->small[t][run][v & 63]);
        else
            put_value(w, b->ac[t][run], AC_CATEGORIES - 1, v);
    }
    if (before != 63)
        put_entry(w, b->ac[t][0][0]);
}

/* Block (x, y) of a part; beyond the image a block like the one before, without AC. */
PCRI_ALWAYS_INLINE void put_block(const struct pcri_baseline *b, struct part *p,
                                  struct bit_sink *w, uint32_t x, uint32_t y)
{
    const struct pcri_blocks *plane = p->plane;
    const int16_t *coef = NULL;
    int dc = p->last_dc;
    uint64_t mask = 0;
    if (x < plane->blocks_x && y < plane->blocks_y) {
        const size_t at = (size_t) y * plane->blocks_x + x;
        const size_t place = pcri_row_place(plane, y) + x;
        coef = plane->coef + 64 * place;
        dc = plane->has_ac ? coef[0] : plane->dc[place];
        mask = plane->has_ac ? plane->mask[at] & ~UINT64_C(1) : 0;
    }
    put_value(w, b->dc[p->table], DC_CATEGORIES - 1, dc - p->last_dc);
    p->last_dc = dc;
    put_ac(b, p->table, w, coef, mask);
}

/* --- scans --- */

static void put_mcus(const struct pcri_baseline *b, struct scan *s)
{
    struct bit_sink w = s->sink; /* in registers */
    for (uint32_t mx = 0; mx < s->mcus_x; mx++)
        for (uint32_t i = 0; i < s->part_count; i++) {
            struct part *p = &s->parts[i];
            for (uint32_t y = 0; y < p->v; y++)
                for (uint32_t x = 0; x < p->h; x++)
                    put_block(b, p, &w, mx * p->h + x, s->next * p->v + y);
        }
    s->sink = w;
}

/* Writes the next row of MCUs, before it a restart marker if one is due. */
static int write_row(const struct pcri_baseline *b, struct scan *s, uint32_t restart_rows,
                     struct pcr_error *err)
{
    size_t blocks = 0, nbytes;
    for (uint32_t i = 0; i < s->part_count; i++)
        blocks += (size_t) s->parts[i].h * s->parts[i].v;
    if (!pcri_mul(blocks * s->mcus_x, BLOCK_NBYTES, &nbytes) ||
        !pcri_add(nbytes, s->out->nbytes + 64, &nbytes))
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(s->out, nbytes, err);
    if (rc)
        return rc;
    s->sink.p = s->out->data + s->out->nbytes;
    if (restart_rows && s->next && s->next % restart_rows == 0) {
        flush(&s->sink);
        *s->sink.p++ = 0xFF;
        *s->sink.p++ = (uint8_t) (M_RST0 + (s->restarts++ & 7));
        for (uint32_t i = 0; i < s->part_count; i++)
            s->parts[i].last_dc = 0;
    }
    put_mcus(b, s);
    if (++s->next == s->rows)
        flush(&s->sink);
    s->out->nbytes = (size_t) (s->sink.p - s->out->data);
    return s->sink.beyond ? pcri_fail(err, PCR_ERR_UNSUPPORTED,
                                      "coefficients beyond what 8-bit JPEG codes")
                          : 0;
}

/* All rows that MCU row `my` of the image has in this scan. */
static int write_rows(const struct pcri_baseline *b, struct scan *s, uint32_t end,
                      uint32_t restart_rows, struct pcr_error *err)
{
    int rc = 0;
    while (!rc && s->next < end && s->next < s->rows)
        rc = write_row(b, s, restart_rows, err);
    return rc;
}

/* --- segments --- */

int pcri_segment_append(uint8_t marker, const uint8_t *payload, size_t n,
                        struct pcr_buffer *out, struct pcr_error *err)
{
    const uint8_t head[4] = { 0xFF, marker, (uint8_t) ((n + 2) >> 8), (uint8_t) (n + 2) };
    int rc = pcri_buffer_append(out, head, sizeof(head), err);
    return rc ? rc : pcri_buffer_append(out, payload, n, err);
}

/* The tables that components use; *wide_out: one has steps above 255. */
static int put_quantisation(const struct pcri_jpeg_file *f, bool *wide_out,
                            struct pcr_buffer *out, struct pcr_error *err)
{
    bool done[4] = { false };
    int rc = 0;
    *wide_out = false;
    for (uint32_t i = 0; i < f->component_count && !rc; i++) {
        uint8_t slot = f->components[i].quant_slot, payload[1 + 2 * 64];
        const uint16_t *steps = f->quant[slot];
        bool wide = false;
        size_t n = 1;
        if (done[slot])
            continue;
        for (int k = 0; k < 64; k++)
            wide |= steps[k] > 255;
        payload[0] = (uint8_t) (wide << 4 | slot);
        for (int k = 0; k < 64; k++) {
            if (wide)
                payload[n++] = (uint8_t) (steps[k] >> 8);
            payload[n++] = (uint8_t) steps[k];
        }
        rc = pcri_segment_append(M_DQT, payload, n, out, err);
        done[slot] = true;
        *wide_out |= wide;
    }
    return rc;
}

static int put_frame(const struct pcri_jpeg_file *f, bool wide, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    uint8_t payload[6 + 3 * 4];
    size_t n = 0;
    payload[n++] = 8;
    payload[n++] = (uint8_t) (f->height >> 8);
    payload[n++] = (uint8_t) f->height;
    payload[n++] = (uint8_t) (f->width >> 8);
    payload[n++] = (uint8_t) f->width;
    payload[n++] = (uint8_t) f->component_count;
    for (uint32_t i = 0; i < f->component_count; i++) {
        const struct pcri_component *c = &f->components[i];
        payload[n++] = c->id;
        payload[n++] = (uint8_t) (c->h << 4 | c->v);
        payload[n++] = c->quant_slot;
    }
    return pcri_segment_append(wide ? M_SOF1 : M_SOF0, payload, n, out, err);
}

int pcri_baseline_frame(const struct pcri_jpeg_file *f, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    bool wide;
    int rc = put_quantisation(f, &wide, out, err);
    return rc ? rc : put_frame(f, wide, out, err);
}

static int put_huffman(bool chroma, struct pcr_buffer *out, struct pcr_error *err)
{
    uint8_t payload[4 * (17 + 256)];
    size_t n = 0;
    for (unsigned i = 0; i < 4; i++) {
        const struct pcri_dht *t = &pcri_standard_tables[i];
        if (i % 2 && !chroma)
            continue;
        payload[n++] = (uint8_t) (i / 2 << 4 | i % 2);
        memcpy(payload + n, t->counts + 1, 16);
        memcpy(payload + n + 16, t->values, t->value_count);
        n += 16 + (size_t) t->value_count;
    }
    return pcri_segment_append(M_DHT, payload, n, out, err);
}

/* DRI, and the scan's header. A restart interval has at most 65,535 MCUs. */
static int put_scan(const struct pcri_jpeg_file *f, const struct scan *s,
                    uint32_t restart_rows, struct pcr_buffer *out, struct pcr_error *err)
{
    uint64_t mcus = (uint64_t) restart_rows * s->mcus_x;
    const uint8_t interval[2] = { (uint8_t) (mcus >> 8), (uint8_t) mcus };
    uint8_t payload[1 + 2 * 4 + 3];
    size_t n = 0;
    payload[n++] = (uint8_t) s->part_count;
    for (uint32_t i = 0; i < s->part_count; i++) {
        payload[n++] = f->components[s->parts[i].component].id;
        payload[n++] = (uint8_t) (s->parts[i].table * 0x11);
    }
    payload[n++] = 0;
    payload[n++] = 63;
    payload[n++] = 0;
    int rc = restart_rows ? pcri_segment_append(M_DRI, interval, 2, out, err) : 0;
    return rc ? rc : pcri_segment_append(M_SOS, payload, n, out, err);
}

/* --- all --- */

static uint32_t blocks_of_mcu(const struct pcri_jpeg_file *f)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->component_count; i++)
        n += (uint32_t) f->components[i].h * f->components[i].v;
    return n;
}

/* One scan of all components, or one of each; returns how many. */
static uint32_t lay_out(const struct pcri_block_source *source, struct scan scans[4])
{
    const struct pcri_jpeg_file *f = source->file;
    bool one = f->component_count > 1 && blocks_of_mcu(f) <= MOST_MCU_BLOCKS;
    memset(scans, 0, 4 * sizeof(scans[0]));
    for (uint32_t i = 0; i < f->component_count; i++) {
        struct scan *s = &scans[one ? 0 : i];
        const struct pcri_component *c = &f->components[i];
        s->parts[s->part_count++] = (struct part) {
            .plane = &source->planes[i],
            .component = (uint8_t) i,
            .h = one ? c->h : 1,
            .v = one ? c->v : 1,
            .table = f->ycc && (i == 1 || i == 2),
        };
        s->sink.free = 64;
        s->mcus_x = one ? (f->width + 8 * f->max_h - 1) / (8 * f->max_h) : pcri_blocks_x(f, i);
        s->rows = one ? (f->height + 8 * f->max_v - 1) / (8 * f->max_v) : pcri_blocks_y(f, i);
    }
    return one ? 1 : f->component_count;
}

/* Down the picture, as the source makes it. */
static int write_scans(const struct pcri_baseline *b, const struct pcri_block_source *source,
                       struct scan *scans, uint32_t count, uint32_t restart_rows,
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
        for (uint32_t i = 0; i < count && !rc; i++)
            rc = write_rows(
                b, &scans[i],
                count == 1 && f->component_count > 1 ? my + 1 : (my + 1) * f->components[i].v,
                restart_rows, err);
    }
    return rc;
}

int pcri_baseline_write(struct pcri_baseline *b, const struct pcri_block_source *source,
                        uint32_t restart_rows, struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = source->file;
    struct scan scans[4];
    if (!b->ready)
        make_tables(b);
    uint32_t count = lay_out(source, scans);
    for (uint32_t i = 0; i < count; i++) /* no more than DRI can say */
        while (restart_rows > 1 && (uint64_t) restart_rows * scans[i].mcus_x > UINT16_MAX)
            restart_rows = UINT16_MAX / scans[i].mcus_x;
    int rc = put_huffman(f->ycc, out, err);
    if (!rc)
        rc = put_scan(f, &scans[0], restart_rows, out, err);
    for (uint32_t i = 0; i < count; i++) {
        b->later[i].nbytes = 0;
        scans[i].out = i ? &b->later[i] : out;
    }
    if (!rc)
        rc = write_scans(b, source, scans, count, restart_rows, err);
    for (uint32_t i = 1; i < count && !rc; i++) {
        rc = put_scan(f, &scans[i], restart_rows, out, err);
        if (!rc)
            rc = pcri_buffer_append(out, b->later[i].data, b->later[i].nbytes, err);
    }
    return rc ? rc : pcri_buffer_append(out, "\xFF\xD9", 2, err);
}
