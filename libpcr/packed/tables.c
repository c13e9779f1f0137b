/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables as bytes, and ready for use. */
#include <stdlib.h>

#include "tables.h"

const struct pcri_pk_family_info pcri_pk_families[PCRI_PK_FAMILIES] = {
    [PCRI_PK_T] = { PCRI_PK_KINDS * PCRI_PK_T_CONTEXTS, 256, 0xAA },
    [PCRI_PK_B] = { PCRI_PK_KINDS * PCRI_PK_B_CONTEXTS, 256, 0 },
    [PCRI_PK_M] = { 2 * PCRI_PK_LEVELS * PCRI_PK_M_CONTEXTS, 16, 0 },
    [PCRI_PK_DC] = { 3 * PCRI_PK_DC_CONTEXTS, 16, 15 },
};

/* Points maps into memory. */
static void place_maps(uint8_t *maps[PCRI_PK_FAMILIES], uint8_t *memory)
{
    for (int i = 0; i < PCRI_PK_FAMILIES; i++) {
        maps[i] = memory;
        memory += pcri_pk_families[i].contexts;
    }
}

/* --- frequencies --- */

static uint32_t sum_of(const uint8_t counts[PCRI_PK_FAMILIES])
{
    uint32_t sum = 0;
    for (int i = 0; i < PCRI_PK_FAMILIES; i++)
        sum += counts[i];
    return sum;
}

int pcri_pk_frequencies_create(const uint8_t counts[PCRI_PK_FAMILIES],
                               struct pcri_pk_frequencies **out, struct pcr_error *err)
{
    struct pcri_pk_frequencies *f = *out = pcri_calloc(1, sizeof(*f), err);
    if (!f)
        return PCR_ERR_NOMEM;
    memcpy(f->counts, counts, sizeof(f->counts));
    place_maps(f->maps, f->memory);
    f->freq = pcri_calloc(sum_of(counts), sizeof(*f->freq), err);
    if (!f->freq)
        pcri_pk_frequencies_destroy(out);
    return *out ? 0 : PCR_ERR_NOMEM;
}

void pcri_pk_frequencies_destroy(struct pcri_pk_frequencies **f)
{
    if (*f)
        free((*f)->freq);
    free(*f);
    *f = NULL;
}

int pcri_pk_frequencies_print(const struct pcri_pk_frequencies *f, struct pcr_buffer *out,
                              struct pcr_error *err)
{
    int rc = pcri_buffer_append(out, f->counts, sizeof(f->counts), err);
    if (!rc)
        rc = pcri_buffer_append(out, f->memory, sizeof(f->memory), err);
    const uint16_t(*freq)[256] = (const uint16_t(*)[256]) f->freq;
    for (int i = 0; i < PCRI_PK_FAMILIES; i++)
        for (uint32_t t = 0; t < f->counts[i]; t++, freq++)
            for (uint32_t s = 0; !rc && s < pcri_pk_families[i].symbols; s++)
                rc = pcri_buffer_append_varint(out, (*freq)[s], err);
    return rc;
}

int pcri_pk_frequencies_pack(const struct pcri_pk_frequencies *f, struct pcr_buffer *out,
                             struct pcr_error *err)
{
    struct pcr_buffer raw = { 0 }, frame = { 0 };
    uint8_t size[4];
    int rc = pcri_pk_frequencies_print(f, &raw, err);
    if (!rc)
        rc = pcri_zstd_pack(raw.data, raw.nbytes, 19, &frame, err);
    pcri_store32(size, (uint32_t) raw.nbytes);
    if (!rc)
        rc = pcri_buffer_append(out, size, sizeof(size), err);
    if (!rc)
        rc = pcri_buffer_append(out, frame.data, frame.nbytes, err);
    pcr_buffer_free(&raw);
    pcr_buffer_free(&frame);
    return rc;
}

/* A number up to PCRI_TANS_STATES in its shortest form; above: not one. */
static uint32_t parse_frequency(struct pcri_cursor *c)
{
    const uint8_t *begin = c->p;
    uint64_t v = pcri_get_varint(c);
    bool shortest = c->p - begin == (v < 128 ? 1 : 2);
    return c->bad || !shortest || v > PCRI_TANS_STATES ? PCRI_TANS_STATES + 1 : (uint32_t) v;
}

int pcri_pk_table_parse(struct pcri_cursor *c, const struct pcri_pk_family_info *family,
                        uint16_t freq[256], struct pcr_error *err)
{
    uint32_t sum = 0;
    for (uint32_t s = 0; s < family->symbols && sum <= PCRI_TANS_STATES; s++) {
        uint32_t v = parse_frequency(c);
        freq[s] = (uint16_t) v;
        sum += v;
    }
    if (sum != PCRI_TANS_STATES)
        return pcri_fail(err, PCR_ERR_CORRUPT, "tables: frequencies that do not add up to %d",
                         PCRI_TANS_STATES);
    if (!freq[family->escape])
        return pcri_fail(err, PCR_ERR_CORRUPT, "tables: a table without an escape");
    return 0;
}

