/* SPDX-License-Identifier: BSD-2-Clause */
/* AC refinement scans, on masks.
 *
 * In a refinement scan the run of a symbol counts coefficients that are still zero, and each
 * nonzero one that it passes takes a correction bit. With the block's 64-bit mask of nonzero
 * coefficients both are bit operations: the run's target is the (run + 1)-th zero of the
 * mask's complement, the coefficients passed are the mask below it, and the correction bits
 * are as many as those, spread over them by a bit deposit. For that the first bit must be
 * the lowest, so the data of these scans is bit-reversed in each byte when it is unstuffed.
 *
 * The blocks under an end-of-band run take their correction bits in one deposit. */
#include "bits.h"

/* --- bit deposit and selection --- */

#if !defined(PCR_PORTABLE) && defined(__x86_64__) && defined(__GNUC__)
#define HAVE_PDEP 1
#include <immintrin.h>
#endif

static inline uint64_t deposit_portable(uint64_t bits, uint64_t mask)
{
    uint64_t out = 0;
    for (; mask; mask &= mask - 1, bits >>= 1)
        if (bits & 1)
            out |= mask & -mask;
    return out;
}

/* The n-th (from 0) set bit of the mask as a mask; 0 if there are fewer. */
static inline uint64_t select_portable(unsigned n, uint64_t mask)
{
    for (; n && mask; n--)
        mask &= mask - 1;
    return mask & -mask;
}

/* --- the reader: the first bit is the lowest --- */

struct lsb {
    const uint8_t *p, *end;
    uint64_t word;
    unsigned nbits;
};

static inline void lsb_fill(struct lsb *r)
{
    uint64_t v;
    memcpy(&v, r->p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    r->word |= v << r->nbits;
    r->p += (63 - r->nbits) >> 3;
    r->nbits |= 56;
}

enum {
    LSB_FILLED = 56,       /* bits that are there at least after lsb_fill() */
    SYMBOL_MOST_BITS = 17, /* a code and a sign */
    LOOKUP_SIZE = 1 << PCRI_LOOKUP_BITS,
    END_OF_BAND = PCRI_REFINE_END_OF_BAND,
};

static inline void lsb_drop(struct lsb *r, unsigned n)
{
    r->word >>= n;
    r->nbits -= n;
}

/* Up to 63 bits. */
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

static uint32_t reverse16(uint32_t v)
{
    v = (v & 0x5555) << 1 | (v >> 1 & 0x5555);
    v = (v & 0x3333) << 2 | (v >> 2 & 0x3333);
    v = (v & 0x0F0F) << 4 | (v >> 4 & 0x0F0F);
    return (v & 0xFF) << 8 | v >> 8;
}

/* The blocks that an end-of-band symbol with `nbits` extra bits (0 to 14, which stand
 * highest first) ends, this one included. */
static inline uint32_t lsb_eob_run(struct lsb *r, unsigned nbits)
{
    if (!nbits)
        return 1;
    uint32_t extra = reverse16((uint32_t) r->word & 0xFFFF) >> (16 - nbits);
    lsb_drop(r, nbits);
    return (1u << nbits) + extra;
}

/* The entry of a symbol whose bits are more than the look-up's index. -1: there is none. */
static int refine_slow(const struct lsb *r, const struct pcri_lookup *t,
                       struct pcri_lookup_entry *out)
{
    unsigned length;
    int symbol = pcri_slow_symbol(t, reverse16((uint32_t) r->word & 0xFFFF), &length);
    if (symbol < 0)
        return -1;
    *out = pcri_refine_entry((uint8_t) symbol, length, (uint32_t) (r->word >> length) & 1);
    return out->nbits ? 0 : -1;
}

/* --- blocks --- */

/* Sets of a block's coefficients, by zigzag order. */
struct block {
    uint64_t nonzero, zeros;  /* of the band, what the symbols have yet to pass */
    uint64_t moved;           /* whose correction bit moves them away from zero */
    uint64_t fresh, negative; /* that become nonzero, and those of them below zero */
};

static inline void apply_portable(int16_t *coef, uint64_t moved, uint64_t fresh,
                                  uint64_t negative, int step)
{
    for (uint64_t left = moved; left; left &= left - 1) {
        int16_t *c = &coef[__builtin_ctzll(left)];
        *c = (int16_t) (*c < 0 ? *c - step : *c + step);
    }
    for (uint64_t left = fresh; left; left &= left - 1)
        coef[__builtin_ctzll(left)] = (int16_t) (negative & left & -left ? -step : step);
}

#ifdef HAVE_PDEP
/* The lanes of which the bit is set in the low half of `bits`: -1. */
__attribute__((target("avx2"))) static inline __m256i spread(uint64_t bits)
{
    const __m256i lanes = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048,
                                            4096, 8192, 16384, INT16_MIN);
    __m256i v = _mm256_set1_epi16((int16_t) bits);
    return _mm256_cmpeq_epi16(_mm256_and_si256(v, lanes), lanes);
}

