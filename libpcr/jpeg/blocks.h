/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoded coefficients of one component. */
#ifndef PCRI_BLOCKS_H
#define PCRI_BLOCKS_H

#include "../base/base.h"

/* One component's blocks, row after row, without padding. If only a window of the image is
 * wanted, coefficients are kept for the block rows that it touches. Rows above these are
 * parsed for their masks, which refinement scans need; rows below are not decoded. */
struct pcri_blocks {
    uint32_t blocks_x, blocks_y;
    uint32_t row_begin, row_end; /* the rows kept */
    uint32_t turn;  /* so many rows of coef and dc are used in turn; 0: one for each row */
    int16_t *coef;  /* from row_begin's first block: [block * 64 + k], zigzag order */
    int16_t *dc;    /* of the same blocks, until has_ac */
    uint64_t *mask; /* from block 0: bit k set if coefficient k is not 0; bit 0 not kept */
    int16_t *spare; /* 64 numbers, for blocks that are not kept */
    /* An AC scan has come, or will come with DC. Until then there is only DC, contiguous in
     * `dc`, and nothing in coef. */
    bool has_ac;
};

static inline size_t pcri_kept_begin(const struct pcri_blocks *p)
{
    return (size_t) p->row_begin * p->blocks_x;
}

static inline size_t pcri_kept_end(const struct pcri_blocks *p)
{
    return (size_t) p->row_end * p->blocks_x;
}

/* Where the first block of a kept row is in coef (64 a block) and dc. */
static inline size_t pcri_row_place(const struct pcri_blocks *p, uint32_t row)
{
    const uint32_t n = row - p->row_begin;
    return (size_t) (p->turn ? n % p->turn : n) * p->blocks_x;
}

/* Where block b's coefficients go, where all rows are kept; begin: pcri_kept_begin(). */
static inline int16_t *pcri_block_coef(const struct pcri_blocks *p, size_t b, size_t begin)
{
    return b < begin ? p->spare : p->coef + 64 * (b - begin);
}

/* Makes a block with only DC. Compilers turn memset() or a loop into a string instruction,
 * which is slow to start. */
static inline void pcri_begin_block(int16_t *coef, int16_t dc)
{
    typedef int16_t v8 __attribute__((vector_size(16)));
    const v8 zero = { 0 }, first = { dc };
    v8 *p = (v8 *) (void *) coef;
    p[0] = first;
    p[1] = p[2] = p[3] = zero;
    p[4] = p[5] = p[6] = p[7] = zero;
}

/* The same for kept blocks [begin, end), of `dc`. */
static inline void pcri_begin_blocks(const struct pcri_blocks *p, size_t begin, size_t end)
{
    const size_t kept = pcri_kept_begin(p);
    for (size_t b = begin; b < end; b++)
        pcri_begin_block(p->coef + 64 * (b - kept), p->dc[b - kept]);
}

#endif
