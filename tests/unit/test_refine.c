/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoders of AC refinement scans, which work on masks, against one that reads bit by bit
 * and looks at every coefficient: random tables and bits, random and extreme blocks. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "jpeg/decode_refine.h"
#include "suite.h"

enum { BLOCKS = PCRI_REFINE_CHUNK, DATA = 1000, ROUNDS = 20000 };

static uint64_t seed;
static uint64_t drawn;

static void choose_seed(void)
{
    seed = (uint64_t) time(NULL);
    printf("seed %llu\n", (unsigned long long) seed);
}

static unsigned draw(unsigned below)
{
    return (unsigned) (pcri_key(seed, ++drawn, 0) % below);
}

/* --- input --- */

struct input {
    struct pcri_dht dht;
    struct pcri_lookup lookup;
    struct pcri_several several;
    struct pcri_steps steps;
    bool use_several;
    unsigned ss, se, al;
    size_t count; /* blocks */
    uint32_t eob_run;
    size_t nbytes; /* of the data that count */
    uint8_t data[DATA + PCRI_DECODE_PADDING];
    uint64_t mask[BLOCKS];
    _Alignas(64) int16_t coef[BLOCKS * 64];
};

/* The lengths of a random prefix code of n symbols, at most 16 bits: leaves of a tree split
 * at random, the last one left out, for no code is all ones. */
static void choose_lengths(struct pcri_dht *t, unsigned n)
{
    uint8_t leaves[257] = { 0 };
    memset(t->counts, 0, sizeof(t->counts));
    for (unsigned count = 1; count <= n;) {
        unsigned i = draw(count);
        if (leaves[i] == 16)
            continue;
        leaves[count++] = ++leaves[i];
    }
    unsigned longest = 0;
    for (unsigned i = 0; i <= n; i++) {
        t->counts[leaves[i]]++;
        longest = leaves[i] > longest ? leaves[i] : longest;
    }
    t->counts[longest]--;
}

static void choose_table(struct input *in)
{
    struct pcri_dht *t = &in->dht;
    unsigned n = 1 + draw(draw(2) ? 8 : 60), runs = 1 + draw(16);
    t->defined = true;
    t->value_count = (uint16_t) n;
    choose_lengths(t, n);
    for (unsigned i = 0; i < n; i++) {
        unsigned size = draw(3) != 0, run = size ? draw(runs) : draw(8) ? draw(4) : draw(16);
        t->values[i] = (uint8_t) (run << 4 | size);
    }
    if (!draw(50))
        t->values[draw(n)] = (uint8_t) draw(256); /* of a size that is not allowed */
    ck_assert_int_eq(pcri_lookup_build(t, true, 0, &in->lookup, NULL), 0);
    pcri_several_build(&in->lookup, &in->several);
    in->use_several = draw(3);
    pcri_steps_build(&in->lookup, in->use_several, &in->steps);
}

static uint64_t choose_mask(void)
{
    uint64_t r = pcri_key(seed, ++drawn, 1), s = pcri_key(seed, ++drawn, 2);
    switch (draw(10)) {
    case 0:
        return 0;
    case 1:
        return ~UINT64_C(0);
    case 2:
        return UINT64_C(1) << draw(64);
    case 3:
        return ~(UINT64_C(1) << draw(64));
    case 4:
        return ~UINT64_C(0) << draw(64);
    case 5:
        return ~UINT64_C(0) >> draw(64);
    case 6:
        return draw(2) ? 0x5555555555555555 : 0xAAAAAAAAAAAAAAAA;
    case 7:
        return r & s & ~UINT64_C(0) >> draw(64);
    case 8:
        return r | s;
    default:
        return r & ~UINT64_C(0) >> draw(64);
    }
}

