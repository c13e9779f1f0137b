/* SPDX-License-Identifier: BSD-2-Clause */
/* Residuals: what was written is read again, of any pixels, sizes and strips; vectors make what
 * plain code makes; damage is found or harmless. */
#include <stdlib.h>

#include "base/random.h"
#include "generator.h"
#include "residual/residual.h"
#include "suite.h"

/* A picture and what stands for its JPEG. */
struct pair {
    uint32_t width, height, channels;
    uint8_t *exact, *jpeg;
    struct pcr_buffer residual;
};

static const struct {
    uint32_t width, height, channels;
} sizes[] = { { 1, 1, 1 },   { 1, 1, 3 },   { 3, 70, 3 },   { 70, 3, 1 },  { 16, 32, 3 },
              { 31, 33, 1 }, { 33, 64, 3 }, { 200, 97, 3 }, { 257, 65, 1 } };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), KINDS = 5 };

static uint32_t drawn(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t) (*state >> 33);
}

/* The JPEG's pixels are: equal; off by a little; by what a block has; by anything; the opposite. */
static void make_pair(int size, int kind, struct pair *p)
{
    uint64_t state = (uint64_t) (size * KINDS + kind);
    *p = (struct pair) {
        sizes[size].width, sizes[size].height, sizes[size].channels, NULL, NULL, { 0 }
    };
    const size_t pixels = (size_t) p->width * p->height, n = pixels * p->channels;
    uint8_t *rgb = malloc(3 * pixels);
    p->exact = malloc(n);
    p->jpeg = malloc(n);
    ck_assert_int_eq(pcr_gen_pixels(1, PCR_GEN_NO_CLASS, p->width, p->height, rgb, NULL), 0);
    for (size_t i = 0; i < n; i++) {
        static const int spread[KINDS] = { 0, 2, 9, 255, 1 };
        const int d = (int) (drawn(&state) % (2u * (unsigned) spread[kind] + 1)) -
                      spread[kind];
        p->exact[i] = p->channels == 3 ? rgb[i] : rgb[3 * i];
        p->jpeg[i] = kind == 4 ? (uint8_t) (255 - p->exact[i]) : (uint8_t) (p->exact[i] + d);
    }
    free(rgb);
    struct pcr_error err;
    ck_assert_msg(
        !pcri_rs_make(p->exact, p->jpeg, p->width, p->height, p->channels, &p->residual, &err),
        "%s", err.message);
}

static void free_pair(struct pair *p)
{
    free(p->exact);
    free(p->jpeg);
    pcr_buffer_free(&p->residual);
}

/* All strips, from the last to the first. */
static int read_all(struct pcri_rs_reader *r, const struct pair *p,
                    const struct pcr_span *from, uint8_t *pixels, struct pcr_error *err)
{
    const size_t stride = (size_t) p->width * p->channels;
    memcpy(pixels, p->jpeg, stride * p->height);
    int rc = pcri_rs_open(r, from, p->width, p->height, p->channels, err);
    for (uint32_t i = rc ? 0 : r->strip_count; i-- > 0 && !rc;)
        rc = pcri_rs_apply(r, i, pixels + stride * r->strip_rows * i, stride, err);
    return rc;
}

START_TEST(round_trips)
{
    struct pcri_rs_reader r = { 0 };
    struct pcr_error err;
    for (int kind = 0; kind < KINDS; kind++) {
        struct pair p;
        make_pair(_i, kind, &p);
        const size_t n = (size_t) p.width * p.height * p.channels;
        const struct pcr_span whole = { p.residual.data, p.residual.nbytes };
        uint8_t *pixels = malloc(n);
        ck_assert_msg(!read_all(&r, &p, &whole, pixels, &err), "%s", err.message);
        ck_assert_mem_eq(pixels, p.exact, n);
        if (kind == 0)
            ck_assert_uint_lt(p.residual.nbytes, 100 + n / 50);
        if (kind == 1 && n > 10000) /* less than the three bits that they have */
            ck_assert_uint_lt(p.residual.nbytes, n * 3 / 8);
        free(pixels);
        free_pair(&p);
    }
    pcri_rs_free(&r);
}
END_TEST

START_TEST(cut_off)
{
    struct pcri_rs_reader r = { 0 };
    struct pcr_error err;
    struct pair p;
    make_pair(4, 2, &p);
    uint8_t *pixels = malloc((size_t) p.width * p.height * p.channels);
    for (size_t n = 0; n < p.residual.nbytes; n++) {
        uint8_t *part = malloc(n + 1); /* nothing after it is to be read */
        memcpy(part, p.residual.data, n);
        const struct pcr_span span = { part, n };
        ck_assert_int_eq(read_all(&r, &p, &span, pixels, &err), PCR_ERR_CORRUPT);
        free(part);
    }
    free(pixels);
    free_pair(&p);
    pcri_rs_free(&r);
}
END_TEST

