/* SPDX-License-Identifier: BSD-2-Clause */
/* Optimal length-limited Huffman codes.
 *
 * Lengths come from Huffman's construction with two queues (leaves sorted by count, and
 * inner nodes, which arise in order of their count). One further leaf of the least count
 * takes the all-ones code, which ISO/IEC 10918-1 K.2 reserves. Lengths above 16 are then
 * shortened as K.2 does (figure K.3): a pair of the longest codes becomes one code shorter,
 * its twin hangs below a code of the next shorter length. Lengths are given to the symbols
 * in order of falling count. */
#include <stdlib.h>

#include "huffman.h"

enum { MAX_LEAVES = 257, RESERVED = 256 };

struct leaf {
    uint64_t count;
    int symbol;
};

static int by_count(const void *a, const void *b)
{
    const struct leaf *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    return y->symbol - x->symbol; /* the reserved leaf first, then larger symbols */
}

/* Numbers of codes of each length, the reserved one included. */
static void count_lengths(const struct leaf *leaves, int n, uint32_t bits[MAX_LEAVES + 1])
{
    uint64_t weight[2 * MAX_LEAVES];
    int parent[2 * MAX_LEAVES], depth[2 * MAX_LEAVES];
    for (int i = 0; i < n; i++)
        weight[i] = leaves[i].count;

    int leaf = 0, inner = n, next = n;
    for (; next < 2 * n - 1; next++) {
        weight[next] = 0;
        for (int child = 0; child < 2; child++) {
            bool take_leaf = leaf < n && (inner >= next || weight[leaf] <= weight[inner]);
            int i = take_leaf ? leaf++ : inner++;
            parent[i] = next;
            weight[next] += weight[i];
        }
    }
    depth[next - 1] = 0;
    for (int i = next - 2; i >= 0; i--) {
        depth[i] = depth[parent[i]] + 1;
        if (i < n)
            bits[depth[i]]++;
    }
}

static void limit_lengths(uint32_t bits[MAX_LEAVES + 1])
{
    for (int i = MAX_LEAVES; i > 16; i--) {
        while (bits[i]) {
            int j = i - 2;
            while (!bits[j])
                j--;
            bits[i] -= 2;
            bits[i - 1]++;
            bits[j + 1] += 2;
            bits[j]--;
        }
    }
    int longest = 16;
    while (!bits[longest])
        longest--;
    bits[longest]--; /* the reserved code */
}

void pcri_huffman_build(const uint32_t counts[256], struct pcri_huffman *out)
{
    struct leaf leaves[MAX_LEAVES];
    uint32_t bits[MAX_LEAVES + 1] = { 0 };
    int n = 0;
    leaves[n++] = (struct leaf) { 0, RESERVED };
    for (int s = 0; s < 256; s++)
        if (counts[s])
            leaves[n++] = (struct leaf) { counts[s], s };
    qsort(leaves, (size_t) n, sizeof(leaves[0]), by_count);
    count_lengths(leaves, n, bits);
    limit_lengths(bits);

    memset(out, 0, sizeof(*out));
    unsigned code = 0;
    int i = n - 1; /* the most frequent symbol */
    for (int length = 1; length <= 16; length++, code <<= 1) {
        out->counts[length] = (uint8_t) bits[length];
        for (uint32_t k = 0; k < bits[length]; k++, i--) {
            int s = leaves[i].symbol;
            out->values[out->value_count++] = (uint8_t) s;
            out->lengths[s] = (uint8_t) length;
            out->codes[s] = (uint16_t) code++;
        }
    }
}

/* --- as libjpeg --- */

struct tree {
    uint32_t count; /* 0: joined to another */
    int symbol, next;
    uint32_t depth;
};

/* The tree of the least count but `other`; the last of several. -1: there is none. */
static int find_least(const struct tree *t, int n, int other)
{
    int least = -1;
    for (int i = 0; i < n; i++)
        if (t[i].count && i != other && (least < 0 || t[i].count <= t[least].count))
            least = i;
    return least;
}

/* One level deeper: i and all that hangs on it. Returns the last. */
static int sink_tree(struct tree *t, int i)
{
    t[i].depth++;
    while (t[i].next >= 0)
        t[i = t[i].next].depth++;
    return i;
}

static void assign(const struct tree *t, int n, const uint32_t bits[MAX_LEAVES + 1],
                   struct pcri_huffman *out)
{
    unsigned code = 0;
    int at = 0;
    for (uint32_t depth = 1; depth <= MAX_LEAVES; depth++)
        for (int i = 0; i < n; i++)
            if (t[i].depth == depth && t[i].symbol != RESERVED)
                out->values[out->value_count++] = (uint8_t) t[i].symbol;
    for (int length = 1; length <= 16; length++, code <<= 1) {
        out->counts[length] = (uint8_t) bits[length];
        for (uint32_t k = 0; k < bits[length]; k++, at++) {
            out->lengths[out->values[at]] = (uint8_t) length;
            out->codes[out->values[at]] = (uint16_t) code++;
        }
    }
}

void pcri_huffman_build_as_libjpeg(const uint32_t counts[256], struct pcri_huffman *out)
{
    struct tree t[MAX_LEAVES];
    uint32_t bits[MAX_LEAVES + 1] = { 0 };
    int n = 0, a, b;
    for (int s = 0; s < 256; s++)
        if (counts[s])
            t[n++] = (struct tree) { counts[s], s, -1, 0 };
    memset(out, 0, sizeof(*out));
    if (!n)
        return;
    t[n++] = (struct tree) { 1, RESERVED, -1, 0 };
    while ((a = find_least(t, n, -1)) >= 0 && (b = find_least(t, n, a)) >= 0) {
        t[a].count += t[b].count;
        t[b].count = 0;
        t[sink_tree(t, a)].next = b;
        sink_tree(t, b);
    }
    for (int i = 0; i < n; i++)
        bits[t[i].depth]++;
    bits[0] = 0;
    limit_lengths(bits);
    assign(t, n, bits, out);
}

uint64_t pcri_huffman_cost(const struct pcri_huffman *h, const uint32_t counts[256])
{
    uint64_t bits = 0;
    for (int s = 0; s < 256; s++) {
        if (counts[s] && !h->lengths[s])
            return UINT64_MAX;
        bits += (uint64_t) counts[s] * h->lengths[s];
    }
    return bits;
}
