/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of blocks by the passes of idct_body.h, where a vector has several: groups of BLOCKS of
 * them are listed by what they need, and each list is gone through in a loop. So the kinds' code
 * does not depend on branches that are hard to predict, and while a group waits for results
 * between its passes the next one of its kind is loaded. The including file defines flat_group(),
 * for blocks that have only DC. */
enum { RUN = 64 }; /* groups that are listed at a time */

enum group_kind { FLAT, CORNER, HALF, FULL, KINDS }; /* HALF: up to zigzag index 31 */

struct group_run {
    const int16_t *coef;
    const uint64_t *mask;
    size_t count; /* blocks */
    const struct pcri_dequant *q;
    uint8_t *dst;
    size_t stride_nbytes;
    uint8_t groups[KINDS][RUN], group_count[KINDS];
};

/* Block k of a group; beyond the last block, the last again. */
INLINE size_t block_of(const struct group_run *r, size_t group, size_t k)
{
    const size_t i = group * BLOCKS + k;
    return i < r->count ? i : r->count - 1;
}

INLINE void list_group(struct group_run *r, size_t group, uint64_t any)
{
    const int kind = (any != 0) + ((any & ~CORNER_MASK) != 0) + (any >> 32 != 0);
    r->groups[kind][r->group_count[kind]++] = (uint8_t) group;
}

INLINE void list_groups(struct group_run *r)
{
    const size_t whole = r->count / BLOCKS;
    uint64_t any = 0;
    memset(r->group_count, 0, sizeof(r->group_count));
    for (size_t group = 0; group < whole; group++, any = 0) {
        for (size_t k = 0; k < BLOCKS; k++)
            any |= r->mask[group * BLOCKS + k];
        list_group(r, group, any);
    }
    for (size_t i = whole * BLOCKS; i < r->count; i++)
        any |= r->mask[i];
    if (r->count % BLOCKS)
        list_group(r, whole, any);
}

/* The coefficients of a group in a list, and where its samples go. */
INLINE uint8_t *group_at(const struct group_run *r, enum group_kind kind, size_t i,
                         const int16_t *coef_out[BLOCKS])
{
    const size_t group = r->groups[kind][i];
    for (size_t k = 0; k < BLOCKS; k++)
        coef_out[k] = r->coef + 64 * block_of(r, group, k);
    return r->dst + 8 * BLOCKS * group;
}

INLINE void flat_groups(const struct group_run *r)
{
    const int16_t *coef[BLOCKS];
    for (size_t i = 0; i < r->group_count[FLAT]; i++) {
        uint8_t *dst = group_at(r, FLAT, i, coef);
        flat_group(coef, r->q->quant[0], dst, r->stride_nbytes);
    }
}

INLINE void corner_groups(const struct group_run *r, bool offsets)
{
    const int16_t *coef[BLOCKS];
    const size_t count = r->group_count[CORNER];
    vec p02, p13, rows[4];
    if (!count)
        return;
    uint8_t *dst = group_at(r, CORNER, 0, coef), *next = dst;
    load_corner(coef, r->q, offsets, &p02, &p13);
    for (size_t i = 1; i <= count; i++, dst = next) {
        corner_first_pass(p02, p13, rows);
        if (i < count) {
            next = group_at(r, CORNER, i, coef);
            load_corner(coef, r->q, offsets, &p02, &p13);
        }
        corner_second_pass(rows, dst, r->stride_nbytes);
    }
}

INLINE void full_groups(const struct group_run *r, enum group_kind kind, bool offsets)
{
    const int16_t *coef[BLOCKS];
    const size_t count = r->group_count[kind];
    const int parts = kind == HALF ? 4 : 8;
    vec p[2][4], top[4], bottom[4];
    if (!count)
        return;
    uint8_t *dst = group_at(r, kind, 0, coef), *next = dst;
    load_pairs(coef, r->q, offsets, parts, p);
    for (size_t i = 1; i <= count; i++, dst = next) {
        first_pass(p, top, bottom);
        if (i < count) {
            next = group_at(r, kind, i, coef);
            load_pairs(coef, r->q, offsets, parts, p);
        }
        second_pass(top, bottom, dst, r->stride_nbytes);
    }
}

INLINE void transform_run(const struct group_run *r, bool offsets)
{
    flat_groups(r);
    corner_groups(r, offsets);
    full_groups(r, HALF, offsets);
    full_groups(r, FULL, offsets);
}

TARGET static void idct(const int16_t *coef, const uint64_t *mask, size_t count,
                        const struct pcri_dequant *q, uint8_t *dst, size_t stride_nbytes)
{
    for (size_t i = 0; i < count; i += RUN * BLOCKS) {
        struct group_run r = { .coef = coef + 64 * i,
                               .mask = mask + i,
                               .count = count - i < RUN * BLOCKS ? count - i : RUN * BLOCKS,
                               .q = q,
                               .dst = dst + 8 * i,
                               .stride_nbytes = stride_nbytes };
        list_groups(&r);
        if (q->has_offsets)
            transform_run(&r, true);
        else
            transform_run(&r, false);
    }
}
