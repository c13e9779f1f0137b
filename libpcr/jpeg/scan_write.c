/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols to entropy-coded bytes, and the segments before them. */
#include "bit_sink.h"
#include "scan.h"

/* Symbols [from, to), or up to the next restart marker; returns where it stopped. They take at most
 * four bytes each. */
static size_t put_items(const struct pcri_symbols *s, const struct pcri_huffman *tables,
                        size_t from, size_t to, struct pcri_bit_sink *sink)
{
    struct pcri_bit_sink w = *sink; /* in registers */
    size_t i = from;
    for (; i < to; i++) {
        const uint32_t item = s->items[i], symbol = item >> 21 & 511, n = item >> 16 & 31;
        if (symbol == PCRI_RESTART)
            break;
        const struct pcri_huffman *t = &tables[item >> 30];
        uint64_t code = 0;
        unsigned length = 0;
        if (symbol < PCRI_NO_SYMBOL) {
            code = t->codes[symbol];
            length = t->lengths[symbol];
        }
        pcri_put_bits(&w, code << n | (item & 0xFFFF), length + n);
    }
    *sink = w;
    return i;
}

int pcri_scan_write(const struct pcri_symbols *s, const struct pcri_huffman *tables,
                    bool pad_zeros, struct pcr_buffer *out, struct pcr_error *err)
{
    uint64_t bits = s->plain_bits + (uint64_t) s->restarts * (2 * 8 + 7);
    for (int t = 0; t < 4; t++)
        for (int i = 0; i < 256; i++)
            if (s->counts[t][i])
                bits += (uint64_t) s->counts[t][i] * tables[t].lengths[i];
    /* Each byte may need a stuffed one, and eight are stored at once. */
    int rc = pcri_buffer_reserve(out, out->nbytes + (size_t) (bits / 8 + 1) * 2 + 8, err);
    if (rc)
        return rc;

    uint8_t run[PCRI_RUN_NBYTES + 8];
    struct pcri_bit_sink w = { 0 };
    unsigned restarts = 0;
    for (size_t i = 0, end; i < s->count; i = end) {
        const size_t most = i + PCRI_RUN_NBYTES / 4;
        w.p = run;
        end = put_items(s, tables, i, most < s->count ? most : s->count, &w);
        pcri_stuff(out, run, (size_t) (w.p - run));
        if (end == s->count || (s->items[end] >> 21 & 511) != PCRI_RESTART)
            continue;
        pcri_fill_up(&w, pad_zeros, out);
        out->data[out->nbytes++] = 0xFF;
        out->data[out->nbytes++] = (uint8_t) (M_RST0 + (restarts++ & 7));
        end++;
    }
    pcri_fill_up(&w, pad_zeros, out);
    return 0;
}

bool pcri_scan_uses(const struct pcri_scan *scan, int t)
{
    if (!scan->ss && scan->ah)
        return false;
    for (int i = 0; i < scan->component_count; i++)
        if (scan->chroma[i] == t)
            return true;
    return false;
}

size_t pcri_scan_dht_nbytes(const struct pcri_scan *scan, const struct pcri_huffman tables[2])
{
    size_t n = 0;
    for (int t = 0; t < 2; t++)
        if (pcri_scan_uses(scan, t))
            n += 17 + tables[t].value_count;
    return n ? n + 4 : 0;
}

static int put_dht(const struct pcri_scan *scan, const struct pcri_huffman tables[2],
                   struct pcr_buffer *out, struct pcr_error *err)
{
    size_t n = pcri_scan_dht_nbytes(scan, tables);
    if (!n)
        return 0;
    uint8_t start[4] = { 0xFF, M_DHT, (uint8_t) ((n - 2) >> 8), (uint8_t) (n - 2) };
    int rc = pcri_buffer_append(out, start, 4, err);
    for (int t = 0; !rc && t < 2; t++) {
        if (!pcri_scan_uses(scan, t))
            continue;
        uint8_t head[17] = { (uint8_t) ((scan->ss ? 0x10 : 0) | t) };
        memcpy(head + 1, tables[t].counts + 1, 16);
        rc = pcri_buffer_append(out, head, 17, err);
        if (!rc)
            rc = pcri_buffer_append(out, tables[t].values, tables[t].value_count, err);
    }
    return rc;
}

int pcri_scan_head(const struct pcri_scan *scan, const struct pcri_jpeg_file *f,
                   const struct pcri_huffman tables[2], struct pcr_buffer *out,
                   struct pcr_error *err)
{
    uint8_t sos[16];
    size_t n = 0;
    sos[n++] = 0xFF;
    sos[n++] = M_SOS;
    sos[n++] = 0;
    sos[n++] = (uint8_t) (6 + 2 * scan->component_count);
    sos[n++] = scan->component_count;
    for (int i = 0; i < scan->component_count; i++) {
        sos[n++] = f->components[scan->components[i]].id;
        /* DC refinement uses no table; the standard wants 0 there. */
        unsigned t = scan->ss ? scan->chroma[i] : (unsigned) scan->chroma[i] << 4;
        sos[n++] = (uint8_t) (!scan->ss && scan->ah ? 0 : t);
    }
    sos[n++] = scan->ss;
    sos[n++] = scan->se;
    sos[n++] = (uint8_t) (scan->ah << 4 | scan->al);
    int rc = put_dht(scan, tables, out, err);
    return rc ? rc : pcri_buffer_append(out, sos, n, err);
}
