/* SPDX-License-Identifier: BSD-2-Clause */
/* A residual's tables as bytes (docs/FORMAT.md 11.3), and ready for use. */
#include "tables.h"

#include <stdlib.h>

enum {
    MOST = 24,                 /* tables of a channel that are made */
    LEAST_GAIN = 24 * 8 * 256, /* of a table, in 1/256 bit: what it takes */
    MAX_TABLES = 255,          /* of all channels */
    MAX_RAW = 1 << 18,         /* bytes of tables, not compressed */
    LEVEL = 15,                /* of zstd */
};

const struct pcri_pk_family_info pcri_rs_family = { PCRI_RS_CONTEXTS, 256, PCRI_RS_ESCAPE };

uint32_t pcri_rs_tables_count(const struct pcri_rs_tables *t)
{
    return t->counts[0] + t->counts[1] + t->counts[2];
}

/* --- reading --- */

static int read_maps(struct pcri_rs_tables *t, struct pcri_cursor *c, uint32_t channels,
                     struct pcr_error *err)
{
    const uint8_t *counts = pcri_get_bytes(c, channels);
    const uint8_t *maps = pcri_get_bytes(c, (uint64_t) channels * PCRI_RS_CONTEXTS);
    uint32_t first = 0;
    if (!maps)
        return pcri_fail(err, PCR_ERR_CORRUPT, "residual: incomplete tables");
    memset(t->counts, 0, sizeof(t->counts));
    for (uint32_t k = 0; k < channels; first += counts[k++]) {
        t->counts[k] = counts[k];
        for (uint32_t i = 0; i < PCRI_RS_CONTEXTS; i++, maps++) {
            if (*maps >= counts[k])
                return pcri_fail(err, PCR_ERR_CORRUPT, "residual: table %u of %u", *maps,
                                 counts[k]);
            t->maps[k][i] = (uint8_t) (first + *maps);
        }
    }
    return first <= MAX_TABLES ? 0
                               : pcri_fail(err, PCR_ERR_CORRUPT, "residual: %u tables", first);
}

static int read_all(struct pcri_rs_tables *t, uint32_t channels, struct pcr_error *err)
{
    struct pcri_cursor c = { t->raw.data, t->raw.data + t->raw.nbytes, false };
    int rc = read_maps(t, &c, channels, err);
    const uint32_t n = rc ? 0 : pcri_rs_tables_count(t);
    uint16_t freq[256];
    if (!rc)
        rc = PCRI_GROW(t->entries, t->entry_capacity, (size_t) n * PCRI_TANS_STATES, err);
    for (uint32_t i = 0; i < n && !rc; i++) {
        rc = pcri_pk_table_parse(&c, &pcri_rs_family, freq, err);
        if (!rc)
            pcri_tans_decoder(freq, t->entries + (size_t) i * PCRI_TANS_STATES);
    }
    if (!rc && pcri_left(&c))
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "residual: %zu bytes after its tables",
                       pcri_left(&c));
    return rc;
}

int pcri_rs_tables_open(struct pcri_rs_tables *t, const uint8_t *data, size_t nbytes,
                        uint32_t channels, struct pcr_error *err)
{
    if (nbytes < 4 || pcri_load32(data) > MAX_RAW)
        return pcri_fail(err, PCR_ERR_CORRUPT,
                         "residual: tables that are incomplete, or above %d bytes", MAX_RAW);
    int rc = pcri_zstd_unpack(data + 4, nbytes - 4, pcri_load32(data), &t->raw, err);
    return rc ? rc : read_all(t, channels, err);
}

/* --- writing --- */

/* Appends a channel's map and tables to those of the channels before. */
static int add_channel(struct pcri_rs_tables *t, uint32_t k,
                       const struct pcri_pk_clustering *c, struct pcr_error *err)
{
    const uint32_t first = pcri_rs_tables_count(t), n = pcri_pk_clustering_count(c);
    int rc = PCRI_GROW(t->freq, t->freq_capacity, first + n, err);
    if (rc)
        return rc;
    pcri_pk_clustering_map(c, t->maps[k]);
    for (uint32_t i = 0; i < n; i++)
        pcri_pk_clustering_table(c, i, t->freq[first + i]);
    for (uint32_t i = 0; i < PCRI_RS_CONTEXTS; i++)
        t->maps[k][i] = (uint8_t) (t->maps[k][i] + first);
    t->counts[k] = n;
    return 0;
}

static int print(struct pcri_rs_tables *t, uint32_t channels, struct pcr_error *err)
{
    uint32_t first = 0;
    uint8_t counts[PCRI_RS_CHANNELS] = { 0 }, map[PCRI_RS_CONTEXTS];
    for (uint32_t k = 0; k < channels; k++)
        counts[k] = (uint8_t) t->counts[k];
    t->raw.nbytes = 0;
    int rc = pcri_buffer_append(&t->raw, counts, channels, err);
    for (uint32_t k = 0; k < channels && !rc; first += t->counts[k++]) {
        for (uint32_t i = 0; i < PCRI_RS_CONTEXTS; i++)
            map[i] = (uint8_t) (t->maps[k][i] - first);
        rc = pcri_buffer_append(&t->raw, map, sizeof(map), err);
    }
    for (uint32_t i = 0; i < first; i++)
        for (uint32_t s = 0; s < 256 && !rc; s++)
            rc = pcri_buffer_append_varint(&t->raw, t->freq[i][s], err);
    return rc;
}

int pcri_rs_tables_train(struct pcri_rs_tables *t, uint32_t *const counts[], uint32_t channels,
                         struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_buffer frame = { 0 };
    uint8_t size[4];
    int rc = 0;
    memset(t->counts, 0, sizeof(t->counts));
    for (uint32_t k = 0; k < channels && !rc; k++) {
        struct pcri_pk_clustering *c = NULL;
        rc = pcri_pk_cluster(counts + (size_t) k * PCRI_RS_CONTEXTS, &pcri_rs_family, MOST,
                             LEAST_GAIN, &c, err);
        if (!rc)
            rc = add_channel(t, k, c, err);
        pcri_pk_clustering_destroy(&c);
    }
    if (!rc)
        rc = print(t, channels, err);
    if (!rc)
        rc = pcri_zstd_pack(t->raw.data, t->raw.nbytes, LEVEL, &frame, err);
    pcri_store32(size, (uint32_t) t->raw.nbytes);
    if (!rc)
        rc = pcri_buffer_append(out, size, sizeof(size), err);
    if (!rc)
        rc = pcri_buffer_append(out, frame.data, frame.nbytes, err);
    pcr_buffer_free(&frame);
    return rc;
}

void pcri_rs_tables_free(struct pcri_rs_tables *t)
{
    free(t->freq);
    free(t->entries);
    pcr_buffer_free(&t->raw);
    *t = (struct pcri_rs_tables) { 0 };
}
