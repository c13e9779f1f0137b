/* SPDX-License-Identifier: BSD-2-Clause */
/* Images for tests of coding 2: coefficients, tables trained on photographs, and comparing. */
#ifndef PACKED_IMAGES_H
#define PACKED_IMAGES_H

#include <stdio.h>
#include <stdlib.h>

#include "generator.h"
#include "jpeg/ladder.h"
#include "packed/builtin.h"
#include "packed/coding.h"
#include "packed/packed.h"
#include "packed/train.h"

/* Preparations do not fail. */
#define PACKED_MUST(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

struct packed_image {
    struct pcri_jpeg_file file;
    struct pcri_coefs coefs;
};

/* False where coding 1 would not hold the file either. */
static inline bool packed_image_read(const struct pcr_buffer *file, struct packed_image *m)
{
    static struct pcr_limits limits = { .size = sizeof(limits) };
    bool in_doubt;
    pcri_limits_fill(&limits);
    return !pcri_jpeg_file_parse(file->data, file->nbytes, &limits, &m->file, NULL) &&
           !pcri_coefs_read(&m->coefs, &m->file, 1, &in_doubt, NULL);
}

static inline void packed_image_free(struct packed_image *m)
{
    pcri_coefs_free(&m->coefs);
    pcri_jpeg_file_free(&m->file);
}

static inline struct pcr_ladder *packed_ladder(const char *text)
{
    struct pcr_ladder *l;
    PACKED_MUST(!pcr_ladder_parse(text, strlen(text), &l, NULL));
    return l;
}

/* Frequencies of a few small photographs, coded by all scripts of the ladder. */
static inline struct pcri_pk_frequencies *packed_train(const struct pcr_ladder *l)
{
    struct pcr_buffer file = { 0 };
    struct pcri_pk_encoder encoder = { 0 };
    struct pcri_pk_frequencies *f;
    struct pcri_pk_counts *counts;
    PACKED_MUST(!pcri_pk_counts_create(&counts, NULL));
    for (uint32_t i = 0; i < 4; i++) {
        struct packed_image m = { 0 };
        PACKED_MUST(!pcr_gen_photo(i, 200, 152, 75 + 5 * (int) i,
                                   i % 2 ? PCR_GEN_444 : PCR_GEN_420, &file));
        PACKED_MUST(packed_image_read(&file, &m));
        for (uint32_t s = 0; s < l->script_count; s++)
            PACKED_MUST(!pcri_pk_count(&encoder, &m.coefs, &m.file, &l->scripts[s],
                                       l->group_count, counts, NULL));
        packed_image_free(&m);
    }
    PACKED_MUST(!pcri_pk_train(counts, NULL, &f, NULL));
    pcri_pk_counts_destroy(&counts);
    pcri_pk_encoder_free(&encoder);
    pcr_buffer_free(&file);
    return f;
}

/* What a decoder wrote, of all components. The memory is used again. */
struct packed_planes {
    struct pcri_blocks blocks[4];
    struct pcr_buffer memory;
};

static inline void packed_planes_make(const struct packed_image *m, bool has_ac,
                                      struct packed_planes *out)
{
    size_t total = 0;
    for (uint32_t c = 0; c < m->file.component_count; c++)
        total += 144 * (size_t) m->coefs.planes[c].blocks_x * m->coefs.planes[c].blocks_y;
    PACKED_MUST(!pcri_buffer_reserve(&out->memory, total, NULL));
    uint8_t *at = memset(out->memory.data, 0xA5, total);
    for (uint32_t c = 0; c < m->file.component_count; c++) {
        const struct pcri_plane *p = &m->coefs.planes[c];
        size_t n = (size_t) p->blocks_x * p->blocks_y;
        out->blocks[c] = (struct pcri_blocks) {
            .blocks_x = p->blocks_x,
            .blocks_y = p->blocks_y,
            .row_end = p->blocks_y,
            .coef = (int16_t *) (void *) at,
            .mask = (uint64_t *) (void *) (at + 128 * n),
            .dc = (int16_t *) (void *) (at + 136 * n),
            .has_ac = has_ac,
        };
        at += 144 * n;
    }
}

static inline int packed_known(int v, int bits)
{
    return bits < 0 ? 0 : (v < 0 ? -(-v >> bits) : v >> bits) * (1 << bits);
}

/* Rows [begin, end) of MCUs are what the image's coefficients are as far as bits tell. */
static inline bool packed_same(const struct packed_image *m, const struct packed_planes *got,
                               int8_t bits[4][64], uint32_t begin, uint32_t end)
{
    for (uint32_t c = 0; c < m->file.component_count; c++) {
        const struct pcri_plane *p = &m->coefs.planes[c];
        const struct pcri_blocks *b = &got->blocks[c];
        uint32_t v = m->file.components[c].v;
        for (uint32_t y = begin * v; y < p->blocks_y && y < (uint64_t) end * v; y++)
            for (uint32_t x = 0; x < p->blocks_x; x++) {
                size_t i = (size_t) y * p->blocks_x + x;
                uint64_t mask = 0;
                if (!b->has_ac && b->dc[i] != p->coef[64 * i])
                    return false;
                for (unsigned k = 0; b->has_ac && k < 64; k++) {
                    int v_k = packed_known(p->coef[64 * i + k], bits[c][k]);
                    if (b->coef[64 * i + k] != v_k)
                        return false;
                    mask |= k && v_k ? UINT64_C(1) << k : 0;
                }
                if (b->mask[i] != mask)
                    return false;
            }
    }
    return true;
}

/* The spans of a packed sample at full fidelity: those of its header, how many is returned, its
 * parameters, and a chunk a group of its ladder. */
static inline uint32_t packed_spans(const struct pcri_coded *c, const struct pcr_ladder *l,
                                    struct pcr_span *out)
{
    const uint8_t *s = c->strings.data, *b = c->bytes.data;
    PACKED_MUST(c->coding == pcri_coding_packed.number);
    for (uint32_t i = 0; i < c->item_count; s += c->items[i++].nbytes)
        *out++ = (struct pcr_span) { s, c->items[i].nbytes };
    *out++ = (struct pcr_span) { s, c->pieces[0].string_nbytes };
    for (uint32_t g = 0, piece = 0; g < l->group_count; piece += l->piece_counts[g++]) {
        *out++ = (struct pcr_span) { b, c->pieces[piece].nbytes };
        b += c->pieces[piece].nbytes;
    }
    return c->item_count;
}

#endif