static void choose_input(struct input *in)
{
    choose_table(in);
    in->ss = draw(2) ? 1 : 1 + draw(63);
    in->se = draw(2) ? 63 : in->ss + draw(64 - in->ss);
    in->al = draw(2) ? draw(3) : draw(14);
    in->count = 1 + draw(draw(4) ? 16 : BLOCKS);
    in->eob_run = draw(4) ? 0 : draw((unsigned) in->count + 1);
    in->nbytes = draw(8) ? DATA : draw(40);
    for (size_t i = 0; i < sizeof(in->data); i += 8) {
        uint64_t r = pcri_key(seed, ++drawn, 3);
        memcpy(in->data + i, &r, 8);
    }
    memset(in->coef, 0, in->count * 64 * sizeof(*in->coef));
    for (size_t b = 0; b < in->count; b++) {
        in->mask[b] = choose_mask() & ~UINT64_C(1);
        for (uint64_t left = in->mask[b]; left; left &= left - 1) {
            int v = 1 + (int) draw(draw(2) ? 4 : 16000);
            in->coef[64 * b + (size_t) __builtin_ctzll(left)] = (int16_t) (draw(2) ? v : -v);
        }
    }
}

/* --- plain C --- */

struct plain {
    struct input *in;
    size_t at; /* bits taken */
    uint32_t eob_run;
};

static unsigned take_bit(struct plain *p)
{
    unsigned bit = p->in->data[p->at / 8] >> p->at % 8 & 1;
    p->at++;
    return bit;
}

static int take_symbol(struct plain *p)
{
    const struct pcri_dht *t = &p->in->dht;
    unsigned code = 0, first = 0, index = 0;
    for (unsigned length = 1; length <= 16; length++) {
        code = code << 1 | take_bit(p);
        if (code - first < t->counts[length])
            return t->values[index + code - first];
        index += t->counts[length];
        first = (first + t->counts[length]) << 1;
    }
    return -1;
}

static void take_correction(struct plain *p, int16_t *c)
{
    int step = 1 << p->in->al;
    if (take_bit(p))
        *c = (int16_t) (*c < 0 ? *c - step : *c + step);
}

/* Passes nonzero coefficients from k on, and `run` that are zero; the next zero. */
static unsigned pass(struct plain *p, int16_t *coef, unsigned k, unsigned run)
{
    for (; k <= p->in->se; k++) {
        if (coef[k])
            take_correction(p, &coef[k]);
        else if (!run--)
            break;
    }
    return k;
}

/* ISO/IEC 10918-1 G.1.2.3. */
static int plain_block(struct plain *p, int16_t *coef)
{
    unsigned k = p->in->ss;
    while (!p->eob_run && k <= p->in->se) {
        int symbol = take_symbol(p), run = symbol >> 4, size = symbol & 15, value = 0;
        if (symbol < 0 || size > 1)
            return -1;
        if (!size && run < 15) {
            p->eob_run = 1;
            for (int i = 0; i < run; i++)
                p->eob_run = p->eob_run << 1 | take_bit(p);
            break;
        }
        if (size)
            value = take_bit(p) ? 1 : -1;
        k = pass(p, coef, k, (unsigned) run);
        if (k > p->in->se)
            return -1;
        coef[k++] = (int16_t) (value * (1 << p->in->al));
    }
    if (p->eob_run)
        pass(p, coef, k, 64);
    return 0;
}

static int plain_blocks(struct plain *p)
{
    struct input *in = p->in;
    for (size_t b = 0; b < in->count; b++) {
        bool begins = !p->eob_run;
        if (plain_block(p, in->coef + 64 * b))
            return -1;
        if ((begins && p->eob_run > in->count - b) || p->at > 8 * in->nbytes)
            return -1;
        p->eob_run -= p->eob_run != 0;
        for (unsigned k = 1; k < 64; k++)
            in->mask[b] |= (uint64_t) (in->coef[64 * b + k] != 0) << k;
    }
    return 0;
}

/* --- comparison --- */

static const struct pcri_refine_way *const ways[] = {
    &pcri_refine_portable,
#ifdef PCRI_HAVE_PDEP
    &pcri_refine_pdep,
    &pcri_refine_avx512,
#endif
};

