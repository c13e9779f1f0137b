/* SPDX-License-Identifier: BSD-2-Clause */
/* Refinement of blocks on CPUs without a fast bit deposit: by lists of zeros.
 *
 * Where the block's zeros are is listed once, from its mask, by table and without branches.
 * As runs count zeros, a symbol's coefficient is then an element of that list; and the
 * nonzero coefficients that it passed, which is how many correction bits follow it, are what
 * remains of its position when the zeros before it are subtracted. The correction bits are
 * gathered, and applied at the block's end. */
#include "../base/bytes.h"
#include "decode_refine.h"

/* --- bits --- */

/* The first bit is the lowest. */
struct lsb {
    const uint8_t *p, *end;
    uint64_t word;
    unsigned nbits;
};

enum {
    LSB_FILLED = 56,       /* the least number of bits after a fill */
    SYMBOL_MOST_BITS = 17, /* a code and a sign */
};

static inline void lsb_fill(struct lsb *r)
{
    r->word |= pcri_load64(r->p) << r->nbits;
    r->p += (63 - r->nbits) >> 3;
    r->nbits |= 56;
}

static inline void lsb_drop(struct lsb *r, unsigned n)
{
    r->word >>= n;
    r->nbits -= n;
}

/* 57 to 63 bits. */
static inline uint64_t lsb_take_long(struct lsb *r, unsigned n)
{
    lsb_fill(r);
    uint64_t low = r->word & 0xFFFFFFFF;
    lsb_drop(r, 32);
    lsb_fill(r);
    uint64_t v = low | r->word << 32;
    lsb_drop(r, n - 32);
    return v;
}

static inline bool lsb_overrun(const struct lsb *r)
{
    return r->p > r->end && (uint64_t) (r->p - r->end) * 8 > r->nbits;
}

static inline struct lsb lsb_start(const struct pcri_refiner *f)
{
    struct lsb r = { f->data + f->bit / 8, f->data + f->bit_end / 8, 0, 0 };
    lsb_fill(&r);
    lsb_drop(&r, f->bit % 8);
    return r;
}

static inline uint64_t lsb_bit(const struct pcri_refiner *f, const struct lsb *r)
{
    return (uint64_t) (r->p - f->data) * 8 - r->nbits;
}

/* Takes one symbol; its nbits is 0 if there is none. Decoding is bound by the latency from
 * one symbol to the next, so the look-up does not wait for the refill: bits enough for its
 * index must be left from before. */
static inline struct pcri_lookup_entry take_symbol(const struct pcri_refiner *f, struct lsb *r)
{
    struct pcri_lookup_entry e = f->table->fast[r->word & ((1u << PCRI_LOOKUP_BITS) - 1)];
    lsb_fill(r);
    if (__builtin_expect(!e.nbits, 0))
        e = pcri_refine_slow(r->word, f->table);
    lsb_drop(r, e.nbits);
    return e;
}

/* The end-of-band run given by `extra` bits. */
static inline void take_run(struct pcri_refiner *f, struct lsb *r, unsigned extra)
{
    f->eob_run = pcri_refine_eob_run(r->word, extra);
    lsb_drop(r, extra);
}

/* --- lists of set bits --- */

#define COUNT_4(m) (((m) &1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1))
#define COUNT_8(m) (COUNT_4(m) + COUNT_4((m) >> 4))
#define PLACE(m, i) ((m) >> (i) &1 ? UINT64_C(i) << 8 * COUNT_8((m) & ((1 << (i)) - 1)) : 0)
#define PLACES(m) \
    (PLACE(m, 1) | PLACE(m, 2) | PLACE(m, 3) | PLACE(m, 4) | PLACE(m, 5) | PLACE(m, 6) | \
     PLACE(m, 7))
#define PLACES_4(m) PLACES(m), PLACES((m) + 1), PLACES((m) + 2), PLACES((m) + 3)
#define PLACES_16(m) PLACES_4(m), PLACES_4((m) + 4), PLACES_4((m) + 8), PLACES_4((m) + 12)
#define PLACES_64(m) \
    PLACES_16(m), PLACES_16((m) + 16), PLACES_16((m) + 32), PLACES_16((m) + 48)

