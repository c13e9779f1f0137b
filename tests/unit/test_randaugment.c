/* SPDX-License-Identifier: BSD-2-Clause */
/* randaugment and warp: what is drawn, where it moves pixels, sets of loops, tiny pictures. The
 * pixels themselves are compared with Pillow's in tests/python/test_loader_randaugment.py. */
#include <check.h>
#include <math.h>

#include "../../loaders/transform/randaugment.h"
#include "suite.h"

enum { SIDE = 40, COUNT = 28000 };

static uint8_t noise[4096];

static void set_up(void)
{
    uint64_t random = 3;
    for (size_t i = 0; i < sizeof(noise); i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        noise[i] = (uint8_t) (random >> 40);
    }
}

static struct pcr_loader_options options(uint32_t ops, uint32_t magnitude)
{
    return (struct pcr_loader_options) {
        .seed = 9,
        .output = { .width = SIDE, .height = SIDE, .color = PCR_COLOR_RGB },
        .transform = { .randaugment_ops = ops,
                       .randaugment_magnitude = magnitude,
                       .randaugment_bins = 31 },
    };
}

/* Each kind as often as others, each sign as often as the other, and the same again. */
START_TEST(draws_are_even)
{
    struct pcr_loader_options o = options(2, 15);
    uint32_t counts[2][PCRI_OPERATION_KINDS] = { { 0 } }, negative = 0, moves = 0, pairs = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pcri_operation ops[PCRI_MOST_OPERATIONS], again[PCRI_MOST_OPERATIONS];
        ck_assert_uint_eq(pcri_choose_operations(&o, SIDE, SIDE, 4, i, ops), 2);
        ck_assert_uint_eq(pcri_choose_operations(&o, SIDE, SIDE, 4, i, again), 2);
        for (int k = 0; k < 2; k++) {
            ck_assert(ops[k].kind == again[k].kind && ops[k].value == again[k].value);
            counts[k][ops[k].kind]++;
        }
        moves += ops[0].kind == PCRI_OPERATION_SHEAR_X;
        negative += ops[0].kind == PCRI_OPERATION_SHEAR_X && ops[0].value < 0;
        pairs += ops[0].kind == ops[1].kind;
    }
    for (int k = 0; k < 2; k++)
        for (int kind = 0; kind < PCRI_OPERATION_KINDS; kind++)
            ck_assert_double_eq_tol(counts[k][kind], COUNT / 14.0, 200);
    ck_assert_double_eq_tol((double) negative / moves, 0.5, 0.04);
    ck_assert_double_eq_tol(pairs, COUNT / 14.0, 200);
}
END_TEST

/* Strengths as torchvision's tables have them, at the middle of the range and at its ends. */
START_TEST(strengths)
{
    static const struct {
        uint32_t magnitude;
        double values[PCRI_OPERATION_KINDS];
    } wanted[] = {
        { 0, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 255, 0, 0 } },
        { 15, { 0, .15, .15, 45, 22, 15, .45, .45, .45, .45, 6, 127.5, 0, 0 } },
        { 30, { 0, .3, .3, 90, 45, 30, .9, .9, .9, .9, 4, 0, 0, 0 } },
    };
    for (size_t w = 0; w < 3; w++) {
        struct pcr_loader_options o = options(16, wanted[w].magnitude);
        for (uint64_t i = 0; i < 100; i++) {
            struct pcri_operation ops[PCRI_MOST_OPERATIONS];
            ck_assert_uint_eq(pcri_choose_operations(&o, 200, 100, 4, i, ops), 16);
            for (int k = 0; k < 16; k++)
                ck_assert_double_eq_tol(fabs(ops[k].value), wanted[w].values[ops[k].kind],
                                        1e-12);
        }
    }
}
END_TEST

START_TEST(trivial_and_geometric)
{
    struct pcr_loader_options o = options(0, 0);
    uint32_t levels[5] = { 0 };
    o.transform.trivialaugment_bins = 5;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pcri_operation ops[PCRI_MOST_OPERATIONS], moves[PCRI_MOST_OPERATIONS];
        o.transform.geometric_only = 0;
        ck_assert_uint_eq(pcri_choose_operations(&o, SIDE, SIDE, 4, i, ops), 1);
        o.transform.geometric_only = 1;
        ck_assert_uint_eq(pcri_choose_operations(&o, SIDE, SIDE, 4, i, moves), 1);
        if (ops->kind <= PCRI_OPERATION_ROTATE)
            ck_assert(ops->kind == moves->kind && ops->value == moves->value);
        else
            ck_assert_int_eq(moves->kind, PCRI_OPERATION_IDENTITY);
        if (ops->kind == PCRI_OPERATION_ROTATE)
            levels[(int) (fabs(ops->value) / 135 * 4 + 0.5)]++;
    }
    for (int k = 0; k < 5; k++)
        ck_assert_double_eq_tol(levels[k], COUNT / 14.0 / 5, 80);
}
END_TEST

