/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts are clustered by Lloyd's algorithm, the distance being the bits that a context's symbols
 * take by a cluster's frequencies. Integers only, so that the tables are the same on every
 * machine. */
#include "cluster.h"

#include <stdlib.h>

enum {
    COST_BITS = 8,
    ROUNDS = 12,
    FEW = 8, /* symbols: a context of fewer says nothing */
};

/* Linear between powers of 2 of a table of 64 steps. */
uint32_t pcri_pk_log2(uint64_t v)
{
    /* 256 log2(1 + i / 64) */
    static const uint16_t steps[65] = {
        0,   6,   11,  17,  22,  28,  33,  38,  44,  49,  54,  59,  63,  68,  73,  78,  82,
        87,  91,  96,  100, 105, 109, 113, 118, 122, 126, 130, 134, 138, 142, 146, 150, 154,
        157, 161, 165, 169, 172, 176, 179, 183, 186, 190, 193, 197, 200, 203, 207, 210, 213,
        216, 220, 223, 226, 229, 232, 235, 238, 241, 244, 247, 250, 253, 256,
    };
    unsigned top = 63 - (unsigned) __builtin_clzll(v);
    uint64_t part = top >= 12 ? v >> (top - 12) : v << (12 - top); /* 4096 to 8191 */
    unsigned i = (unsigned) (part >> 6) & 63, within = part & 63;
    return top * 256 + steps[i] + ((steps[i + 1] - steps[i]) * within + 32) / 64;
}

/* A context that has symbols: which occur, and how often. */
struct counted_context {
    uint32_t context;    /* within the family */
    uint32_t begin, end; /* of pairs */
    uint32_t cluster;
    uint64_t cost;  /* in it */
    uint64_t least; /* with a table of its own */
};
struct counted_symbol {
    uint32_t symbol, count;
};

struct pcri_pk_clustering {
    const struct pcri_pk_family_info *family;
    struct counted_context *members;
    uint32_t member_count;
    struct counted_symbol *pairs;
    uint32_t cluster_count;
    uint64_t sums[PCRI_PK_MOST_CLUSTERS][256];
    uint32_t lengths[PCRI_PK_MOST_CLUSTERS][256]; /* of symbols, in 1/256 bits */
    bool stale[PCRI_PK_MOST_CLUSTERS];            /* the lengths are not those of the sums */
    bool changed[PCRI_PK_MOST_CLUSTERS]; /* they are others than when assign_all() ended */
};

static bool says_something(const uint32_t *row, uint32_t symbols)
{
    uint64_t sum = 0;
    for (uint32_t s = 0; row && s < symbols; s++)
        sum += row[s];
    return sum >= FEW;
}

/* What its symbols would cost with a table of their own. */
static uint64_t least_cost(const struct pcri_pk_clustering *c, const struct counted_context *m)
{
    uint64_t total = 0, sum = 0;
    for (uint32_t i = m->begin; i < m->end; i++)
        total += c->pairs[i].count;
    for (uint32_t i = m->begin; i < m->end; i++)
        sum += c->pairs[i].count *
               (uint64_t) (pcri_pk_log2(total) - pcri_pk_log2(c->pairs[i].count));
    return sum;
}

static int collect(uint32_t *const rows[], struct pcri_pk_clustering *out,
                   struct pcr_error *err)
{
    uint32_t n = 0;
    size_t pairs = 0;
    for (uint32_t k = 0; k < out->family->contexts; k++) {
        n += rows[k] != NULL;
        for (uint32_t s = 0; rows[k] && s < out->family->symbols; s++)
            pairs += rows[k][s] > 0;
    }
    out->members = pcri_calloc(n, sizeof(*out->members), err);
    out->pairs = out->members ? pcri_calloc(pairs, sizeof(*out->pairs), err) : NULL;
    if (!out->pairs)
        return PCR_ERR_NOMEM;
    uint32_t at = 0;
    for (uint32_t k = 0; k < out->family->contexts; k++) {
        if (!says_something(rows[k], out->family->symbols))
            continue;
        struct counted_context *m = &out->members[out->member_count++];
        *m = (struct counted_context) { .context = k, .begin = at };
        for (uint32_t s = 0; s < out->family->symbols; s++)
            if (rows[k][s])
                out->pairs[at++] = (struct counted_symbol) { s, rows[k][s] };
        m->end = at;
        m->least = least_cost(out, m);
    }
    return 0;
}

