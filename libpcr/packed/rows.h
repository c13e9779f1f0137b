/* SPDX-License-Identifier: BSD-2-Clause */
/* A component's block row while coding 2 reads or writes it, and the operations on whole rows,
 * of which there is a set a CPU. */
#ifndef PCRI_PK_ROWS_H
#define PCRI_PK_ROWS_H

#include "contexts.h"
#include "tans.h"

enum {
    PCRI_PK_EDGE = 8, /* elements before a row, of which the last is 0 and stays it */
    /* Elements after it, which operations may read and write: of masks, and of smaller ones. */
    PCRI_PK_MASK_PADDING = 8,
    PCRI_PK_PADDING = 64,
};

/* A row of bits, one uint64_t a block (bit k: coefficient k in zigzag order, k > 0), and what
 * contexts need of it. */
struct pcri_pk_row {
    uint32_t blocks;
    uint64_t *known; /* nonzero, as far as is known */
    uint64_t *found; /* by this pass */
    uint64_t *sign;  /* of listed blocks' `found`: set where negative; of a last pass only */
    uint64_t *bytes; /* for each byte of `known` how many bits are set; with edge */
    uint8_t *count;  /* bits of `known`; with edge */
    uint8_t *low;    /* those of them below 16 */
    uint16_t *list;  /* numbers of the blocks that T names bytes of */
    uint32_t listed; /* how many */
    uint16_t *named; /* 8 block + byte of those that T names, where kernels go by bytes */
    uint32_t named_count;
    /* The encoder's: */
    uint64_t *plane[PCRI_PK_PLANES]; /* bit p of the magnitudes */
    uint64_t *mask;                  /* scratch */
    uint32_t planes;                 /* bit p: plane p may have bits */
};

enum {
    PCRI_PK_WINDOW = 1024, /* blocks, whose coefficients' places fit 16 bits */
};

/* The coefficients of a part (plan.h) of a row in the order in which they were found, pass by
 * pass. */
struct pcri_pk_found {
    uint16_t *places; /* block modulo PCRI_PK_WINDOW * 64 + k */
    int16_t *values;  /* as far as is known */
    uint32_t count;   /* all, */
    uint32_t settled; /* those of passes before this one */
    uint32_t *ends;   /* of what a pass found in a window: window by window, pass by pass */
    uint32_t end_count;
};

/* What a pass left of the row above; all 0 at a restart. With edges, and an element after the row
 * that is 0. */
struct pcri_pk_above {
    uint64_t *bytes;
    uint8_t *count;
    uint8_t *gain; /* coefficients that the pass found */
};

enum { PCRI_PK_IN_BYTES = 7 }; /* planes of magnitudes that fit a signed byte */

/* Reads bits from the lowest of each byte on. */
struct pcri_pk_bits {
    const uint8_t *data; /* 8 readable bytes after the end */
    uint64_t bit, end;
};

static inline uint64_t pcri_pk_word(const struct pcri_pk_bits *b)
{
    return pcri_load64(b->data + (b->bit >> 3)) >> (b->bit & 7);
}

/* 0 to 57 bits, of those that are there. */
static inline uint64_t pcri_pk_take(struct pcri_pk_bits *b, unsigned n)
{
    uint64_t v = pcri_pk_word(b) & ((UINT64_C(1) << n) - 1);
    b->bit += n;
    return v;
}

/* Appends bits. */
struct pcri_pk_bit_writer {
    uint8_t *data; /* with 16 writable bytes after what will be written */
    uint64_t word;
    unsigned held;
    size_t nbytes;
};

/* At most 57 bits. */
static inline void pcri_pk_put(struct pcri_pk_bit_writer *w, uint64_t v, unsigned n)
{
    w->word |= v << w->held;
    w->held += n;
    pcri_store64(w->data + w->nbytes, w->word);
    w->nbytes += w->held >> 3;
    w->word = w->held >= 64 ? 0 : w->word >> (w->held & 56);
    w->held &= 7;
}

