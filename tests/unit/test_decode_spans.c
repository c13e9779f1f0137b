/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding to pixels from pieces in place, and on to higher fidelities, against the decode of
 * the file that the pieces make. */
#include <check.h>
#include <stdlib.h>

#include <pcr/image.h>

#include "generator.h"
#include "jpeg/coding.h"
#include "jpeg/ladder.h"
#include "suite.h"

static struct pcr_ladder *ladder;
static struct pcr_error e;

struct parts {
    struct pcri_coded packed;
    struct pcr_spans groups[PCRI_LADDER_MAX_GROUPS]; /* the first with the header */
    struct pcr_buffer file;                          /* groups 1..g with EOI */
};

static void make_parts(const struct pcr_buffer *source, struct parts *p)
{
    struct pcri_coder *coder;
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, ladder, NULL, NULL, &coder, &e), 0);
    *p = (struct parts) { 0 };
    ck_assert_int_eq(
        pcri_coder_encode(coder, NULL, source->data, source->nbytes, &p->packed, &e), 0);
    const struct pcri_coded *q = &p->packed;
    const uint8_t *s = q->strings.data, *b = q->bytes.data;
    for (uint32_t i = 0; i < q->item_count; s += q->items[i++].nbytes)
        ck_assert_int_eq(pcri_spans_add(&p->groups[0], s, q->items[i].nbytes, &e), 0);
    uint32_t piece = 0;
    for (uint32_t g = 0; g < ladder->group_count; g++)
        for (uint32_t k = 0; k < ladder->piece_counts[g]; k++, piece++) {
            const struct pcri_piece *r = &q->pieces[piece];
            ck_assert_int_eq(pcri_spans_add(&p->groups[g], s, r->string_nbytes, &e), 0);
            ck_assert_int_eq(pcri_spans_add(&p->groups[g], b, r->nbytes, &e), 0);
            s += r->string_nbytes;
            b += r->nbytes;
        }
    pcri_coder_destroy(&coder);
}

static void free_parts(struct parts *p)
{
    for (uint32_t g = 0; g < ladder->group_count; g++)
        pcr_spans_free(&p->groups[g]);
    pcr_buffer_free(&p->file);
    pcri_coded_free(&p->packed);
}

static void make_file(struct parts *p, uint32_t g)
{
    p->file.nbytes = 0;
    for (uint32_t k = 0; k < g; k++)
        for (uint32_t i = 0; i < p->groups[k].count; i++)
            ck_assert_int_eq(pcri_buffer_append(&p->file, p->groups[k].items[i].data,
                                                p->groups[k].items[i].nbytes, &e),
                             0);
    ck_assert_int_eq(pcri_buffer_append(&p->file, "\xFF\xD9", 2, &e), 0);
}

static void set_up(void)
{
    ck_assert_int_eq(pcr_ladder_create("bitplane", &ladder, &e), 0);
}

static void tear_down(void)
{
    pcr_ladder_destroy(&ladder);
}

static const struct pcr_decode_options ways[] = {
    { .size = sizeof(ways[0]) },
    { .size = sizeof(ways[0]), .flags = PCR_DECODE_IDENTICAL },
    { .size = sizeof(ways[0]), .decoder = PCR_DECODER_TURBO },
    { .size = sizeof(ways[0]), .color = PCR_COLOR_GRAY, .orientation = 6 },
    { .size = sizeof(ways[0]),
      .crop_x = 30,
      .crop_y = 41,
      .crop_width = 50,
      .crop_height = 33 },
    { .size = sizeof(ways[0]), .scale = 3, .flags = PCR_DECODE_PLANAR },
};