/* Where the set bits of a byte are, one number a byte, the first the lowest. */
static const uint64_t places[256] = {
    PLACES_64(0),
    PLACES_64(64),
    PLACES_64(128),
    PLACES_64(192),
};

#define COUNTING UINT64_C(0x0706050403020100)

/* In byte i the number of bits that are set in bytes 0 to i. */
static inline uint64_t count_bytes(uint64_t m)
{
    m -= m >> 1 & 0x5555555555555555;
    m = (m & 0x3333333333333333) + (m >> 2 & 0x3333333333333333);
    m = (m + (m >> 4)) & 0x0F0F0F0F0F0F0F0F;
    return m * PCRI_EACH_BYTE(1);
}

static inline unsigned count_bits(uint64_t m)
{
    return (unsigned) (count_bytes(m) >> 56);
}

enum { MOST_RUN = 16, LIST_NBYTES = 64 + MOST_RUN };

/* Stores the elements of 8 bits of the mask where they belong. */
static inline void list_byte(uint64_t mask, uint64_t counts, int i, uint8_t *list)
{
    uint64_t v = places[mask >> 8 * i & 255] + PCRI_EACH_BYTE(8 * (unsigned) i);
    pcri_store64(list + (i ? counts >> 8 * (i - 1) & 255 : 0), v);
}

/* Lists the set bits of the mask: all of it or, if not `all`, of its 32 lowest bits; and after
 * those the next 16 numbers. */
static inline void list_bits(uint64_t mask, bool all, uint8_t list[LIST_NBYTES])
{
    uint64_t counts = count_bytes(mask), next = COUNTING + PCRI_EACH_BYTE(32);
    size_t count = counts >> 24 & 255;
    for (int i = 0; i < 4; i++)
        list_byte(mask, counts, i, list);
    if (all) {
        for (int i = 4; i < 8; i++)
            list_byte(mask, counts, i, list);
        next = COUNTING + PCRI_EACH_BYTE(64);
        count = counts >> 56;
    }
    pcri_store64(list + count, next);
    pcri_store64(list + count + 8, next + PCRI_EACH_BYTE(8));
}

/* --- blocks --- */

struct block {
    int16_t *coef;
    uint64_t nonzero;     /* of the band, from before this scan */
    uint64_t fresh;       /* that became nonzero in it */
    uint64_t corrections; /* bit i: of the i-th of `nonzero` */
};

/* Up to 63 bits. */
static inline uint64_t take_bits(struct lsb *r, unsigned n)
{
    lsb_fill(r);
    if (n > LSB_FILLED)
        return lsb_take_long(r, n) & ((UINT64_C(1) << n) - 1);
    uint64_t v = r->word & ((UINT64_C(1) << n) - 1);
    lsb_drop(r, n);
    return v;
}

/* Moves the nonzero coefficients whose correction bit is set away from zero. */
static inline void correct(int16_t *coef, uint64_t nonzero, uint64_t bits, int step)
{
    for (; nonzero; nonzero &= nonzero - 1, bits >>= 1) {
        int16_t *c = &coef[__builtin_ctzll(nonzero)];
        int sign = *c < 0 ? -1 : 0, by = step & -(int) (bits & 1);
        *c = (int16_t) (*c + ((by ^ sign) - sign));
    }
}

/* The symbols up to the last nonzero coefficient. Returns the place of the next zero, or -1
 * for damage; band_end if the block ends. */
static inline int first_symbols(struct pcri_refiner *f, struct lsb *r, struct block *b)
{
    uint8_t zeros[LIST_NBYTES];
    unsigned total = count_bits(b->nonzero), done = 0, rank = 0, at;
    list_bits(~b->nonzero & ~UINT64_C(0) << f->band_begin, b->nonzero >> 32, zeros);
    do {
        struct pcri_lookup_entry e = take_symbol(f, r);
        if (__builtin_expect(!e.nbits, 0))
            return -1;
        if (e.symbol >= PCRI_REFINE_END_OF_BAND) {
            take_run(f, r, e.symbol - PCRI_REFINE_END_OF_BAND);
            b->corrections |= take_bits(r, total - done) << done;
            return (int) f->band_end;
        }
        rank += e.symbol;
        at = zeros[rank];
        unsigned n = at - f->band_begin - rank - done;
        if (__builtin_expect(at >= f->band_end, 0))
            return -1;
        if (__builtin_expect(n > LSB_FILLED - 2 * SYMBOL_MOST_BITS, 0)) {
            b->corrections |= take_bits(r, n) << done;
            lsb_fill(r);
        } else {
            b->corrections |= (r->word & ((UINT64_C(1) << n) - 1)) << done;
            lsb_drop(r, n);
        }
        done += n;
        rank++;
        b->coef[at] = (int16_t) (e.value * f->step);
        b->fresh |= (uint64_t) (e.value != 0) << at;
    } while (done < total);
    return (int) at + 1;
}

