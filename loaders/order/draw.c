/* SPDX-License-Identifier: BSD-2-Clause */
/* Drawing by weight.
 *
 * With replacement, a sample's count is its expected number of draws, take x weight / sum of
 * weights, rounded up or down at random: systematic sampling (Madow and Madow 1944) through
 * the samples in random order (Hartley and Rao 1962). Expectations are exact, `take` too, and
 * counts vary less than those of independent draws.
 *
 * Without, the samples are those that `take` draws would give, one after another, each from
 * what is left by weight: the ones with the least -log(U) / weight (Efraimidis and Spirakis
 * 2006). The last of them is found by a radix select on the bits of these keys, which are
 * computed again and again rather than stored.
 *
 * Only additions, multiplications and divisions of doubles are used, each rounded by itself,
 * so that all machines draw the same. */
#include <stdlib.h>

#include "../../libpcr/base/random.h"
#include "../../libpcr/base/wide.h"
#include "draw.h"

/* --- with replacement --- */

/* Weights as whole numbers: about 2^62 in all. */
static uint64_t quantity(const struct pcri_draw *d, double sum, uint64_t i)
{
    if (!d->weights)
        return 1;
    uint64_t q = (uint64_t) (d->weights[i] / sum * 0x1p62);
    return q || !(d->weights[i] > 0) ? q : 1;
}

static void draw_any(const struct pcri_draw *d, uint32_t *counts)
{
    double sum = 0;
    uint64_t total = 0;
    for (uint64_t i = 0; d->weights && i < d->count; i++)
        sum += d->weights[i];
    for (uint64_t i = 0; i < d->count; i++)
        total += quantity(d, sum, i);
    /* What is passed so far, in units of 1 / total of a draw, beyond those drawn. */
    uint64_t rest = (uint64_t) (pcri_unit(d->key) * (double) total);
    for (uint64_t k = 0; k < d->count; k++) {
        uint64_t i = pcri_permute(pcri_mix(d->key), d->count, k);
        uint64_t low, high = pcri_wide_mul(quantity(d, sum, i), d->take, &low);
        low += rest;
        high += low < rest;
        counts[i] = (uint32_t) pcri_wide_div(high, low, total, &rest);
    }
}

/* --- without --- */

/* -log(x) for x in (0, 1], within a few units of the last place. */
static double minus_log(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    int exponent = (int) (bits >> 52) - 1023;
    bits = (bits & 0xFFFFFFFFFFFFFu) | UINT64_C(1023) << 52;
    memcpy(&x, &bits, sizeof(x)); /* in [1, 2) */
    if (x > 1.4142135623730951) {
        x /= 2;
        exponent++;
    }
    /* log x = 2 artanh((x - 1) / (x + 1)), whose argument is below 0.172 */
    double s = (x - 1) / (x + 1), power = s, sum = 0;
    for (int n = 1; n < 24; n += 2) {
        sum += power / n;
        power *= s * s;
    }
    return -(exponent * 0.69314718055994530942 + 2 * sum);
}

/* The less, the sooner it is drawn; UINT64_MAX: never. Doubles that are not negative compare
 * as their bits do. */
static uint64_t draw_key(const struct pcri_draw *d, uint64_t i)
{
    double weight = d->weights ? d->weights[i] : 1;
    if (!(weight > 0))
        return UINT64_MAX;
    double key = minus_log(1 - pcri_unit(pcri_key(d->key, i, 1))) / weight;
    uint64_t bits;
    memcpy(&bits, &key, sizeof(bits));
    return bits & INT64_MAX; /* of -0 too */
}

enum { DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS };

/* Finds the key that is the take-th, and how many with just this key belong to the draw. */
static void select_key(const struct pcri_draw *d, uint64_t *histogram, uint64_t *key_out,
                       uint64_t *ties_out)
{
    uint64_t known = 0, left = d->take;
    for (int shift = 64 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
        uint64_t mask = shift == 64 - DIGIT_BITS ? 0 : UINT64_MAX << (shift + DIGIT_BITS);
        uint64_t digit = 0;
        memset(histogram, 0, DIGITS * sizeof(*histogram));
        for (uint64_t i = 0; i < d->count; i++) {
            uint64_t key = draw_key(d, i);
            histogram[key >> shift & (DIGITS - 1)] += (key & mask) == known;
        }
        while (histogram[digit] < left)
            left -= histogram[digit++];
        known |= digit << shift;
    }
    *key_out = known;
    *ties_out = left;
}

static int draw_once(const struct pcri_draw *d, uint32_t *counts, struct pcr_error *err)
{
    uint64_t last, ties;
    uint64_t *histogram = pcri_calloc(DIGITS, sizeof(*histogram), err);
    if (!histogram)
        return PCR_ERR_NOMEM;
    select_key(d, histogram, &last, &ties);
    free(histogram);
    for (uint64_t i = 0; i < d->count; i++) {
        uint64_t key = draw_key(d, i);
        counts[i] = key < last || (key == last && ties && ties--);
    }
    return 0;
}

int pcri_draw(const struct pcri_draw *d, uint32_t *counts_out, struct pcr_error *err)
{
    if (d->take && d->once)
        return draw_once(d, counts_out, err);
    if (d->take)
        draw_any(d, counts_out);
    else
        memset(counts_out, 0, d->count * sizeof(*counts_out));
    return 0;
}