/* From each fidelity on, step by step to the highest. */
START_TEST(rising)
{
    struct pcr_decoder *d, *whole;
    struct pcr_buffer photo = { 0 }, got = { 0 }, wanted = { 0 };
    struct pcr_image_info a = { .size = sizeof(a) }, b = a;
    struct parts p;
    ck_assert_int_eq(pcr_gen_photo(4, 131, 99, 92, PCR_GEN_420, &photo), 0);
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    ck_assert_int_eq(pcr_decoder_create(&whole, &e), 0);
    make_parts(&photo, &p);
    struct pcr_decode_options o = ways[_i];
    if (!o.decoder)
        o.ladder = ladder;
    struct pcr_spans start = { 0 };
    for (uint32_t from = 1; from <= ladder->group_count; from++) {
        const struct pcr_spans *last = &p.groups[from - 1];
        for (uint32_t i = 0; i < last->count; i++)
            pcri_spans_add(&start, last->items[i].data, last->items[i].nbytes, &e);
        for (uint32_t g = from; g <= ladder->group_count; g++) {
            int rc = g == from ? pcr_decoder_decode_spans(d, &start, &o, &got, &a, &e)
                               : pcr_decoder_continue(d, &p.groups[g - 1], &got, &a, &e);
            ck_assert_msg(rc == 0, "%s", e.message);
            make_file(&p, g);
            rc = pcr_decoder_decode_alloc(whole, p.file.data, p.file.nbytes, &ways[_i],
                                          &wanted, &b, &e);
            ck_assert_msg(rc == 0, "%s", e.message);
            ck_assert_mem_eq(&a, &b, sizeof(a));
            ck_assert_uint_eq(got.nbytes, wanted.nbytes);
            ck_assert_msg(!memcmp(got.data, wanted.data, got.nbytes), "from %u to %u", from,
                          g);
        }
    }
    pcr_spans_free(&start);
    free_parts(&p);
    pcr_buffer_free(&photo);
    pcr_buffer_free(&got);
    pcr_buffer_free(&wanted);
    pcr_decoder_destroy(&d);
    pcr_decoder_destroy(&whole);
}
END_TEST

/* Damage in a later group is an error, after which there is nothing to continue; the image
 * is still decoded at the fidelity below. */
START_TEST(damaged_group)
{
    struct pcr_decoder *d;
    struct pcr_buffer photo = { 0 }, got = { 0 };
    struct parts p;
    const struct pcr_decode_options o = { .size = sizeof(o), .ladder = ladder };
    ck_assert_int_eq(pcr_gen_photo(4, 131, 99, 92, PCR_GEN_420, &photo), 0);
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    make_parts(&photo, &p);
    struct pcr_span *cut = &p.groups[1].items[p.groups[1].count - 1];
    cut->nbytes /= 2;
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &p.groups[0], &o, &got, NULL, &e), 0);
    ck_assert_int_eq(pcr_decoder_continue(d, &p.groups[1], &got, NULL, &e), PCR_ERR_CORRUPT);
    ck_assert_uint_eq(got.nbytes, 0);
    ck_assert_int_eq(pcr_decoder_continue(d, &p.groups[2], &got, NULL, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &p.groups[0], &o, &got, NULL, &e), 0);
    /* A group left out: its scans do not continue those before. */
    ck_assert_int_eq(pcr_decoder_continue(d, &p.groups[2], &got, NULL, &e), PCR_ERR_CORRUPT);
    free_parts(&p);
    pcr_buffer_free(&photo);
    pcr_buffer_free(&got);
    pcr_decoder_destroy(&d);
}
END_TEST

/* Without the ladder libjpeg has the last word; with it, other scans are refused. */
START_TEST(another_ladder)
{
    struct pcr_decoder *d;
    struct pcr_buffer photo = { 0 }, got = { 0 };
    struct pcr_ladder *classic;
    struct parts p;
    struct pcr_decode_options o = { .size = sizeof(o) };
    ck_assert_int_eq(pcr_ladder_create("classic", &classic, &e), 0);
    ck_assert_int_eq(pcr_gen_photo(4, 67, 45, 92, PCR_GEN_420, &photo), 0);
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    make_parts(&photo, &p);
    make_file(&p, ladder->group_count);
    ck_assert_int_eq(
        pcr_decoder_decode_alloc(d, p.file.data, p.file.nbytes, &o, &got, NULL, &e), 0);
    o.ladder = classic;
    ck_assert_int_eq(
        pcr_decoder_decode_alloc(d, p.file.data, p.file.nbytes, &o, &got, NULL, &e),
        PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "ladder"));
    free_parts(&p);
    pcr_ladder_destroy(&classic);
    pcr_buffer_free(&photo);
    pcr_buffer_free(&got);
    pcr_decoder_destroy(&d);
}
END_TEST