/* Every operation on pictures of every small size, of one and three channels. */
START_TEST(tiny_pictures)
{
    static uint8_t planes[3][9];
    struct pcri_operator scratch = { 0 };
    struct pcri_warper warper = { 0 };
    struct pcr_loader_options o = options(1, 30);
    for (uint32_t width = 1; width <= 3; width++)
        for (uint32_t height = 1; height <= 3; height++)
            for (unsigned kind = 0; kind < PCRI_OPERATION_KINDS; kind++)
                for (int which = 0; which < 4; which++) {
                    uint8_t *const each[3] = { planes[0], planes[1], planes[2] };
                    struct pcri_operation op = { (enum pcri_operation_kind) kind, 0 };
                    op.value = kind == PCRI_OPERATION_POSTERIZE ? 4 : which & 1 ? -1.5 : 0.7;
                    memcpy(planes, noise + kind, sizeof(planes));
                    o.output.width = width;
                    o.output.height = height;
                    o.transform.filter = which & 2 ? PCR_FILTER_NEAREST : PCR_FILTER_BILINEAR;
                    ck_assert_int_eq(pcri_operate(&scratch, &warper, pcri_pixel_loops_choose(),
                                                  &o, &op, each, which & 1 ? 1 : 3, NULL),
                                     0);
                    ck_assert(!memcmp(planes[2] + (size_t) width * height,
                                      noise + kind + 18 + (size_t) width * height,
                                      9 - (size_t) width * height));
                    if (kind == PCRI_OPERATION_IDENTITY)
                        ck_assert(!memcmp(planes, noise, sizeof(planes)));
                }
    pcr_buffer_free(&scratch.plane);
    pcri_warper_free(&warper);
}
END_TEST

START_TEST(affine_maps)
{
    static const struct pcri_operation ops[] = { { PCRI_OPERATION_SHEAR_X, 0.3 },
                                                 { PCRI_OPERATION_SHEAR_Y, -0.7 },
                                                 { PCRI_OPERATION_TRANSLATE_X, 12 },
                                                 { PCRI_OPERATION_TRANSLATE_Y, -3 },
                                                 { PCRI_OPERATION_ROTATE, 33 } };
    struct pcri_affine all = { { 1, 0, 0, 0, 1, 0 } }, back = all;
    for (size_t i = 0; i < 5; i++) {
        const struct pcri_affine one = pcri_operation_moves(&ops[i], 80, 50);
        const struct pcri_affine inverse = pcri_affine_inverse(&one);
        all = pcri_affine_then(&all, &one);
        back = pcri_affine_then(&inverse, &back);
    }
    all = pcri_affine_then(&all, &back);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq_tol(all.m[i], i % 4 == 0, 1e-10);
    /* A quarter anticlockwise: what is at the top right comes to the top left, exactly. */
    const struct pcri_affine turn = pcri_affine_turn(90, 80, 50, 50, 80);
    ck_assert(turn.m[0] * 80 + turn.m[1] * 0 + turn.m[2] == 0);
    ck_assert(turn.m[3] * 80 + turn.m[4] * 0 + turn.m[5] == 0);
}
END_TEST

/* Each set gives the same bytes, at any length, and writes no more of them. */
START_TEST(sets_are_equal)
{
    const struct pcri_pixel_loops *sets[2] = { &pcri_pixel_loops_portable,
                                               pcri_pixel_loops_choose() };
    static uint8_t out[2][256];
    for (size_t n = 0; n < 140; n++)
        for (int what = 0; what < 4; what++) {
            for (int s = 0; s < 2; s++) {
                uint8_t *o = out[s];
                const uint8_t *const rows[3] = { noise + n, noise + 1000, noise + 2000 + n };
                const float factor = (float) noise[n] / 130.f;
                memcpy(o, noise + what, sizeof(out[s]));
                if (what == 0)
                    sets[s]->enhance(o, noise + 3 * n, n, factor);
                else if (what == 1)
                    sets[s]->enhance_from(o, n, noise[n + 5], factor);
                else if (what == 2)
                    sets[s]->smooth(rows, n, o);
                else
                    sets[s]->luma(rows, n, o);
            }
            ck_assert_msg(!memcmp(out[0], out[1], sizeof(out[0])), "%s: loop %d, %zu pixels",
                          sets[1]->name, what, n);
            ck_assert_mem_eq(out[0] + n, noise + what + n, sizeof(out[0]) - n);
        }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("randaugment");
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, draws_are_even);
    tcase_add_test(t, strengths);
    tcase_add_test(t, trivial_and_geometric);
    tcase_add_test(t, tiny_pictures);
    tcase_add_test(t, affine_maps);
    tcase_add_test(t, sets_are_equal);
    return tests_run();
}
