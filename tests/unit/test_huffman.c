/* SPDX-License-Identifier: BSD-2-Clause */
/* Optimal Huffman tables: legal, complete but for the reserved code, and optimal. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "jpeg/huffman.h"
#include "jpeg/scan_decode.h"
#include "suite.h"

/* Kraft's sum in units of 2^-16, and that codes are the canonical ones of JPEG. */
static uint32_t check_legal(const struct pcri_huffman *h, const uint32_t counts[256])
{
    uint32_t kraft = 0, i = 0, code = 0;
    for (int length = 1; length <= 16; length++, code <<= 1) {
        for (int k = 0; k < h->counts[length]; k++, i++, code++) {
            int s = h->values[i];
            ck_assert_uint_eq(h->lengths[s], length);
            ck_assert_uint_eq(h->codes[s], code);
            ck_assert_uint_lt(code, (1u << length) - 1); /* never all ones */
            kraft += 1u << (16 - length);
        }
    }
    ck_assert_uint_eq(i, h->value_count);
    for (int s = 0; s < 256; s++)
        ck_assert_int_eq(h->lengths[s] != 0, counts[s] != 0);
    ck_assert_uint_lt(kraft, 65536);
    return kraft;
}

/* The cost of an optimal code of any length for the counts and one more symbol of count 0:
 * the sum of all merged weights, by plain search. */
static uint64_t huffman_sum(const uint32_t counts[256])
{
    uint64_t w[257], total = 0;
    int n = 0;
    w[n++] = 0;
    for (int s = 0; s < 256; s++)
        if (counts[s])
            w[n++] = counts[s];
    while (n > 1) {
        int a = 0, b = 1;
        if (w[b] < w[a])
            a = 1, b = 0;
        for (int i = 2; i < n; i++) {
            if (w[i] < w[a])
                b = a, a = i;
            else if (w[i] < w[b])
                b = i;
        }
        total += w[a] + w[b];
        w[a] += w[b];
        w[b] = w[--n];
    }
    return total;
}

START_TEST(random_counts)
{
    unsigned seed = (unsigned) time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 500; round++) {
        uint32_t counts[256] = { 0 };
        int n = 1 + rand() % 256;
        for (int i = 0; i < n; i++)
            counts[rand() % 256] = 1 + (uint32_t) rand() % (1u << rand() % 12);
        struct pcri_huffman h;
        pcri_huffman_build(counts, &h);
        check_legal(&h, counts);
        bool limited = h.counts[16] != 0;
        uint64_t cost = pcri_huffman_cost(&h, counts), best = huffman_sum(counts);
        ck_assert_uint_ge(cost, best);
        if (!limited)
            ck_assert_uint_eq(cost, best);
    }
}
END_TEST

START_TEST(long_codes_are_limited)
{
    uint32_t counts[256] = { 0 }, a = 1, b = 1;
    for (int i = 0; i < 40; i++) {
        counts[i] = a;
        uint32_t c = a + b;
        a = b;
        b = c;
    }
    struct pcri_huffman h;
    pcri_huffman_build(counts, &h);
    check_legal(&h, counts);
    ck_assert_uint_gt(h.counts[16], 0);
    for (int i = 0; i < 256; i++)
        counts[i] = 1;
    pcri_huffman_build(counts, &h);
    check_legal(&h, counts);
    ck_assert_uint_eq(h.value_count, 256);
}
END_TEST

START_TEST(no_table)
{
    const struct pcri_dht none = { .defined = false };
    struct pcri_lookup lookup;
    struct pcr_error e;
    ck_assert_int_eq(pcri_lookup_build(&none, false, 15, &lookup, &e), PCR_ERR_CORRUPT);
    ck_assert_str_eq(e.message, "a Huffman table is missing");
}
END_TEST

START_TEST(one_symbol)
{
    uint32_t counts[256] = { [7] = 5 };
    struct pcri_huffman h;
    pcri_huffman_build(counts, &h);
    ck_assert_uint_eq(h.lengths[7], 1);
    ck_assert_uint_eq(h.codes[7], 0);
    ck_assert_uint_eq(pcri_huffman_cost(&h, counts), 5);
    counts[8] = 1;
    ck_assert_uint_eq(pcri_huffman_cost(&h, counts), UINT64_MAX);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("huffman");
    tcase_add_test(t, random_counts);
    tcase_add_test(t, long_codes_are_limited);
    tcase_add_test(t, one_symbol);
    tcase_add_test(t, no_table);
    return tests_run();
}