/* A window decoded and resized at once is that of the whole picture resized. */
START_TEST(resized)
{
    static const struct {
        uint32_t color, orientation, flags, width, height;
        double x0, y0, x1, y1;
    } cases[] = {
        { PCR_COLOR_RGB, 1, 0, 24, 24, 0, 0, 0, 0 },
        { PCR_COLOR_RGB, 1, PCR_RESIZE_FLIP, 20, 31, 60.25, 33, 90, 70.5 },
        { PCR_COLOR_RGB, 6, PCR_RESIZE_PLANAR, 48, 40, 3, 80, 51, 131 },
        { PCR_COLOR_GRAY, 3, 0, 7, 9, 100, 60, 131, 99 },
        { PCR_COLOR_RGB, 8, 0, 224, 224, 40, 50, 60, 71 },
    };
    struct pcr_decoder *d;
    struct pcr_buffer photo = { 0 }, png = { 0 }, whole = { 0 };
    static uint8_t got[224 * 224 * 3], wanted[sizeof(got)];
    ck_assert_int_eq(pcr_gen_photo(4, 131, 99, 92, PCR_GEN_420, &photo), 0);
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find("png-rgb"), &png, &e), 0);
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcr_decode_options o = { .size = sizeof(o),
                                        .color = cases[i].color,
                                        .orientation = cases[i].orientation };
        struct pcr_resize_options r = { .size = sizeof(r),
                                        .flags = cases[i].flags,
                                        .x0 = cases[i].x0,
                                        .y0 = cases[i].y0,
                                        .x1 = cases[i].x1,
                                        .y1 = cases[i].y1,
                                        .filter = (uint32_t) i % 4 };
        struct pcr_buffer *file = i ? &photo : &png;
        struct pcr_span span = { file->data, file->nbytes };
        const struct pcr_spans spans = { .items = &span, .count = 1 };
        struct pcr_image_info info = { .size = sizeof(info) };
        ck_assert_int_eq(
            pcr_decoder_decode_alloc(d, file->data, file->nbytes, &o, &whole, &info, &e), 0);
        ck_assert_int_eq(pcr_resize(d, whole.data, info.width, info.height, info.channels, &r,
                                    wanted, cases[i].width, cases[i].height, &e),
                         0);
        int rc = pcr_decoder_decode_resized(d, &spans, &o, &r, got, cases[i].width,
                                            cases[i].height, &e);
        ck_assert_msg(rc == 0, "%zu: %s", i, e.message);
        ck_assert_msg(
            !memcmp(got, wanted, (size_t) cases[i].width * cases[i].height * info.channels),
            "%zu", i);
        o.crop_width = o.crop_height = 5;
        ck_assert_int_eq(pcr_decoder_decode_resized(d, &spans, &o, &r, got, 5, 5, &e),
                         PCR_ERR_INVAL);
        o.crop_width = o.crop_height = 0;
        r.x1 = 1000;
        ck_assert_int_eq(pcr_decoder_decode_resized(d, &spans, &o, &r, got, 5, 5, &e),
                         PCR_ERR_INVAL);
        ck_assert_int_eq(pcr_decoder_decode_resized(d, NULL, &o, &r, got, 5, 5, &e),
                         PCR_ERR_INVAL);
        ck_assert_int_eq(pcr_decoder_decode_resized(d, &spans, &o, &r, NULL, 5, 5, &e),
                         PCR_ERR_INVAL);
    }
    pcr_buffer_free(&photo);
    pcr_buffer_free(&png);
    pcr_buffer_free(&whole);
    pcr_decoder_destroy(&d);
}
END_TEST