/* Sixteen coefficients. A moved one has its own sign, a fresh one, which was 0, that of
 * `negative`. */
__attribute__((target("avx2"))) static inline void apply_16(int16_t *coef, uint64_t changed,
                                                            uint64_t negative, __m256i step)
{
    __m256i *p = (__m256i *) (void *) coef, c = _mm256_load_si256(p);
    __m256i change = _mm256_and_si256(spread(changed), step);
    __m256i sign = _mm256_or_si256(_mm256_or_si256(c, _mm256_set1_epi16(1)),
                                   spread(negative));
    _mm256_store_si256(p, _mm256_add_epi16(c, _mm256_sign_epi16(change, sign)));
}

__attribute__((target("avx2"))) static inline void apply_avx2(int16_t *coef, uint64_t moved,
                                                              uint64_t fresh,
                                                              uint64_t negative, int step)
{
    __m256i steps = _mm256_set1_epi16((int16_t) step);
    uint64_t changed = moved | fresh;
    apply_16(coef, changed, negative, steps);
    if (changed >> 16) {
        apply_16(coef + 16, changed >> 16, negative >> 16, steps);
        if (changed >> 32) {
            apply_16(coef + 32, changed >> 32, negative >> 32, steps);
            apply_16(coef + 48, changed >> 48, negative >> 48, steps);
        }
    }
}
#endif

/* What one refinement scan needs at hand. */
struct refiner {
    struct lsb bits;
    const struct pcri_lookup *table;
    const struct pcri_several *several; /* NULL for short scans */
    uint64_t band;
    unsigned band_end; /* Se + 1 */
    int step;          /* 1 << Al */
    uint32_t eob_run;
};

#define REFINE_SUFFIX _portable
#define DEPOSIT deposit_portable
#define SELECT select_portable
#define APPLY apply_portable
#define REFINE_TARGET
#include "decode_refine_blocks.h"

#ifdef HAVE_PDEP
#define REFINE_SUFFIX _bmi2
#define DEPOSIT(bits, mask) _pdep_u64(bits, mask)
#define SELECT(n, mask) _pdep_u64(UINT64_C(1) << (n), mask)
#define APPLY apply_avx2
#define REFINE_TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#include "decode_refine_blocks.h"
#endif

typedef int (*refine_function)(const struct pcri_scan_job *, struct refiner *, size_t,
                               size_t, size_t *);

static refine_function choose(void)
{
#ifdef HAVE_PDEP
    const unsigned wanted = PCRI_CPU_FAST_PDEP | PCRI_CPU_AVX2;
    if ((pcri_cpu_features() & wanted) == wanted)
        return refine_blocks_bmi2;
#endif
    return refine_blocks_portable;
}

int pcri_decode_ac_refine(const struct pcri_scan_job *job, struct pcr_error *err)
{
    refine_function refine = choose();
    const struct pcri_blocks *p = &job->planes[job->components[0]];
    size_t total = (size_t) p->blocks_x * p->blocks_y, b = 0, stop = pcri_kept_end(p);
    for (size_t n = 0; n < job->interval_count && b < stop; n++) {
        size_t begin = n ? job->interval_end[n - 1] : 0;
        struct refiner f = {
            .bits = { job->data + begin, job->data + job->interval_end[n], 0, 0 },
            .table = job->ac[0],
            .several = job->several,
            .band = (~UINT64_C(0) << job->ss) & (~UINT64_C(0) >> (63 - job->se)),
            .band_end = job->se + 1u,
            .step = 1 << job->al,
        };
        size_t end = job->restart_interval && n + 1 < job->interval_count
            ? b + job->restart_interval : total;
        const char *what = NULL;
        if (refine(job, &f, b, end, &b))
            what = "no such code, a run past the block or scan, or the data ends";
        else if (b == end && pcri_goes_on(job, n, f.bits.p, f.bits.end, f.bits.nbits))
            what = "the data goes on behind it";
        if (what)
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "scan %u-%u,%u,%u of component %u, block %zu: %s", job->ss,
                             job->se, job->ah, job->al, (unsigned) job->components[0], b,
                             what);
    }
    return 0;
}
