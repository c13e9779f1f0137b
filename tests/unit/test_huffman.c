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

/* jpeg_gen_optimal_table() of libjpeg, step by step: lengths before they are limited, 0 for symbols
 * that do not occur. */
static void libjpeg_lengths(const uint32_t counts[256], int size[257])
{
    int64_t freq[257];
    int others[257], least[2];
    for (int i = 0; i < 257; i++) {
        freq[i] = i < 256 ? (int64_t) counts[i] : 1;
        size[i] = 0;
        others[i] = -1;
    }
    for (;;) {
        least[0] = least[1] = -1;
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < 257; i++)
                if (freq[i] && i != least[0] && (least[k] < 0 || freq[i] <= freq[least[k]]))
                    least[k] = i;
        if (least[1] < 0)
            return;
        freq[least[0]] += freq[least[1]];
        freq[least[1]] = 0;
        int c = least[0];
        for (size[c]++; others[c] >= 0; size[c]++)
            c = others[c];
        others[c] = least[1];
        for (c = least[1]; c >= 0; c = others[c])
            size[c]++;
    }
}

/* The values' order says all of the tree: by lengths, then by symbols; lengths above 16 are then
 * limited. */
static void check_as_libjpeg(const uint32_t counts[256])
{
    struct pcri_huffman h;
    int size[257], at = 0, longest = 0;
    pcri_huffman_build_as_libjpeg(counts, &h);
    libjpeg_lengths(counts, size);
    for (int n = 1; n < 257; n++)
        for (int i = 0; i < 256; i++)
            if (counts[i] && size[i] == n) {
                ck_assert_int_eq(h.values[at++], i);
                longest = n;
            }
    ck_assert_int_eq(h.value_count, at);
    for (int i = 0; i < 256 && longest <= 16; i++)
        ck_assert_int_eq(h.lengths[i], counts[i] ? size[i] : 0);
    if (at)
        check_legal(&h, counts);
}

START_TEST(as_libjpeg)
{
    uint64_t seed = 7;
    uint32_t counts[256] = { 0 };
    check_as_libjpeg(counts);
    for (int round = 0; round < 514; round++) {
        for (int i = 0; i < 256; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            const bool there = (seed >> 33) % 256 < (unsigned) round % 257;
            counts[i] = there ? (uint32_t) (seed >> 40) >> (seed >> 56) % 24 : 0;
        }
        check_as_libjpeg(counts);
    }
    for (int i = 0; i < 256; i++) /* the largest */
        counts[i] = UINT32_MAX;
    check_as_libjpeg(counts);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("huffman");
    tcase_add_test(t, random_counts);
    tcase_add_test(t, long_codes_are_limited);
    tcase_add_test(t, one_symbol);
    tcase_add_test(t, as_libjpeg);
    tcase_add_test(t, no_table);
    return tests_run();
}