/* Several pictures of one decode are those of a decode each. */
START_TEST(views)
{
    enum { COUNT = 4 };
    static const struct pcr_resize_options how[COUNT] = {
        { .size = sizeof(how[0]), .x0 = 20, .y0 = 5, .x1 = 90, .y1 = 60 },
        { .size = sizeof(how[0]),
          .x0 = 61.5,
          .y0 = 40.25,
          .x1 = 95,
          .y1 = 92,
          .filter = PCR_FILTER_BICUBIC,
          .flags = PCR_RESIZE_FLIP },
        { .size = sizeof(how[0]),
          .x0 = 3,
          .y0 = 70,
          .x1 = 30,
          .y1 = 99,
          .flags = PCR_RESIZE_PLANAR },
        { .size = sizeof(how[0]),
          .x0 = 0,
          .y0 = 0,
          .x1 = 99,
          .y1 = 99,
          .filter = PCR_FILTER_NEAREST },
    };
    static const uint32_t sides[COUNT] = { 64, 40, 24, 33 };
    static uint8_t got[COUNT][64 * 64 * 3], wanted[64 * 64 * 3];
    struct pcr_decoder *d;
    struct pcr_buffer files[2] = { { 0 }, { 0 } };
    ck_assert_int_eq(pcr_gen_photo(4, 131, 99, 92, PCR_GEN_420, &files[0]), 0);
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find("png-rgb"), &files[1], &e), 0);
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    for (uint32_t i = 0; i < 12; i++) {
        const struct pcr_buffer *file = &files[i % 6 == 5];
        struct pcr_decode_options o = { .size = sizeof(o),
                                        .color = i % 2 ? PCR_COLOR_GRAY : PCR_COLOR_RGB,
                                        .orientation = i % 3 ? 1 : 1 + i % 8 };
        struct pcr_span span = { file->data, file->nbytes };
        const struct pcr_spans spans = { .items = &span, .count = 1 };
        struct pcr_decode_view v[COUNT];
        uint32_t count = 0;
        struct pcr_image_info info = { .size = sizeof(info) };
        ck_assert_int_eq(pcr_decoder_inspect(d, file->data, file->nbytes, &o, &info, &e), 0);
        for (uint32_t k = i / 6; k < COUNT; k++)
            if (how[k].x1 <= info.width && how[k].y1 <= info.height)
                v[count++] = (struct pcr_decode_view) { &how[k], got[k], sides[k], sides[k] };
        if (!count)
            v[count++] = (struct pcr_decode_view) { NULL, got[0], sides[0], sides[0] };
        ck_assert_int_eq(pcr_decoder_decode_views(d, &spans, &o, v, count, &e), 0);
        for (uint32_t k = 0; k < count; k++) {
            ck_assert_int_eq(pcr_decoder_decode_resized(d, &spans, &o, v[k].resize, wanted,
                                                        v[k].width, v[k].height, &e),
                             0);
            ck_assert_msg(
                !memcmp(v[k].dst, wanted, (size_t) v[k].width * v[k].height * info.channels),
                "%u: view %u of %u", (unsigned) i, (unsigned) k, (unsigned) count);
        }
    }
    pcr_buffer_free(&files[0]);
    pcr_buffer_free(&files[1]);
    pcr_decoder_destroy(&d);
}
END_TEST