struct pcri_pk_kernels {
    const char *name;
    /* Do operations go by bytes that T names, instead of by blocks that it lists? Of row->found
     * they then make and use only those. */
    bool by_bytes;
    /* pcri_pk_dc_contexts() */
    void (*dc_contexts)(const struct pcri_pk_dc *up, unsigned class, size_t n, uint16_t *out);
    /* The values of n blocks where there is a row above: reads a difference of lengths[x] bits, at
     * most 12, for each. Values beyond 16 bits are cut to them. Makes up->residual, too; it and
     * `now` with PCRI_PK_PADDING. */
    void (*dc_values)(const struct pcri_pk_dc *up, const uint8_t *lengths, size_t n,
                      struct pcri_pk_bits *bits, int16_t *now);
    /* The contexts of T for all blocks of the row. */
    void (*t_contexts)(const struct pcri_pk_row *row, const struct pcri_pk_above *above,
                       const struct pcri_pk_pass *pass, uint16_t *out);
    /* The contexts of B for the bytes that t names in the listed blocks, in order; their number.
     * out: 8 elements a block; it and t with PCRI_PK_PADDING. Makes row->named. */
    size_t (*b_contexts)(struct pcri_pk_row *row, const struct pcri_pk_above *above,
                         const struct pcri_pk_pass *pass, const uint8_t *t, uint16_t *out);
    /* The numbers of those of n bytes that are not 0; how many. `out` with PCRI_PK_PADDING. */
    uint32_t (*list)(const uint8_t *v, size_t n, uint16_t *out);
    /* Makes `found` of T, which the listed blocks have, and B. Returns how many symbols
     * of b there were, as b_contexts(). */
    size_t (*place)(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                    const uint8_t *b);
    /* The places of what the mask `part` has of what was found, in listed blocks or named bytes
     * number `from` to `to` - 1; how many. `out` with PCRI_PK_PADDING. */
    uint32_t (*places)(const struct pcri_pk_row *row, uint64_t part, uint32_t from,
                       uint32_t to, uint16_t *out);
    /* Three about n values, by as many bits from number `bit` of the data on. Some values and bits
     * beyond these, at most 31, are touched as well. Values are `weight`, negative where a bit is
     * set; */
    void (*fresh)(const uint8_t *data, uint64_t bit, size_t n, int weight, int16_t *values);
    /* are negated where a bit is set; */
    void (*signs)(const uint8_t *data, uint64_t bit, size_t n, int16_t *values);
    /* have `weight` added to their magnitude, which is not 0, where a bit is set. */
    void (*refine)(const uint8_t *data, uint64_t bit, size_t n, int weight, int16_t *values);
    /* Ends a pass: what place() made joins what is known, and `above` is made for the next row. */
    void (*settle)(const struct pcri_pk_row *row, const struct pcri_pk_above *above);
    /* The row's blocks, of 64 coefficients: DC, and 0. */
    void (*blank)(const struct pcri_pk_row *row, const int16_t *dc, int16_t *out);
    /* What a component's last pass finds goes the shorter way, through masks, where these two are
     * not NULL: the listed blocks' `sign` gets the next bits under `found` & `part`, and their
     * number is returned; 8 bytes a block and 16 may be read; */
    uint64_t (*sign)(const struct pcri_pk_row *row, uint64_t part, const uint8_t *data,
                     uint64_t bit);
    /* and coefficients that `found` has are `weight`, with their sign. */
    void (*fill)(const struct pcri_pk_row *row, const int16_t *dc, int weight, int16_t *out);
    /* The encoder's: planes of coefficients, of which row->planes tells. */
    void (*slice)(struct pcri_pk_row *row, const int16_t *coef);
    /* T and B of `found`; the number of Bs. */
    size_t (*name_bytes)(const struct pcri_pk_row *row, uint64_t band, uint8_t *t, uint8_t *b);
    pcri_tans_read_fn *read_symbols;
};

