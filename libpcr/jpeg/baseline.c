/* SPDX-License-Identifier: BSD-2-Clause */
/* A sequential Huffman JPEG of coefficients, by the tables of annex K.
 *
 * The tables are the standard ones. Optimal ones would need a pass over all coefficients
 * before, to save a few percent of bytes that go no further than a decoder. */
#include "baseline.h"
#include "scan_decode.h"

enum { MOST_MCU_BLOCKS = 10 };

static void make_tables(struct pcri_baseline *b)
{
    for (int t = 0; t < 2; t++) {
        pcri_dc_codes_make(&pcri_standard_tables[t], &b->dc[t]);
        pcri_ac_codes_make(&pcri_standard_tables[2 + t], &b->ac[t]);
    }
    b->ready = true;
}

void pcri_baseline_free(struct pcri_baseline *b)
{
    for (int i = 0; i < 4; i++)
        pcr_buffer_free(&b->later[i]);
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
static int put_scan(const struct pcri_jpeg_file *f, const struct pcri_sequential_scan *s,
                    struct pcr_buffer *out, struct pcr_error *err)
{
    const uint8_t interval[2] = { (uint8_t) (s->restart_interval >> 8),
                                  (uint8_t) s->restart_interval };
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
    int rc = s->restart_interval ? pcri_segment_append(M_DRI, interval, 2, out, err) : 0;
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
static uint32_t lay_out(const struct pcri_baseline *b, const struct pcri_block_source *source,
                        struct pcri_sequential_scan scans[4])
{
    const struct pcri_jpeg_file *f = source->file;
    bool one = f->component_count > 1 && blocks_of_mcu(f) <= MOST_MCU_BLOCKS;
    memset(scans, 0, 4 * sizeof(scans[0]));
    for (uint32_t i = 0; i < f->component_count; i++) {
        struct pcri_sequential_scan *s = &scans[one ? 0 : i];
        const uint8_t table = f->ycc && (i == 1 || i == 2); /* chroma's */
        s->parts[s->part_count++] = (struct pcri_sequential_part) {
            .plane = &source->planes[i],
            .dc = &b->dc[table],
            .ac = &b->ac[table],
            .component = (uint8_t) i,
            .table = table,
        };
    }
    return one ? 1 : f->component_count;
}

int pcri_baseline_write(struct pcri_baseline *b, const struct pcri_block_source *source,
                        uint32_t restart_rows, struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = source->file;
    struct pcri_sequential_scan scans[4];
    if (!b->ready)
        make_tables(b);
    uint32_t count = lay_out(b, source, scans);
    for (uint32_t i = 0; i < count; i++) {
        b->later[i].nbytes = 0;
        pcri_sequential_begin(&scans[i], f, i ? &b->later[i] : out);
        while (restart_rows > 1 && (uint64_t) restart_rows * scans[i].mcus_x > UINT16_MAX)
            restart_rows = UINT16_MAX / scans[i].mcus_x; /* no more than DRI can say */
    }
    for (uint32_t i = 0; i < count; i++)
        scans[i].restart_interval = restart_rows * scans[i].mcus_x;
    int rc = put_huffman(f->ycc, out, err);
    if (!rc)
        rc = put_scan(f, &scans[0], out, err);
    if (!rc)
        rc = pcri_sequential_write(source, scans, count, err);
    for (uint32_t i = 1; i < count && !rc; i++) {
        rc = put_scan(f, &scans[i], out, err);
        if (!rc)
            rc = pcri_buffer_append(out, b->later[i].data, b->later[i].nbytes, err);
    }
    return rc ? rc : pcri_buffer_append(out, "\xFF\xD9", 2, err);
}