/* A thumbnail beside a view that needs the whole size is made of that. */
START_TEST(views_of_one_scale)
{
    static uint8_t got[2][96 * 96 * 3], wanted[96 * 96 * 3], small[9 * 9 * 3];
    struct pcr_decoder *d;
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(pcr_gen_photo(4, 131, 99, 92, PCR_GEN_420, &file), 0);
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    struct pcr_span span = { file.data, file.nbytes };
    const struct pcr_spans spans = { .items = &span, .count = 1 };
    const struct pcr_decode_options whole = { .size = sizeof(whole), .scale = 8 };
    struct pcr_decode_view v[2] = { { NULL, got[0], 9, 9 }, { NULL, got[1], 96, 96 } };
    ck_assert_int_eq(pcr_decoder_decode_views(d, &spans, NULL, v, 2, &e), 0);
    ck_assert_int_eq(pcr_decoder_decode_resized(d, &spans, &whole, NULL, wanted, 9, 9, &e), 0);
    ck_assert_int_eq(pcr_decoder_decode_resized(d, &spans, NULL, NULL, small, 9, 9, &e), 0);
    ck_assert(!memcmp(got[0], wanted, sizeof(small)));
    ck_assert(memcmp(small, wanted, sizeof(small)) != 0);
    /* Of two thumbnails the larger one decides. */
    v[1].width = v[1].height = 4;
    ck_assert_int_eq(pcr_decoder_decode_views(d, &spans, NULL, v, 2, &e), 0);
    ck_assert(!memcmp(got[0], small, sizeof(small)));
    ck_assert_int_eq(pcr_decoder_decode_views(d, &spans, NULL, v, 0, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_decode_views(d, &spans, NULL, NULL, 1, &e), PCR_ERR_INVAL);
    v[1].dst = NULL;
    ck_assert_int_eq(pcr_decoder_decode_views(d, &spans, NULL, v, 2, &e), PCR_ERR_INVAL);
    pcr_buffer_free(&file);
    pcr_decoder_destroy(&d);
}
END_TEST

START_TEST(arguments)
{
    struct pcr_decoder *d;
    struct pcr_buffer photo = { 0 }, got = { 0 };
    struct pcr_span span = { NULL, 5 };
    const struct pcr_spans none = { 0 }, bad = { .items = &span, .count = 1 };
    ck_assert_int_eq(pcr_gen_photo(4, 67, 45, 92, PCR_GEN_420, &photo), 0);
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    ck_assert_int_eq(pcr_decoder_continue(d, &none, &got, NULL, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &none, NULL, &got, NULL, &e),
                     PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &bad, NULL, &got, NULL, &e), PCR_ERR_INVAL);
    struct pcr_span header[2] = { { photo.data, 20 }, { photo.data + 20, 20 } };
    const struct pcr_spans no_scan = { .items = header, .count = 2 };
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &no_scan, NULL, &got, NULL, &e),
                     PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcr_decoder_decode_spans(d, NULL, NULL, &got, NULL, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &none, NULL, NULL, NULL, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(
        pcr_decoder_decode_alloc(d, photo.data, photo.nbytes, NULL, &got, NULL, &e), 0);
    ck_assert_int_eq(pcr_decoder_continue(d, &none, &got, NULL, &e), PCR_ERR_INVAL);
    span = (struct pcr_span) { photo.data, photo.nbytes }; /* a whole file, and no more */
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &bad, NULL, &got, NULL, &e), 0);
    struct pcr_image_info small = { .size = 4 };
    ck_assert_int_eq(pcr_decoder_continue(d, &none, &got, &small, &e), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(e.message, "pcr_image_info.size is 4"));
    ck_assert_int_eq(pcr_decoder_continue(d, &none, &got, NULL, &e), 0);
    ck_assert_uint_eq(got.nbytes, 67 * 45 * 3);
    span.data = NULL;
    ck_assert_int_eq(pcr_decoder_continue(d, &bad, &got, NULL, &e), PCR_ERR_INVAL);
    pcr_buffer_free(&photo);
    pcr_buffer_free(&got);
    pcr_decoder_destroy(&d);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("decode_spans");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, rising, 0, sizeof(ways) / sizeof(ways[0]));
    tcase_add_test(t, damaged_group);
    tcase_add_test(t, another_ladder);
    tcase_add_test(t, resized);
    tcase_add_test(t, views);
    tcase_add_test(t, views_of_one_scale);
    tcase_add_test(t, arguments);
    return tests_run();
}
