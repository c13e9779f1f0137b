/* SPDX-License-Identifier: BSD-2-Clause */
/* libjpeg-turbo's decoder as a user may choose it: what it cannot or must not decode is told. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>

#include "base/base.h"
#include "decoder.h"
#include "generator.h"
#include "jpeg/turbo.h"
#include "suite.h"

static struct pcr_buffer file, pixels, control;
static struct pcr_error err;

static void tear_down(void)
{
    drop_decoder();
    pcr_buffer_free(&file);
    pcr_buffer_free(&pixels);
    pcr_buffer_free(&control);
}

static void make(const char *name)
{
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find(name), &file, &err), 0);
}

static int decode(const struct pcr_limits *limits, struct pcr_buffer *out)
{
    const struct pcr_decode_options o = { .size = sizeof(o),
                                          .decoder = PCR_DECODER_TURBO,
                                          .limits = limits };
    return pcr_decoder_decode_alloc(decoder, file.data, file.nbytes, &o, out, NULL, &err);
}

/* Puts bytes after SOI. */
static void insert(const void *bytes, size_t nbytes)
{
    size_t rest = file.nbytes - 2;
    ck_assert_int_eq(pcri_buffer_append(&file, bytes, nbytes, &err), 0);
    memmove(file.data + 2 + nbytes, file.data + 2, rest);
    memcpy(file.data + 2, bytes, nbytes);
}

START_TEST(scans)
{
    struct pcr_limits limits = { .size = sizeof(limits), .max_scans = 3 };
    make("progressive");
    ck_assert_int_eq(decode(NULL, &pixels), 0);
    ck_assert_int_eq(decode(&limits, &pixels), PCR_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "more than 3 scans"));
}
END_TEST

START_TEST(precision)
{
    make("baseline");
    uint8_t *p = file.data;
    while (p[0] != 0xFF || p[1] != 0xC0)
        p++;
    p[1] = 0xC1; /* of which 12 bits are a kind */
    p[4] = 12;
    ck_assert_int_eq(decode(NULL, &pixels), PCR_ERR_UNSUPPORTED);
}
END_TEST

/* As libjpeg has it, a length below 2 is 2; one that goes beyond the file ends it. */
START_TEST(lengths_of_app1)
{
    make("baseline");
    ck_assert_int_eq(decode(NULL, &control), 0);
    insert("\xFF\xE1\0", 4);
    ck_assert_int_eq(decode(NULL, &pixels), 0);
    ck_assert(pixels.nbytes == control.nbytes &&
              !memcmp(pixels.data, control.data, control.nbytes));
    file.data[4] = 0xFF;
    file.data[5] = 0xFF;
    ck_assert_uint_lt(file.nbytes, 65535);
    ck_assert_int_eq(decode(NULL, &pixels), PCR_ERR_TRUNCATED);
}
END_TEST

/* A file that ends in the marker of such a segment. */
START_TEST(end_in_app1)
{
    make("baseline");
    file.data[2] = 0xFF;
    file.data[3] = 0xE1;
    for (size_t n = 4; n < 6; n++) {
        file.nbytes = n;
        ck_assert_int_lt(decode(NULL, &pixels), 0);
        ck_assert_int_eq(err.code, PCR_ERR_TRUNCATED);
    }
}
END_TEST

/* What libjpeg says, in our codes. */
START_TEST(codes)
{
    static const struct {
        int message, code;
    } rows[] = {
        { JERR_OUT_OF_MEMORY, PCR_ERR_NOMEM },    { JWRN_JPEG_EOF, PCR_ERR_TRUNCATED },
        { JERR_INPUT_EMPTY, PCR_ERR_TRUNCATED },  { JERR_NOT_COMPILED, PCR_ERR_UNSUPPORTED },
        { JERR_IMAGE_TOO_BIG, PCR_ERR_LIMIT },    { JERR_WIDTH_OVERFLOW, PCR_ERR_LIMIT },
        { JERR_BAD_HUFF_TABLE, PCR_ERR_CORRUPT },
    };
    static struct pcri_turbo t;
    struct jpeg_decompress_struct d = { .err = pcri_turbo_errors(&t, NULL, 0, &err) };
    for (volatile size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        d.err->msg_code = rows[i].message;
        if (!setjmp(t.jump))
            d.err->error_exit((j_common_ptr) &d);
        ck_assert_int_eq(t.code, rows[i].code);
        ck_assert_int_eq(err.code, rows[i].code);
    }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("turbo");
    tcase_add_checked_fixture(t, make_decoder, tear_down);
    tcase_add_test(t, scans);
    tcase_add_test(t, precision);
    tcase_add_test(t, lengths_of_app1);
    tcase_add_test(t, end_in_app1);
    tcase_add_test(t, codes);
    return tests_run();
}
