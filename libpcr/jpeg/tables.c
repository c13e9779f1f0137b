/* SPDX-License-Identifier: BSD-2-Clause */
/* Training shared Huffman tables.
 *
 * A scan with a table of its own pays about 60 bytes for it; a table shared over a record
 * costs nothing there, but fits less well. A few tables for each ladder line, each for images
 * with similar statistics, get most of both. Lloyd's algorithm finds them, with code length as
 * the distance: each image goes to the table that codes it in the fewest bits, and each table
 * becomes the optimal one for the sum of its images. It starts from the order by bits per
 * symbol, so the result depends only on the input. Symbols that some image of the slot has get
 * a code in each of its tables. */
#include <stdlib.h>

#include "tables.h"

enum { ROUNDS = 6, MAX_SETS = 8, RECORD_SAMPLES = 1024 };

/* --- statistics --- */

int pcri_scan_stats_add(struct pcri_scan_stats *stats, uint32_t line,
                        const struct pcri_symbols *s, struct pcr_error *err)
{
    struct pcri_sparse_counts head = { line, 0 };
    struct pcri_symbol_count items[512];
    for (unsigned i = 0; i < 512; i++) {
        uint32_t n = s->counts[i >> 8][i & 255];
        if (n)
            items[head.count++] = (struct pcri_symbol_count) { i, n };
    }
    stats->scan_count++;
    int rc = pcri_buffer_append(&stats->scans, &head, sizeof(head), err);
    return rc ? rc
              : pcri_buffer_append(&stats->scans, items, head.count * sizeof(items[0]), err);
}

void pcri_scan_stats_destroy(struct pcri_coder_stats *stats)
{
    struct pcri_scan_stats *s = (struct pcri_scan_stats *) stats;
    pcr_buffer_free(&s->scans);
    free(s);
}

/* --- one slot --- */

/* The scans of one slot, over all images. */
struct slot {
    const struct pcri_sparse_counts **scans;
    uint32_t *set; /* which table set each uses */
    uint32_t count;
    uint32_t seen[512]; /* 1 for each symbol that occurs */
};

static uint64_t cost(const struct pcri_sparse_counts *c, const struct pcri_table_set *set)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        unsigned s = c->items[i].symbol;
        bits += (uint64_t) c->items[i].n * set->tables[s >> 8].lengths[s & 255];
    }
    return bits;
}

/* Tables of the sums: sums are scaled so that 32 bits hold them and a seen symbol keeps a
 * count of at least 1. */
static void build_set(const struct slot *slot, const uint64_t sums[512],
                      struct pcri_table_set *out)
{
    uint64_t largest = 1;
    for (int i = 0; i < 512; i++)
        largest = sums[i] > largest ? sums[i] : largest;
    unsigned shift = 0;
    while (largest >> shift > UINT32_MAX / 1024)
        shift++;
    for (int t = 0; t < 2; t++) {
        uint32_t counts[256];
        bool any = false;
        for (int i = 0; i < 256; i++) {
            uint64_t n = sums[256 * t + i] >> shift;
            counts[i] = n ? (uint32_t) n : slot->seen[256 * t + i];
            any |= counts[i] != 0;
        }
        memset(&out->tables[t], 0, sizeof(out->tables[t]));
        if (any)
            pcri_huffman_build(counts, &out->tables[t]);
    }
}

static void update_sets(const struct slot *slot, struct pcri_table_set *sets, uint32_t k)
{
    for (uint32_t j = 0; j < k; j++) {
        uint64_t sums[512] = { 0 };
        for (uint32_t i = 0; i < slot->count; i++)
            if (slot->set[i] == j)
                for (uint32_t n = 0; n < slot->scans[i]->count; n++)
                    sums[slot->scans[i]->items[n].symbol] += slot->scans[i]->items[n].n;
        build_set(slot, sums, &sets[j]);
    }
}

static uint64_t assign(struct slot *slot, const struct pcri_table_set *sets, uint32_t k)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < slot->count; i++) {
        uint64_t best = UINT64_MAX;
        for (uint32_t j = 0; j < k; j++) {
            uint64_t bits = cost(slot->scans[i], &sets[j]);
            if (bits < best) {
                best = bits;
                slot->set[i] = j;
            }
        }
        total += best;
    }
    return total;
}

/* k sets for the slot; returns the bits that its scans take. */
static uint64_t cluster(struct slot *slot, struct pcri_table_set *sets, uint32_t k)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < slot->count; i++)
        slot->set[i] = (uint32_t) ((uint64_t) i * k / slot->count);
    for (int round = 0; round < ROUNDS; round++) {
        update_sets(slot, sets, k);
        bits = assign(slot, sets, k);
        if (k == 1)
            break;
    }
    return bits;
}

static size_t set_nbytes(const struct pcri_table_set *s)
{
    return 34 + (size_t) s->tables[0].value_count + s->tables[1].value_count;
}

/* Tries 1, 2, 4, 8 sets, and keeps what is smallest for a record of 1,024 samples with the
 * tables' own bytes. */