static bool can(const struct pcri_refine_way *w)
{
    unsigned features = pcri_cpu_features(), pdep = PCRI_CPU_FAST_PDEP | PCRI_CPU_AVX2;
    if (!strcmp(w->name, "portable"))
        return true;
    return !strcmp(w->name, "pdep") ? (features & pdep) == pdep : features & PCRI_CPU_AVX512;
}

/* One scan of a round. */
struct lane {
    struct input in, got, want;
    struct pcri_blocks blocks;
    struct pcri_refiner f;
};

static void choose_lane(struct lane *l)
{
    choose_input(&l->in);
    l->got = l->want = l->in;
    l->blocks = (struct pcri_blocks) {
        .blocks_x = (uint32_t) l->in.count,
        .blocks_y = 1,
        .row_end = 1,
        .coef = l->got.coef,
        .mask = l->got.mask,
    };
    l->f = (struct pcri_refiner) {
        .data = l->got.data,
        .bit_end = 8 * l->in.nbytes,
        .table = &l->in.lookup,
        .several = l->in.use_several ? &l->in.several : NULL,
        .steps = &l->in.steps,
        .band = (~UINT64_C(0) << l->in.ss) & (~UINT64_C(0) >> (63 - l->in.se)),
        .band_begin = l->in.ss,
        .band_end = l->in.se + 1,
        .step = 1 << l->in.al,
        .eob_run = l->in.eob_run,
        .blocks = &l->blocks,
        .end = l->in.count,
        .stop = l->in.count,
    };
}

static void run(const struct pcri_refine_way *way, struct lane *lanes, unsigned count)
{
    struct pcri_refiner *left[PCRI_REFINE_LANES];
    for (unsigned i = 0; i < count; i++)
        left[i] = &lanes[i].f;
    while (count) {
        way->run(left, count);
        unsigned before = count;
        for (unsigned i = count; i--;) {
            if (!left[i]->damaged && left[i]->block < left[i]->end)
                continue;
            if (!left[i]->damaged)
                way->change(left[i]);
            left[i] = left[--count];
        }
        ck_assert_uint_lt(count, before);
    }
}

/* What a whole scan leaves must be the same. */
static bool same(const struct lane *l, const struct plain *p)
{
    return l->f.bit == p->at && l->f.eob_run == p->eob_run && l->f.block == l->in.count &&
           !memcmp(l->got.coef, l->want.coef, l->in.count * 64 * sizeof(*l->got.coef)) &&
           !memcmp(l->got.mask, l->want.mask, l->in.count * sizeof(*l->got.mask));
}

START_TEST(against_plain)
{
    static struct lane lanes[PCRI_REFINE_LANES];
    unsigned wrong = 0, whole = 0;
    if (!can(ways[_i])) {
        printf("skipped: this CPU cannot do %s\n", ways[_i]->name);
        return;
    }
    for (int round = 0; round < ROUNDS; round++) {
        unsigned count = 1 + draw(PCRI_REFINE_LANES);
        for (unsigned i = 0; i < count; i++)
            choose_lane(&lanes[i]);
        run(ways[_i], lanes, count);
        for (unsigned i = 0; i < count; i++) {
            struct lane *l = &lanes[i];
            struct plain p = { .in = &l->want, .eob_run = l->in.eob_run };
            bool damaged = plain_blocks(&p) != 0;
            bool ok = l->f.damaged == damaged && (damaged || same(l, &p));
            if (!ok && !wrong++)
                printf("%s, round %d, lane %u of %u: %s\n", ways[_i]->name, round, i, count,
                       l->f.damaged == damaged ? "another result"
                       : damaged               ? "damage unnoticed"
                                               : "refused");
            whole += !damaged;
        }
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(whole, ROUNDS / 50); /* the test is worth something */
}
END_TEST

int main(void)
{
    TCase *t = tests_case("refine");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, choose_seed, NULL);
    tcase_add_loop_test(t, against_plain, 0, sizeof(ways) / sizeof(ways[0]));
    return tests_run();
}
