/* SPDX-License-Identifier: BSD-2-Clause */
/* header: fields come back as written, and each row of the format's table is kept to. */
#include <check.h>
#include <stdlib.h>

#include "record/record.h"
#include "suite.h"

enum { G = 2, NBYTES = 96 + 24 * G, FILE_NBYTES = 600 };

static struct pcri_header valid(void)
{
    return (struct pcri_header) {
        .major = 1,
        .minor = 3,
        .sample_count = 7,
        .group_count = G,
        .head_nbytes = 100,
        .head_raw_nbytes = 300,
        .head_check = 11,
        .tail_nbytes = 50,
        .tail_raw_nbytes = 60,
        .tail_check = 12,
        .groups = { { 400, 21, 1 }, { 550, 22, 64 } },
    };
}

static int parse(const uint8_t *p, size_t nbytes, uint64_t file_nbytes, uint32_t flags)
{
    struct pcri_header h;
    struct pcr_error e;
    return pcri_header_parse(p, nbytes, file_nbytes, NULL, flags, &h, &e);
}

START_TEST(round_trip)
{
    struct pcri_header h = valid(), got;
    struct pcr_error e;
    uint8_t bytes[NBYTES];
    pcri_header_write(&h, bytes);
    ck_assert_uint_eq(h.header_nbytes, NBYTES);
    ck_assert_int_eq(pcri_header_parse(bytes, NBYTES, FILE_NBYTES, NULL, 0, &got, &e), 0);
    ck_assert_uint_eq(got.minor, 3);
    ck_assert_uint_eq(got.sample_count, 7);
    ck_assert_uint_eq(got.head_raw_nbytes, 300);
    ck_assert_uint_eq(got.tail_nbytes, 50);
    ck_assert_uint_eq(got.check, h.check);
    ck_assert_uint_eq(got.groups[1].end, 550);
    ck_assert_uint_eq(got.groups[1].check, 22);
    ck_assert_uint_eq(got.groups[1].piece_count, 64);
    /* A prefix alone, without the file's size; and bytes after the header. */
    ck_assert_int_eq(parse(bytes, NBYTES, 0, 0), 0);
    ck_assert_int_eq(parse(bytes, NBYTES, FILE_NBYTES - 1, 0), PCR_ERR_TRUNCATED);
    ck_assert_int_eq(parse(bytes, NBYTES, FILE_NBYTES + 1, 0), PCR_ERR_CORRUPT);
}
END_TEST

/* A field of `size` bytes at `at` set to `value`; the checksum is made right again. */
static const struct {
    uint32_t at, size;
    uint64_t value;
    int code;
} rows[] = {
    { 0, 1, 0x09, PCR_ERR_FORMAT },
    { 4, 1, 10, PCR_ERR_FORMAT },
    { 8, 2, 2, PCR_ERR_UNSUPPORTED },
    { 8, 2, 0, PCR_ERR_UNSUPPORTED },
    { 10, 2, 65535, 0 },
    { 12, 4, 1, PCR_ERR_UNSUPPORTED },
    { 12, 4, 1u << 31, PCR_ERR_UNSUPPORTED },
    { 16, 4, UINT32_MAX, 0 },
    { 20, 4, 0, PCR_ERR_CORRUPT },
    { 20, 4, (1u << 20) + 1, PCR_ERR_LIMIT },
    { 20, 4, 1u << 20, 0 },
    { 24, 2, 0, PCR_ERR_CORRUPT },
    { 24, 2, 33, PCR_ERR_CORRUPT },
    { 24, 2, 3, PCR_ERR_TRUNCATED },
    { 26, 2, 1, PCR_ERR_UNSUPPORTED },
    { 28, 4, 1, PCR_ERR_UNSUPPORTED },
    { 32, 8, 0, PCR_ERR_CORRUPT },
    { 32, 8, UINT64_MAX, PCR_ERR_CORRUPT },
    { 32, 8, 257, PCR_ERR_CORRUPT },
    { 32, 8, 256, 0 },
    { 40, 8, (256u << 20) + 1, PCR_ERR_LIMIT },
    { 40, 8, UINT64_MAX, PCR_ERR_LIMIT },
    { 40, 8, 1u << 20, 0 },
    { 40, 8, 256u << 20, 0 },
    { 56, 8, UINT64_MAX, PCR_ERR_CORRUPT },
    { 56, 8, 0, PCR_ERR_CORRUPT },
    { 56, 8, 51, PCR_ERR_TRUNCATED },
    { 56, 8, 49, PCR_ERR_CORRUPT },
    { 80, 8, 1, PCR_ERR_TRUNCATED },
    { 80, 8, UINT64_MAX, PCR_ERR_CORRUPT },
    { 88, 8, 243, PCR_ERR_CORRUPT },
    { 88, 8, 244, 0 },
    { 88, 8, 551, PCR_ERR_CORRUPT },
    { 104, 2, 65535, PCR_ERR_CORRUPT },
    { 104, 2, 0, PCR_ERR_CORRUPT },
    { 104, 2, 65, PCR_ERR_CORRUPT },
    { 104, 2, 64, 0 },
    { 106, 2, 1, PCR_ERR_UNSUPPORTED },
    { 108, 4, 1, PCR_ERR_UNSUPPORTED },
    { 112, 8, 399, PCR_ERR_CORRUPT },
    { 112, 8, UINT64_MAX, PCR_ERR_CORRUPT },
    { 112, 8, 551, PCR_ERR_TRUNCATED },
    { 132, 4, 1u << 24, PCR_ERR_UNSUPPORTED },
};