static int train_slot(struct slot *slot, uint64_t images, struct pcri_slot_tables *out,
                      struct pcr_error *err)
{
    struct pcri_table_set sets[MAX_SETS];
    uint64_t best = UINT64_MAX;
    for (uint32_t k = 1; k <= MAX_SETS && k * 4 <= slot->count + 3; k *= 2) {
        uint64_t bits = cluster(slot, sets, k) * RECORD_SAMPLES / (images ? images : 1);
        for (uint32_t j = 0; j < k; j++)
            bits += 8 * set_nbytes(&sets[j]);
        if (bits >= best)
            continue;
        best = bits;
        void *copy = pcri_malloc(k, sizeof(sets[0]), err);
        if (!copy)
            return PCR_ERR_NOMEM;
        free(out->sets);
        out->sets = copy;
        out->count = k;
        memcpy(copy, sets, k * sizeof(sets[0]));
    }
    return 0;
}

/* --- all slots --- */

struct ordered {
    const struct pcri_sparse_counts *c;
    double key;
    uint32_t index;
};

static int by_key(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Ideal bits a symbol under the slot's overall statistics, a measure of how busy a scan is. */
static double busyness(const struct pcri_sparse_counts *c, const struct pcri_table_set *all)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < c->count; i++)
        n += c->items[i].n;
    return n ? (double) cost(c, all) / (double) n : 0;
}

static int sort_slot(struct slot *slot, struct pcr_error *err)
{
    struct pcri_table_set all;
    struct ordered *o = pcri_malloc(slot->count, sizeof(*o), err);
    if (!o)
        return PCR_ERR_NOMEM;
    memset(slot->set, 0, slot->count * sizeof(slot->set[0]));
    update_sets(slot, &all, 1);
    for (uint32_t i = 0; i < slot->count; i++)
        o[i] = (struct ordered) { slot->scans[i], busyness(slot->scans[i], &all), i };
    qsort(o, slot->count, sizeof(*o), by_key);
    for (uint32_t i = 0; i < slot->count; i++)
        slot->scans[i] = o[i].c;
    free(o);
    return 0;
}

/* Gathers the scans of line `line` of script `script`. */
static void gather(struct pcri_coder_stats *const *all, size_t count, uint32_t script,
                   uint32_t line, struct slot *slot)
{
    slot->count = 0;
    memset(slot->seen, 0, sizeof(slot->seen));
    for (size_t i = 0; i < count; i++) {
        const struct pcri_scan_stats *stats = (const struct pcri_scan_stats *) all[i];
        if (!stats || stats->script != script)
            continue;
        const uint8_t *p = stats->scans.data;
        for (uint32_t s = 0; s < stats->scan_count; s++) {
            const struct pcri_sparse_counts *c = (const void *) p;
            p += sizeof(*c) + c->count * sizeof(c->items[0]);
            if (c->line != line || !c->count)
                continue;
            slot->scans[slot->count++] = c;
            for (uint32_t n = 0; n < c->count; n++)
                slot->seen[c->items[n].symbol] = 1;
        }
    }
}

static int slot_alloc(struct slot *slot, struct pcri_coder_stats *const *stats, size_t count,
                      struct pcr_error *err)
{
    size_t most = 1;
    for (size_t i = 0; i < count; i++)
        most += stats[i] ? ((const struct pcri_scan_stats *) stats[i])->scan_count : 0;
    slot->scans = pcri_malloc(most, sizeof(*slot->scans), err);
    slot->set = pcri_malloc(most, sizeof(*slot->set), err);
    return slot->scans && slot->set ? 0 : PCR_ERR_NOMEM;
}

int pcri_scan_tables_train(const struct pcr_ladder *ladder,
                           struct pcri_coder_stats *const *stats, size_t count,
                           struct pcri_coder_tables **out, struct pcr_error *err)
{
    struct slot slot = { 0 };
    struct pcri_scan_tables *t = pcri_calloc(1, sizeof(*t), err);
    int rc = t ? slot_alloc(&slot, stats, count, err) : PCR_ERR_NOMEM;
    uint64_t images = 0;
    for (size_t i = 0; i < count; i++)
        images += stats[i] != NULL;
    if (t)
        t->script_count = ladder->script_count;

    for (uint32_t i = 0; !rc && i < ladder->script_count; i++) {
        for (uint32_t line = 0; !rc && line < ladder->scripts[i].scan_count; line++) {
            gather(stats, count, i, line, &slot);
            if (!slot.count)
                continue;
            rc = sort_slot(&slot, err);
            if (!rc)
                rc = train_slot(&slot, images, &t->slots[i][line], err);
        }
    }
    free(slot.scans);
    free(slot.set);
    if (!rc)
        *out = &t->base;
    else if (t)
        pcri_scan_tables_destroy(&t->base);
    return rc;
}

void pcri_scan_tables_destroy(struct pcri_coder_tables *tables)
{
    struct pcri_scan_tables *t = (struct pcri_scan_tables *) tables;
    for (uint32_t i = 0; i < PCRI_LADDER_MAX_SCRIPTS; i++)
        for (uint32_t j = 0; j < PCRI_LADDER_MAX_SCANS; j++)
            free(t->slots[i][j].sets);
    free(t);
}