static int check_maps(const struct pcri_pk_frequencies *f, struct pcr_error *err)
{
    for (int i = 0; i < PCRI_PK_FAMILIES; i++)
        for (uint32_t k = 0; k < pcri_pk_families[i].contexts; k++)
            if (f->maps[i][k] >= f->counts[i])
                return pcri_fail(err, PCR_ERR_CORRUPT, "tables: number %u of %u",
                                 f->maps[i][k], f->counts[i]);
    return 0;
}

static int parse_all(struct pcri_cursor *c, struct pcri_pk_frequencies *f,
                     struct pcr_error *err)
{
    memcpy(f->memory, pcri_get_bytes(c, sizeof(f->memory)), sizeof(f->memory));
    int rc = check_maps(f, err);
    uint16_t(*freq)[256] = f->freq;
    for (int i = 0; i < PCRI_PK_FAMILIES; i++)
        for (uint32_t t = 0; !rc && t < f->counts[i]; t++)
            rc = pcri_pk_table_parse(c, &pcri_pk_families[i], *freq++, err);
    if (!rc && pcri_left(c))
        rc = pcri_fail(err, PCR_ERR_CORRUPT, "tables: %zu bytes too many", pcri_left(c));
    return rc;
}

int pcri_pk_frequencies_parse(const void *data, size_t nbytes,
                              struct pcri_pk_frequencies **out, struct pcr_error *err)
{
    struct pcri_cursor c = { data, (const uint8_t *) data + nbytes, false };
    const uint8_t *counts = pcri_get_bytes(&c, PCRI_PK_FAMILIES);
    *out = NULL;
    if (!counts || pcri_left(&c) < PCRI_PK_CONTEXTS || sum_of(counts) > PCRI_PK_MAX_TABLES)
        return pcri_fail(err, PCR_ERR_CORRUPT, "tables: incomplete, or more than %d",
                         PCRI_PK_MAX_TABLES);
    int rc = pcri_pk_frequencies_create(counts, out, err);
    if (!rc)
        rc = parse_all(&c, *out, err);
    if (rc)
        pcri_pk_frequencies_destroy(out);
    return rc;
}

int pcri_pk_frequencies_unpack(const void *data, size_t nbytes,
                               struct pcri_pk_frequencies **out, struct pcr_error *err)
{
    struct pcr_buffer raw = { 0 };
    *out = NULL;
    if (nbytes < 4 || pcri_load32(data) > PCRI_PK_MAX_RAW)
        return pcri_fail(err, PCR_ERR_CORRUPT, "tables: incomplete, or above %d bytes",
                         PCRI_PK_MAX_RAW);
    int rc = pcri_zstd_unpack((const uint8_t *) data + 4, nbytes - 4, pcri_load32(data), &raw,
                              err);
    if (!rc)
        rc = pcri_pk_frequencies_parse(raw.data, raw.nbytes, out, err);
    pcr_buffer_free(&raw);
    return rc;
}

/* --- ready for use --- */

static int make_tables(const struct pcri_pk_frequencies *f, bool for_writing,
                       struct pcri_pk_tables *t, struct pcr_error *err)
{
    t->count = sum_of(f->counts);
    t->entries = pcri_malloc(t->count, PCRI_TANS_STATES * sizeof(*t->entries), err);
    if (t->entries && for_writing)
        t->encoders = pcri_malloc(t->count, sizeof(*t->encoders), err);
    if (!t->entries || (for_writing && !t->encoders))
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < t->count; i++) {
        pcri_tans_decoder(f->freq[i], t->entries + (size_t) i * PCRI_TANS_STATES);
        if (for_writing)
            pcri_tans_encoder(f->freq[i], &t->encoders[i]);
    }
    place_maps(t->maps, t->memory);
    for (uint32_t i = 0, first = 0; i < PCRI_PK_FAMILIES; first += f->counts[i++])
        for (uint32_t k = 0; k < pcri_pk_families[i].contexts; k++)
            t->maps[i][k] = (uint8_t) (first + f->maps[i][k]);
    return 0;
}

int pcri_pk_tables_create(const struct pcri_pk_frequencies *f, bool for_writing,
                          struct pcri_pk_tables **out, struct pcr_error *err)
{
    struct pcr_buffer bytes = { 0 };
    struct pcri_pk_tables *t = *out = pcri_calloc(1, sizeof(*t), err);
    int rc = t ? pcri_pk_frequencies_print(f, &bytes, err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = make_tables(f, for_writing, t, err);
    if (!rc)
        t->hash = pcri_xxh3(bytes.data, bytes.nbytes);
    else
        pcri_pk_tables_destroy(out);
    pcr_buffer_free(&bytes);
    return rc;
}

int pcri_pk_tables_open(const void *data, size_t nbytes, bool for_writing,
                        struct pcri_pk_tables **out, struct pcr_error *err)
{
    struct pcri_pk_frequencies *f;
    *out = NULL;
    int rc = pcri_pk_frequencies_unpack(data, nbytes, &f, err);
    if (!rc)
        rc = pcri_pk_tables_create(f, for_writing, out, err);
    pcri_pk_frequencies_destroy(&f);
    return rc;
}

void pcri_pk_tables_destroy(struct pcri_pk_tables **t)
{
    if (*t) {
        free((*t)->entries);
        free((*t)->encoders);
    }
    free(*t);
    *t = NULL;
}