/* A symbol of a share below a quarter of a state's costs what an escape does. */
static void measure(struct pcri_pk_clustering *c, uint32_t cluster)
{
    uint64_t total = 0;
    for (uint32_t s = 0; s < c->family->symbols; s++)
        total += c->sums[cluster][s];
    uint32_t all = total ? pcri_pk_log2(total) : 0;
    const uint32_t most = (PCRI_TANS_LOG + 8) << COST_BITS;
    for (uint32_t s = 0; s < c->family->symbols; s++) {
        uint64_t n = c->sums[cluster][s];
        uint32_t length = n ? all - pcri_pk_log2(n) : most;
        c->lengths[cluster][s] = length < most ? length : most;
    }
}

static uint64_t cost_in(const struct pcri_pk_clustering *c, const struct counted_context *m,
                        uint32_t cluster)
{
    const uint32_t *lengths = c->lengths[cluster];
    uint64_t sum = 0;
    for (const struct counted_symbol *p = c->pairs + m->begin; p < c->pairs + m->end; p++)
        sum += (uint64_t) p->count * lengths[p->symbol];
    return sum;
}

static void move(struct pcri_pk_clustering *c, struct counted_context *m, uint32_t to)
{
    uint64_t *const before = c->sums[m->cluster], *const after = c->sums[to];
    for (const struct counted_symbol *p = c->pairs + m->begin; p < c->pairs + m->end; p++) {
        before[p->symbol] -= p->count;
        after[p->symbol] += p->count;
    }
    c->stale[m->cluster] = c->stale[to] = true;
    m->cluster = to;
}

static void measure_stale(struct pcri_pk_clustering *c)
{
    for (uint32_t i = 0; i < c->cluster_count; i++)
        if (c->stale[i]) {
            measure(c, i);
            c->stale[i] = false;
            c->changed[i] = true;
        }
}

/* Moves members to clusters [from, ...) where they cost less. Where neither its cluster nor
 * another has changed, a member was compared before. */
static bool assign(struct pcri_pk_clustering *c, uint32_t from)
{
    bool moved = false;
    for (uint32_t k = 0; k < c->member_count; k++) {
        struct counted_context *m = &c->members[k];
        const bool all = c->changed[m->cluster];
        uint32_t best = m->cluster;
        if (all)
            m->cost = cost_in(c, m, m->cluster);
        for (uint32_t i = from; i < c->cluster_count; i++) {
            const bool same = i == m->cluster || !(all || c->changed[i]);
            const uint64_t cost = same ? m->cost : cost_in(c, m, i);
            if (cost < m->cost) {
                m->cost = cost;
                best = i;
            }
        }
        if (best != m->cluster) {
            move(c, m, best);
            moved = true;
        }
    }
    return moved;
}

static bool assign_all(struct pcri_pk_clustering *c)
{
    measure_stale(c);
    bool moved = assign(c, 0);
    memset(c->changed, 0, sizeof(c->changed));
    return moved;
}

/* A new cluster begins with the member that loses most in its own. */
static bool split(struct pcri_pk_clustering *c)
{
    uint64_t worst = 0;
    struct counted_context *at = NULL;
    for (uint32_t k = 0; k < c->member_count; k++) {
        struct counted_context *m = &c->members[k];
        uint64_t loss = m->cost > m->least ? m->cost - m->least : 0;
        if (loss > worst) {
            worst = loss;
            at = m;
        }
    }
    if (!at)
        return false;
    move(c, at, c->cluster_count++);
    measure_stale(c);
    assign(c, c->cluster_count - 1);
    return true;
}

static uint64_t cost_of_all(const struct pcri_pk_clustering *c)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < c->member_count; k++)
        sum += c->members[k].cost;
    return sum;
}

