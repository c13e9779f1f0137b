/* SPDX-License-Identifier: BSD-2-Clause */
/* One image decoded by several threads: the pixels are those of one, whatever the window, scale,
 * fidelity and number of threads; so are errors; and threads that cannot start are done without.
 * pthread_create() comes here first. */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include <pcr/image.h>

#include "decoder.h"
#include "packed_images.h"
#include "suite.h"

enum { MOST = 40 };

static struct pcr_ladder *ladder;
static struct pcr_buffer source, one, several;
static struct pcri_coded packed;
static struct pcr_span items[MOST];
static uint32_t header;
static struct pcr_error err;

static int created, refused_from; /* calls of pthread_create(); those from which on it fails */

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p)
{
    return ++created >= refused_from ? EPERM : __real_pthread_create(t, a, f, p);
}

static void photo(uint32_t width, uint32_t height, enum pcr_gen_subsampling subsampling)
{
    struct pcri_coder *c;
    ck_assert_int_eq(pcr_gen_photo(3, width, height, 85, subsampling, &source), 0);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_packed, ladder, NULL, NULL, &c, &err), 0);
    pcri_coded_free(&packed);
    int rc = pcri_coder_encode(c, NULL, source.data, source.nbytes, &packed, &err);
    ck_assert_msg(!rc, "%s", err.message);
    pcri_coder_destroy(&c);
    header = packed_spans(&packed, ladder, items);
}

static void set_up(void)
{
    ck_assert_int_eq(pcr_ladder_create("packed", &ladder, &err), 0);
    make_decoder();
    created = 0;
    refused_from = INT_MAX;
}

static void tear_down(void)
{
    pcr_ladder_destroy(&ladder);
    drop_decoder();
    pcri_coded_free(&packed);
    pcr_buffer_free(&source);
    pcr_buffer_free(&one);
    pcr_buffer_free(&several);
}

/* Decodes `groups` groups by one thread and by several, whose decoder has not seen the picture
 * before: the same, which is returned. */
static int compare(struct pcr_decode_options o, uint32_t groups, uint32_t threads)
{
    const struct pcr_spans spans = { .items = items, .count = header + 1 + groups };
    o.size = sizeof(o);
    o.ladder = ladder;
    const int before = created;
    int rc = pcr_decoder_decode_spans(decoder, &spans, &o, &one, NULL, &err);
    ck_assert_int_eq(created, before);
    o.threads = threads;
    struct pcr_decoder *fresh;
    ck_assert_int_eq(pcr_decoder_create(&fresh, &err), 0);
    int again = pcr_decoder_decode_spans(fresh, &spans, &o, &several, NULL, &err);
    pcr_decoder_destroy(&fresh);
    ck_assert_int_eq(again, rc);
    ck_assert_uint_eq(one.nbytes, several.nbytes);
    ck_assert(!memcmp(one.data, several.data, one.nbytes));
    return rc;
}

static const struct {
    uint32_t width, height;
    enum pcr_gen_subsampling subsampling;
    int threads; /* that are started where 64 may decode */
} pictures[] = {
    { 280, 1040, PCR_GEN_420, 1 }, { 400, 1100, PCR_GEN_444, 2 },
    { 270, 1030, PCR_GEN_422, 1 }, { 260, 1048, PCR_GEN_440, 1 },
    { 330, 1050, PCR_GEN_410, 1 }, { 270, 1030, PCR_GEN_GRAY, 1 },
    { 100, 4200, PCR_GEN_420, 2 },
};
enum { PICTURES = sizeof(pictures) / sizeof(*pictures) };

START_TEST(same_pixels)
{
    photo(pictures[_i].width, pictures[_i].height, pictures[_i].subsampling);
    const uint32_t fidelities[] = { 1, 2, ladder->group_count };
    for (int i = 0; i < 3; i++) {
        const int before = created;
        ck_assert_int_eq(compare((struct pcr_decode_options) { 0 }, fidelities[i], 64), 0);
        ck_assert_int_eq(created - before, pictures[_i].threads);
        ck_assert_int_eq(
            compare((struct pcr_decode_options) { .scale = 4, .color = 2 }, fidelities[i], 2),
            0);
        ck_assert_int_eq(compare((struct pcr_decode_options) { .scale = 1, .orientation = 6 },
                                 fidelities[i], 3),
                         0);
        ck_assert_int_eq(
            compare((struct pcr_decode_options) { .flags = PCR_DECODE_PLANAR, .scale = 7 },
                    fidelities[i], 2),
            0);
    }
    ck_assert_int_gt(created, 3 * pictures[_i].threads + 6);
}
END_TEST