/* A changed bit is found, but for those that only give other residuals. */
START_TEST(flipped_bits)
{
    struct pcri_rs_reader r = { 0 };
    struct pcr_error err;
    struct pair p;
    size_t found = 0, passed = 0;
    make_pair(5, 2, &p);
    uint8_t *pixels = malloc((size_t) p.width * p.height * p.channels);
    for (size_t i = 0; i < 8 * p.residual.nbytes; i++) {
        const struct pcr_span span = { p.residual.data, p.residual.nbytes };
        p.residual.data[i / 8] ^= (uint8_t) (1 << i % 8);
        const int rc = read_all(&r, &p, &span, pixels, &err);
        ck_assert(!rc || rc == PCR_ERR_CORRUPT || rc == PCR_ERR_NOMEM);
        found += rc != 0;
        passed += !rc;
        p.residual.data[i / 8] ^= (uint8_t) (1 << i % 8);
    }
    ck_assert_uint_gt(found, 20 * passed);
    free(pixels);
    free_pair(&p);
    pcri_rs_free(&r);
}
END_TEST

static void check_spans(uint32_t count, bool found)
{
    static const uint8_t mark[] = PCRI_RS_MARK, other[2];
    const struct pcr_span all[] = { { other, 1 }, { mark, 8 }, { other, 2 }, { other, 0 } };
    const struct pcr_spans spans = { .items = (struct pcr_span *) all, .count = count };
    const struct pcr_span s = pcri_rs_find(&spans);
    ck_assert_int_eq(s.data != NULL, found);
    ck_assert_uint_eq(s.nbytes, found ? 2 : 0);
}

START_TEST(found_at_the_end)
{
    check_spans(0, false);
    check_spans(1, false);
    check_spans(2, false);
    check_spans(3, true);
    check_spans(4, false);
}
END_TEST

#if defined(__x86_64__) && !defined(PCR_PORTABLE)
enum { WIDE = 300, ROOM = WIDE + 2 * PCRI_RS_MARGIN };

struct rows {
    int16_t above[ROOM], jpeg[ROOM], below[ROOM], sizes[2][ROOM], signs[ROOM], other[ROOM];
};

static void draw_rows(uint64_t *state, struct rows *r)
{
    for (int x = 0; x < ROOM; x++) {
        const int base = (int) (drawn(state) % 511) - 255, range = 1 << drawn(state) % 7;
        r->jpeg[x] = (int16_t) base;
        r->above[x] = (int16_t) (base + (int) drawn(state) % range);
        r->below[x] = (int16_t) (base - (int) drawn(state) % range);
        r->sizes[0][x] = (int16_t) (drawn(state) % 129);
        r->sizes[1][x] = (int16_t) (drawn(state) % range);
        r->signs[x] = (int16_t) ((int) (drawn(state) % 3) - 1);
        r->other[x] = (int16_t) ((int) (drawn(state) % 9) - 4);
    }
}

static void run_kernels(const struct pcri_rs_kernels *k, const struct rows *r, size_t width,
                        bool first, uint8_t *out)
{
    const int m = PCRI_RS_MARGIN;
    uint16_t contexts[ROOM] = { 0 };
    int16_t split[3][ROOM] = { 0 }, residual[3][ROOM] = { 0 }, size[ROOM] = { 0 };
    uint8_t symbols[ROOM] = { 0 }, pixels[3 * ROOM] = { 0 };
    const struct pcri_rs_row row = { r->above + m, r->jpeg + m,
                                     r->below + m, { r->sizes[0] + m, r->sizes[1] + m },
                                     r->signs + m, first ? NULL : r->other + m };
    int16_t *const to[3] = { split[0], split[1], split[2] };
    const int16_t *const jpeg[3] = { split[0], split[1], split[2] };
    const int16_t *const added[3] = { residual[0], residual[1], residual[2] };
    k->contexts(&row, width, contexts);
    memcpy(out, contexts, width * sizeof(*contexts));
    out += width * sizeof(*contexts);
    for (size_t x = 0; x < 3 * width; x++)
        pixels[x] = (uint8_t) r->jpeg[x % ROOM];
    k->split(pixels, width, 3, to);
    for (int c = 0; c < 3; c++) {
        k->symbols(r->above + m, r->jpeg + m, width, residual[c], size, symbols);
        memset(residual[c], 0, sizeof(residual[c]));
        k->values(symbols, width, residual[c], size);
    }
    k->join(jpeg, added, width, 3, pixels);
    memcpy(out, pixels, 3 * width);
    memcpy(out + 3 * width, symbols, width);
    memcpy(out + 4 * width, size, width * sizeof(*size));
}