extern const struct pcri_pk_kernels pcri_pk_portable;
#if defined(__x86_64__) && !defined(PCR_PORTABLE)
#define PCRI_PK_HAVE_X86 1
/* The first with POPCNT, the others with BMI2, of which two use the bit deposit. */
extern const struct pcri_pk_kernels pcri_pk_ssse3, pcri_pk_avx2_shuffle, pcri_pk_avx2,
    pcri_pk_avx512;
/* Those of pcri_pk_avx2_shuffle that do without it. */
size_t pcri_pk_avx2_place(const struct pcri_pk_row *row, uint64_t band, const uint8_t *t,
                          const uint8_t *b);
size_t pcri_pk_avx2_name_bytes(const struct pcri_pk_row *row, uint64_t band, uint8_t *t,
                               uint8_t *b);
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(PCR_PORTABLE) && \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PCRI_PK_HAVE_NEON 1
extern const struct pcri_pk_kernels pcri_pk_neon;
#endif

/* Those for this CPU. */
const struct pcri_pk_kernels *pcri_pk_kernels_choose(void);

/* --- an image's rows (rows.c) --- */

struct pcri_pk_rows {
    struct pcri_pk_row rows[4];
    struct pcri_pk_dc dc[4];
    int16_t *dc_now[4];
    struct pcri_pk_found *found[4]; /* a component's parts */
    struct pcri_pk_above *above;    /* of pass j of step i: [4 * i + j] */
    uint32_t block_count;           /* of a row of each component */
    uint8_t *memory;
    size_t capacity;
    size_t zeroed, cleared; /* how much is 0 after a restart, and at an image's beginning */
    uint32_t above_count;
};

/* Memory for the rows of a plan's first `steps` steps, reused from image to image; for an encoder's
 * if `planes`. Codes: NOMEM. */
int pcri_pk_rows_reserve(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                         uint32_t steps, bool planes, struct pcr_error *err);
/* Forgets the rows above. */
void pcri_pk_rows_restart(struct pcri_pk_rows *r);
/* The contexts of DC of a row of component c. */
void pcri_pk_rows_dc(const struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t c,
                     const struct pcri_pk_kernels *kernels, uint16_t *out);
/* Begins a row of component c: nothing of it is known. */
void pcri_pk_row_begin(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t c);
/* Its DC is there: they become those above. */
void pcri_pk_dc_end(struct pcri_pk_rows *r, uint32_t c);
/* A pass that has a row in a batch. */
struct pcri_pk_active {
    const struct pcri_pk_pass *pass;
    uint32_t y; /* the row */
    struct pcri_pk_row *row;
    const struct pcri_pk_above *above; /* NULL for DC */
};
/* Those of a step, in its order; their number. y: the batch's row of each component. */
uint32_t pcri_pk_active(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t step,
                        const uint32_t y[4], struct pcri_pk_active out[4]);
/* The lists of a pass's parts, one after the other: *at is 0 for the first; NULL: that was the
 * last. */
struct pcri_pk_found *pcri_pk_next_part(const struct pcri_pk_rows *r,
                                        const struct pcri_pk_plan *plan,
                                        const struct pcri_pk_pass *pass, uint32_t *at);
/* What a pass found in the listed blocks joins the lists of its parts; values are to be made. */
void pcri_pk_join(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                  const struct pcri_pk_active *a, const struct pcri_pk_kernels *kernels);
/* The contexts of M for what a first pass found, which is settled; their number. */
size_t pcri_pk_m_contexts(const struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                          const struct pcri_pk_active *a, uint16_t *out);
/* The encoder's: new values are taken from the row's coefficients. */
void pcri_pk_gather(struct pcri_pk_rows *r, const struct pcri_pk_plan *plan,
                    const struct pcri_pk_active *a, const int16_t *coef);
/* A row of component c: the coefficients that were found are put in their places, among 64 a block,
 * which were 0 before. */
void pcri_pk_scatter(const struct pcri_pk_rows *r, const struct pcri_pk_plan *plan, uint32_t c,
                     int16_t *coef);
void pcri_pk_rows_free(struct pcri_pk_rows *r);

#endif