/* Windows whose edges lie about the rows where streams begin anew, 256 pixels apart. */
START_TEST(windows)
{
    photo(560, 1024, PCR_GEN_420);
    for (uint32_t top = 253; top <= 259; top++)
        for (uint32_t bottom = 765; bottom <= 773; bottom++)
            ck_assert_int_eq(
                compare((struct pcr_decode_options) { .crop_x = 1,
                                                      .crop_y = top,
                                                      .crop_width = 540,
                                                      .crop_height = bottom - top },
                        3, 2),
                0);
    ck_assert_int_eq(created, 7 * 9);
}
END_TEST

START_TEST(going_on)
{
    photo(280, 1040, PCR_GEN_420);
    const struct pcr_decode_options o = { .size = sizeof(o), .ladder = ladder, .threads = 2 };
    for (uint32_t g = 1; g <= ladder->group_count; g++) {
        const struct pcr_spans first = { .items = items, .count = header + 2 };
        const struct pcr_spans more = { .items = &items[header + g], .count = 1 };
        int rc = g == 1 ? pcr_decoder_decode_spans(decoder, &first, &o, &one, NULL, &err)
                        : pcr_decoder_continue(decoder, &more, &one, NULL, &err);
        ck_assert_msg(!rc, "%s", err.message);
    }
    ck_assert_int_eq(created, (int) ladder->group_count);
    ck_assert_int_eq(pcri_buffer_append(&several, one.data, one.nbytes, &err), 0);
    const size_t nbytes = several.nbytes;
    const struct pcr_spans all = { .items = items, .count = header + 1 + ladder->group_count };
    ck_assert_int_eq(pcr_decoder_decode_spans(decoder, &all, NULL, &one, NULL, &err), 0);
    ck_assert_uint_eq(one.nbytes, nbytes);
    ck_assert(!memcmp(one.data, several.data, nbytes));
}
END_TEST

/* Whatever band a damaged byte is in, it is found, or the pixels are the same. */
START_TEST(damage)
{
    photo(280, 1040, PCR_GEN_420);
    int found = 0, tried = 0;
    for (uint32_t g = 1; g <= ladder->group_count; g += 3) {
        struct pcr_span *chunk = &items[header + g];
        uint8_t *bytes = malloc(chunk->nbytes);
        ck_assert_ptr_nonnull(bytes);
        for (size_t at = g % 7; at < chunk->nbytes; at += chunk->nbytes / 12 + 1, tried++) {
            memcpy(bytes, chunk->data, chunk->nbytes);
            bytes[at] ^= (uint8_t) (1 << at % 8);
            const struct pcr_span whole = *chunk;
            chunk->data = bytes;
            found += compare((struct pcr_decode_options) { 0 }, ladder->group_count, 2) != 0;
            *chunk = whole;
        }
        free(bytes);
    }
    ck_assert_int_gt(found, tried / 2);
    ck_assert_int_eq(compare((struct pcr_decode_options) { 0 }, ladder->group_count, 2), 0);
}
END_TEST

START_TEST(threads_that_do_not_start)
{
    photo(450, 1500, PCR_GEN_420);
    refused_from = created + 1 + _i;
    ck_assert_int_eq(compare((struct pcr_decode_options) { 0 }, ladder->group_count, 5), 0);
    ck_assert_int_eq(created, _i + 1); /* no more are tried */
}
END_TEST

/* Small pictures, and those that are not packed, are decoded by the calling thread. */
START_TEST(undivided)
{
    photo(140, 1040, PCR_GEN_420);
    ck_assert_int_eq(compare((struct pcr_decode_options) { 0 }, ladder->group_count, 64), 0);
    photo(1000, 1000, PCR_GEN_420);
    ck_assert_int_eq(compare((struct pcr_decode_options) { 0 }, ladder->group_count, 64), 0);
    const struct pcr_decode_options o = { .size = sizeof(o), .threads = 64 };
    int rc = pcr_decoder_decode_alloc(decoder, source.data, source.nbytes, &o, &one, NULL,
                                      &err);
    ck_assert_msg(!rc, "%s", err.message);
    ck_assert_int_eq(created, 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("decode threads");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, same_pixels, 0, PICTURES);
    tcase_add_test(t, windows);
    tcase_add_test(t, going_on);
    tcase_add_test(t, damage);
    tcase_add_loop_test(t, threads_that_do_not_start, 0, 4);
    tcase_add_test(t, undivided);
    return tests_run();
}