START_TEST(vectors_as_plain_code)
{
    uint64_t state = 5;
    static uint8_t made[2][16 * WIDE];
    if (!pcri_cpu_has("avx2"))
        return;
    for (int i = 0; i < 2000; i++) {
        static struct rows r;
        const size_t width = 1 + drawn(&state) % WIDE;
        draw_rows(&state, &r);
        run_kernels(&pcri_rs_portable, &r, width, i % 2, made[0]);
        run_kernels(&pcri_rs_avx2, &r, width, i % 2, made[1]);
        ck_assert_mem_eq(made[0], made[1], 8 * width);
    }
}
END_TEST
#endif

/* Contexts by the letter of docs/FORMAT.md 11.2. */
static uint32_t context_of(const struct pcri_rs_row *r, size_t x)
{
    static const int sizes_at[] = { 1, 2, 4, 8, 16, 32, 64 },
                     active_at[] = { 3, 8, 16, 32, 64 };
    static const int curved_at[2][4] = { { -6, -1, 2, 7 }, { -11, -2, 3, 12 } };
    const int16_t *p = r->jpeg + x;
    const int s = 2 * r->sizes[0][x] + r->sizes[0][x - 1] + r->sizes[0][x + 1] +
                  r->sizes[1][x];
    const int curve = 4 * p[0] - p[-1] - p[1] - r->above[x] - r->below[x];
    uint32_t size = 0, other = 0, curved = 0;
    for (int i = 0; i < 7; i++)
        size += s >= sizes_at[i];
    if (!r->other) {
        const int a = abs(p[1] - p[0]) + abs(p[-1] - p[0]) + 2 * abs(r->above[x] - p[0]);
        for (int i = 0; i < 5; i++)
            other += a >= active_at[i];
    } else {
        const int o = r->other[x];
        other = (uint32_t) ((o < -2 ? -2 : o > 2 ? 2 : o) + 2);
    }
    for (int i = 0; i < 4; i++)
        curved += curve >= curved_at[!r->other][i];
    const uint32_t sign = r->signs[x] < 0 ? 0 : r->signs[x] > 0 ? 2 : 1;
    return ((size * 6 + other) * 3 + sign) * 5 + curved;
}

START_TEST(contexts_by_the_letter)
{
    enum { W = 64, M = PCRI_RS_MARGIN };
    static int16_t above[W + 2 * M], jpeg[W + 2 * M], below[W + 2 * M], near[W + 2 * M],
        far[W + 2 * M], signs[W + 2 * M], others[W + 2 * M];
    uint64_t state = 7;
    uint16_t contexts[W + M];
    bool seen[PCRI_RS_CONTEXTS] = { false };
    for (int i = 0; i < 500; i++) {
        const uint32_t range = 1u << i % 9;
        for (int x = 0; x < W + 2 * M; x++) {
            jpeg[x] = (int16_t) (drawn(&state) % 511 - 255);
            above[x] = (int16_t) (jpeg[x] + (int) (drawn(&state) % range) - (int) range / 2);
            below[x] = (int16_t) (jpeg[x] + (int) (drawn(&state) % range) - (int) range / 2);
            jpeg[x] = x ? (int16_t) ((jpeg[x] + jpeg[x - 1] * 15) / 16) : jpeg[x];
            near[x] = (int16_t) (drawn(&state) % range / 4);
            far[x] = (int16_t) (drawn(&state) % range / 4);
            signs[x] = (int16_t) (drawn(&state) % 7) - 3;
            others[x] = (int16_t) (drawn(&state) % 7) - 3;
        }
        const struct pcri_rs_row row = { above + M, jpeg + M,
                                         below + M, { near + M, far + M },
                                         signs + M, i % 2 ? others + M : NULL };
        pcri_rs_kernels_choose()->contexts(&row, W, contexts);
        for (size_t x = 0; x < W; x++) {
            ck_assert_uint_eq(contexts[x], context_of(&row, x));
            ck_assert_uint_lt(contexts[x], PCRI_RS_CONTEXTS);
            seen[contexts[x]] = true;
        }
    }
    size_t count = 0;
    for (int i = 0; i < PCRI_RS_CONTEXTS; i++)
        count += seen[i];
    ck_assert_uint_gt(count, PCRI_RS_CONTEXTS / 2);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("residual");
    tcase_add_loop_test(t, round_trips, 0, SIZES);
    tcase_add_test(t, cut_off);
    tcase_add_test(t, flipped_bits);
    tcase_add_test(t, found_at_the_end);
    tcase_add_test(t, contexts_by_the_letter);
#if defined(__x86_64__) && !defined(PCR_PORTABLE)
    tcase_add_test(t, vectors_as_plain_code);
#endif
    return tests_run();
}