START_TEST(table_of_refusals)
{
    struct pcri_header h = valid();
    uint8_t bytes[NBYTES], value[8];
    pcri_header_write(&h, bytes);
    ck_assert_uint_eq(h.header_nbytes + h.head_nbytes, 244);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bad[NBYTES];
        memcpy(bad, bytes, NBYTES);
        pcri_store64(value, rows[i].value);
        memcpy(bad + rows[i].at, value, rows[i].size);
        pcri_store64(bad + NBYTES - 8, pcri_xxh3(bad, NBYTES - 8));
        int rc = parse(bad, NBYTES, FILE_NBYTES, 0);
        ck_assert_msg(rc == rows[i].code, "offset %u, value %llu: %d", rows[i].at,
                      (unsigned long long) rows[i].value, rc);
        ck_assert_int_eq(parse(bad, NBYTES, FILE_NBYTES, PCRI_PARSE_NO_VERIFY), rc);
    }
}
END_TEST

START_TEST(absent_tail)
{
    struct pcri_header h = valid();
    uint8_t bytes[NBYTES];
    h.tail_nbytes = h.tail_raw_nbytes = h.tail_check = 0;
    pcri_header_write(&h, bytes);
    ck_assert_int_eq(parse(bytes, NBYTES, 550, 0), 0);
    h.tail_check = 1;
    pcri_header_write(&h, bytes);
    ck_assert_int_eq(parse(bytes, NBYTES, 550, 0), PCR_ERR_CORRUPT);
    h.tail_check = 0;
    h.tail_raw_nbytes = 1;
    pcri_header_write(&h, bytes);
    ck_assert_int_eq(parse(bytes, NBYTES, 550, 0), PCR_ERR_CORRUPT);
}
END_TEST

START_TEST(damage)
{
    struct pcri_header h = valid();
    uint8_t bytes[NBYTES];
    pcri_header_write(&h, bytes);
    for (size_t bit = 0; bit < NBYTES * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
        if (!parse(bytes, NBYTES, FILE_NBYTES, 0))
            ck_abort_msg("bit %zu passes", bit);
        bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
    for (size_t n = 0; n < NBYTES; n++) {
        uint8_t *copy = malloc(n ? n : 1); /* the sanitizer watches its very end */
        memcpy(copy, bytes, n);
        int rc = parse(copy, n, FILE_NBYTES, PCRI_PARSE_NO_VERIFY);
        free(copy);
        if (rc != (n < 8 ? PCR_ERR_FORMAT : PCR_ERR_TRUNCATED))
            ck_abort_msg("%zu bytes give %d", n, rc);
    }
}
END_TEST

START_TEST(own_limits)
{
    struct pcri_header h = valid(), got;
    struct pcr_error e;
    struct pcr_limits l = { .size = sizeof(l), .max_samples = 6 };
    uint8_t bytes[NBYTES];
    pcri_header_write(&h, bytes);
    ck_assert_int_eq(pcri_header_parse(bytes, NBYTES, 0, &l, 0, &got, &e), PCR_ERR_LIMIT);
    l.max_samples = 7;
    l.max_head_nbytes = 299;
    ck_assert_int_eq(pcri_header_parse(bytes, NBYTES, 0, &l, 0, &got, &e), PCR_ERR_LIMIT);
    l.max_head_nbytes = 300;
    ck_assert_int_eq(pcri_header_parse(bytes, NBYTES, 0, &l, 0, &got, &e), 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("header");
    tcase_add_test(t, round_trip);
    tcase_add_test(t, table_of_refusals);
    tcase_add_test(t, absent_tail);
    tcase_add_test(t, damage);
    tcase_add_test(t, own_limits);
    return tests_run();
}
