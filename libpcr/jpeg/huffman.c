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

/* Of several equal counts, the tree of the largest symbol, which is the last, comes first. */
static uint64_t rank_of(uint64_t count, int tree)
{
    return count << 9 | (uint64_t) (RESERVED - tree);
}

/* The heap's order below place i. */
static void sift(uint64_t *heap, int n, int i)
{
    const uint64_t moved = heap[i];
    for (int child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (moved <= heap[child])
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

/* Joins the trees of the two least counts until there is one; depth[] of n leaves, by their
 * places. */
static void join_trees(const uint32_t *leaf_counts, int n, uint32_t *depth)
{
    uint64_t heap[MAX_LEAVES];
    int16_t parent[2 * MAX_LEAVES], node[MAX_LEAVES]; /* node: that a tree's root is now */
    uint32_t depths[2 * MAX_LEAVES];
    int left = n, nodes = n;
    for (int i = 0; i < n; i++) {
        node[i] = (int16_t) i;
        heap[i] = rank_of(leaf_counts[i], i);
    }
    for (int i = n / 2 - 1; i >= 0; i--)
        sift(heap, n, i);
    for (; left > 1; nodes++) {
        const uint64_t least = heap[0];
        heap[0] = heap[--left];
        sift(heap, left, 0);
        const int a = RESERVED - (int) (least & 511), b = RESERVED - (int) (heap[0] & 511);
        parent[node[a]] = parent[node[b]] = (int16_t) nodes;
        node[a] = (int16_t) nodes; /* the second is joined to the first */
        heap[0] = rank_of((least >> 9) + (heap[0] >> 9), a);
        sift(heap, left, 0);
    }
    depths[nodes - 1] = 0;
    for (int i = nodes - 2; i >= 0; i--)
        depths[i] = depths[parent[i]] + 1;
    memcpy(depth, depths, (size_t) n * sizeof(*depth));
}

/* Codes of the symbols, by their depths before lengths were limited. */
static void assign(const int *symbols, const uint32_t *depths, int n,
                   const uint32_t bits[MAX_LEAVES + 1], struct pcri_huffman *out)
{
    unsigned code = 0;
    int at = 0, places[MAX_LEAVES + 1] = { 0 };
    for (int i = 0; i < n; i++)
        places[depths[i]] += symbols[i] != RESERVED;
    for (int depth = 0, sum = 0; depth <= MAX_LEAVES; depth++) {
        const int count = places[depth];
        places[depth] = sum;
        sum += count;
    }
    for (int i = 0; i < n; i++)
        if (symbols[i] != RESERVED)
            out->values[places[depths[i]]++] = (uint8_t) symbols[i];
    out->value_count = (uint16_t) (n - 1);
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
    uint32_t leaf_counts[MAX_LEAVES], depths[MAX_LEAVES], bits[MAX_LEAVES + 1] = { 0 };
    int symbols[MAX_LEAVES], n = 0;
    for (int s = 0; s < 256; s++)
        if (counts[s]) {
            leaf_counts[n] = counts[s];
            symbols[n++] = s;
        }
    memset(out, 0, sizeof(*out));
    if (!n)
        return;
    leaf_counts[n] = 1;
    symbols[n++] = RESERVED;
    join_trees(leaf_counts, n, depths);
    for (int i = 0; i < n; i++)
        bits[depths[i]]++;
    bits[0] = 0;
    limit_lengths(bits);
    assign(symbols, depths, n, bits, out);
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