static void find_clusters(struct pcri_pk_clustering *c, uint32_t most, uint64_t least_gain)
{
    c->cluster_count = 1;
    for (uint32_t k = 0; k < c->member_count; k++) /* all begin in cluster 0 */
        for (uint32_t i = c->members[k].begin; i < c->members[k].end; i++)
            c->sums[0][c->pairs[i].symbol] += c->pairs[i].count;
    c->stale[0] = true;
    assign_all(c);
    uint64_t before = least_gain ? cost_of_all(c) : 0, gain = UINT64_MAX;
    while (c->cluster_count < most && c->cluster_count < PCRI_PK_MOST_CLUSTERS &&
           gain >= least_gain && split(c)) {
        assign_all(c);
        if (least_gain) {
            const uint64_t now = cost_of_all(c);
            gain = now < before ? before - now : 0;
            before = now;
        }
    }
    for (int round = 0; round < ROUNDS && assign_all(c); round++) {
    }
}

int pcri_pk_cluster(uint32_t *const rows[], const struct pcri_pk_family_info *family,
                    uint32_t most, uint64_t least_gain, struct pcri_pk_clustering **out,
                    struct pcr_error *err)
{
    struct pcri_pk_clustering *c = *out = pcri_calloc(1, sizeof(*c), err);
    if (!c)
        return PCR_ERR_NOMEM;
    c->family = family;
    int rc = collect(rows, c, err);
    if (rc)
        pcri_pk_clustering_destroy(out);
    else
        find_clusters(c, most, least_gain);
    return rc;
}

void pcri_pk_clustering_destroy(struct pcri_pk_clustering **c)
{
    if (*c) {
        free((*c)->members);
        free((*c)->pairs);
    }
    free(*c);
    *c = NULL;
}

uint32_t pcri_pk_clustering_count(const struct pcri_pk_clustering *c)
{
    return c->cluster_count;
}

/* --- frequencies --- */

/* Scales sums to frequencies that add up to PCRI_TANS_STATES; what is rare escapes. */
static void normalise(const uint64_t sums[256], const struct pcri_pk_family_info *family,
                      uint16_t freq[256])
{
    uint64_t total = 0, rare = 0;
    uint32_t used = 0;
    for (uint32_t s = 0; s < family->symbols; s++)
        total += sums[s];
    memset(freq, 0, 256 * sizeof(*freq));
    for (uint32_t s = 0; s < family->symbols; s++) {
        /* With 1 / (2 S) a table's place costs as much as the escape saves. */
        if (!sums[s] || s == family->escape || sums[s] * PCRI_TANS_STATES * 2 < total)
            rare += sums[s];
        else
            freq[s] = (uint16_t) ((sums[s] * PCRI_TANS_STATES + total / 2) / total);
        used += freq[s];
    }
    uint64_t share = total ? (rare * PCRI_TANS_STATES + total / 2) / total : 0;
    freq[family->escape] = (uint16_t) (share ? share : 1);
    used += freq[family->escape];
    /* What is missing or too much goes where it changes lengths least. */
    while (used != PCRI_TANS_STATES) {
        uint32_t best = family->escape;
        uint64_t most = 0;
        for (uint32_t s = 0; s < family->symbols; s++) {
            uint64_t n = s == family->escape ? rare : sums[s], f = freq[s];
            if (!f || (used > PCRI_TANS_STATES && f == 1))
                continue;
            /* Adding one: gain ~ n / f; taking one: loss ~ n / (f - 1). */
            uint64_t gain = used < PCRI_TANS_STATES ? (n << 16) / (2 * f + 1)
                                                    : UINT64_MAX - (n << 16) / (2 * f - 1);
            if (gain >= most) {
                most = gain;
                best = s;
            }
        }
        freq[best] = (uint16_t) (used < PCRI_TANS_STATES ? freq[best] + 1 : freq[best] - 1);
        used = used < PCRI_TANS_STATES ? used + 1 : used - 1;
    }
}

void pcri_pk_clustering_table(const struct pcri_pk_clustering *c, uint32_t i,
                              uint16_t freq[256])
{
    normalise(c->sums[i], c->family, freq);
}

void pcri_pk_clustering_map(const struct pcri_pk_clustering *c, uint8_t *map)
{
    uint32_t k = 0, last = c->member_count ? c->members[0].cluster : 0;
    for (uint32_t i = 0; i < c->family->contexts; i++) {
        if (k < c->member_count && c->members[k].context == i)
            last = c->members[k++].cluster;
        map[i] = (uint8_t) last;
    }
}