/* The symbols after the last nonzero coefficient, from coefficient k on: no correction bits
 * come between them. Returns -1 for damage. */
static inline int last_symbols(struct pcri_refiner *f, struct lsb *r, unsigned k,
                               struct block *b)
{
    static const struct pcri_several_entry none;
    while (k < f->band_end) {
        const struct pcri_several_entry *s =
            f->several ? &f->several->entries[r->word & ((1u << PCRI_SEVERAL_BITS) - 1)]
                       : &none;
        unsigned length = s->length, end = s->end;
        /* Symbols after a block that is full belong to the next one. */
        if (__builtin_expect(s->nbits && k + length + (end != 0) <= f->band_end, 1)) {
            lsb_fill(r);
            lsb_drop(r, s->nbits);
            b->coef[k + s->first] = (int16_t) (s->values[0] * f->step);
            b->coef[k + s->second] = (int16_t) (s->values[1] * f->step);
            b->fresh |= (uint64_t) s->fresh << k;
        } else {
            struct pcri_lookup_entry e = take_symbol(f, r);
            if (!e.nbits)
                return -1;
            end = e.symbol >= PCRI_REFINE_END_OF_BAND ? e.symbol - PCRI_REFINE_END_OF_BAND + 1u
                                                      : 0;
            length = end ? 0 : e.symbol + 1u;
            if (k + length > f->band_end)
                return -1;
            if (!end) {
                b->coef[k + length - 1] = (int16_t) (e.value * f->step);
                b->fresh |= (uint64_t) (e.value != 0) << (k + length - 1);
            }
        }
        if (end) {
            take_run(f, r, end - 1);
            break;
        }
        k += length;
    }
    return 0;
}

/* One block outside an end-of-band run. Returns -1 for damage. */
static inline int refine_block(struct pcri_refiner *f, struct lsb *bits, int16_t *coef,
                               uint64_t *mask)
{
    struct block b = { .coef = coef, .nonzero = *mask & f->band };
    struct lsb r = *bits;
    lsb_fill(&r);
    int k = b.nonzero ? first_symbols(f, &r, &b) : (int) f->band_begin;
    if (k < 0 || last_symbols(f, &r, (unsigned) k, &b))
        return -1;
    correct(coef, b.nonzero, b.corrections, f->step);
    *mask |= b.fresh;
    *bits = r;
    return 0;
}

/* The next block. Returns -1 for damage. */
static inline int next_block(struct pcri_refiner *f, struct lsb *bits, size_t kept)
{
    const struct pcri_blocks *p = f->blocks;
    int16_t *coef = pcri_block_coef(p, f->block, kept);
    uint64_t nonzero = p->mask[f->block] & f->band;
    if (!f->eob_run) {
        if (refine_block(f, bits, coef, p->mask + f->block) || f->eob_run > f->stop - f->block)
            return -1;
    } else if (nonzero) {
        correct(coef, nonzero, take_bits(bits, count_bits(nonzero)), f->step);
    }
    f->eob_run -= f->eob_run != 0;
    return lsb_overrun(bits) ? -1 : 0;
}

static void refine_portable(struct pcri_refiner *const lanes[], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct pcri_refiner *f = lanes[i];
        const size_t kept = pcri_kept_begin(f->blocks);
        struct lsb bits = lsb_start(f);
        for (; f->block < f->end && !f->damaged; f->block++)
            f->damaged = next_block(f, &bits, kept) != 0;
        f->block -= f->damaged;
        f->bit = lsb_bit(f, &bits);
    }
}

static void change(const struct pcri_refiner *f)
{
    (void) f; /* refine_portable() has done it */
}

const struct pcri_refine_way pcri_refine_portable = { "portable", refine_portable, change,
                                                      false };
