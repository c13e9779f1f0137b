/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of a row's DC. The file that includes it defines INLINE, and where there are vectors
 * of eight 16-bit numbers dc_vec and DC_ADD(), which saturates, DC_MAX() and DC_MIN().
 *
 * The median of left, above, and left + step, where step is above - above left, is
 * min(max(above, left + min(step, 0)), left + max(step, 0)). With the difference added to each term
 * three operations wait for the value at the left, and all else is done before. */
enum { DC_RUN = 64, DC_AT_ONCE = 4 };

struct dc_run {
    int16_t low[DC_RUN + 8], middle[DC_RUN + 8], high[DC_RUN + 8];
};

/* Each value from the one before: max(left + low, middle), but at most left + high. */
#ifdef DC_ADD
INLINE void dc_chain(const struct dc_run *r, size_t n, int16_t before, int16_t *now)
{
    dc_vec left = { 0 }, low, middle, high; /* of which the first number counts */
    memcpy(&left, &before, sizeof(before));
    for (size_t x = 0; x < n; x++) {
        memcpy(&low, r->low + x, sizeof(low));
        memcpy(&middle, r->middle + x, sizeof(middle));
        memcpy(&high, r->high + x, sizeof(high));
        left = DC_MIN(DC_MAX(DC_ADD(left, low), middle), DC_ADD(left, high));
        memcpy(now + x, &left, 4); /* the next one, too, which comes then */
    }
}
#else
INLINE void dc_chain(const struct dc_run *r, size_t n, int16_t before, int16_t *now)
{
    int left = before;
    for (size_t x = 0; x < n; x++) {
        const int low = left + r->low[x], high = left + r->high[x], middle = r->middle[x];
        left = low > middle ? low : middle;
        left = left < high ? left : high;
        now[x] = (int16_t) left;
    }
}
#endif

#ifndef DC_HAVE_TAKE
/* Of n differences the bits, and the highest one that each may have. */
INLINE void dc_take(struct pcri_pk_bits *bits, const uint8_t *lengths, size_t n, int16_t *out,
                    int16_t *tops)
{
    struct pcri_pk_bits b = *bits;
    for (size_t i = 0; i < n; i += DC_AT_ONCE) {
        uint64_t word = pcri_pk_word(&b);
        for (size_t k = i; k < i + DC_AT_ONCE && k < n; k++) {
            const uint32_t end = 1u << lengths[k];
            out[k] = (int16_t) (word & (end - 1));
            tops[k] = (int16_t) (end >> 1);
            word >>= lengths[k];
            b.bit += lengths[k];
        }
    }
    *bits = b;
}
#endif

INLINE void read_dc_values(const struct pcri_pk_dc *up, const uint8_t *lengths, size_t n,
                           struct pcri_pk_bits *bits, int16_t *now)
{
    int16_t before = up->value[0], taken[DC_RUN], tops[DC_RUN];
    struct dc_run r;
    for (size_t at = 0; at < n; at += DC_RUN) {
        const size_t count = n - at < DC_RUN ? n - at : DC_RUN;
        const int16_t *value = up->value + at;
        uint16_t *residual = up->residual + at;
        dc_take(bits, lengths + at, count, taken, tops);
        for (size_t x = 0; x < count; x++) {
            const int16_t m = taken[x] | tops[x], negative = taken[x] & tops[x] ? -1 : 0;
            const int16_t d = (int16_t) ((m ^ negative) - negative);
            const int16_t step = (int16_t) (value[x] - value[(ptrdiff_t) x - 1]);
            residual[x] = (uint16_t) m;
            r.middle[x] = (int16_t) (value[x] + d);
            r.low[x] = (int16_t) ((step < 0 ? step : 0) + d);
            r.high[x] = (int16_t) ((step > 0 ? step : 0) + d);
        }
        dc_chain(&r, count, before, now + at);
        before = now[at + count - 1];
    }
}
