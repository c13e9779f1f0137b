/* SPDX-License-Identifier: BSD-2-Clause */
/* exif: orientation in both byte orders, and blocks that lie about their sizes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/exif.h"

/* Exif header, TIFF header, a directory of two entries: one other tag, then orientation. */
static size_t make_exif(uint8_t out[64], int big, unsigned type, unsigned value)
{
    static const uint8_t head[2][16] = {
        { 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0 },
        { 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, '*', 0, 0, 0, 8, 0, 2 },
    };
    const unsigned fields[2][5] = { { 0x010F, 3, 1, 0x1234, 0 },
                                    { 0x0112, type, 1, value, 0 } };
    memcpy(out, head[big], 16);
    uint8_t *p = out + 16;
    for (int e = 0; e < 2; e++, p += 12) {
        memset(p, 0, 12);
        for (int b = 0; b < 2; b++) {
            p[b] = (uint8_t) (fields[e][0] >> 8 * (big ? 1 - b : b));
            p[2 + b] = (uint8_t) (fields[e][1] >> 8 * (big ? 1 - b : b));
        }
        p[big ? 7 : 4] = 1;
        unsigned size = fields[e][1] == 4 ? 4 : fields[e][1] == 1 ? 1 : 2;
        for (unsigned b = 0; b < size; b++)
            p[8 + b] = (uint8_t) (fields[e][3] >> 8 * (big ? size - 1 - b : b));
    }
    return (size_t) (p - out);
}

START_TEST(all_values)
{
    uint8_t exif[64];
    static const unsigned types[] = { 3, 4, 1 };
    for (int big = 0; big < 2; big++)
        for (int t = 0; t < 3; t++)
            for (unsigned v = 0; v < 12; v++) {
                size_t n = make_exif(exif, big, types[t], v);
                ck_assert_uint_eq(pcri_orientation_from_exif(exif, n),
                                  v >= 1 && v <= 8 ? v : 1);
                ck_assert_uint_eq(pcri_orientation_from_tiff(exif + 6, n - 6),
                                  v >= 1 && v <= 8 ? v : 1);
            }
}
END_TEST

START_TEST(other_payloads)
{
    uint8_t exif[64];
    size_t n = make_exif(exif, 0, 3, 6);
    ck_assert_uint_eq(pcri_orientation_from_exif(exif, n), 6);
    exif[0] = 'e';
    ck_assert_uint_eq(pcri_orientation_from_exif(exif, n), 1);
    ck_assert_uint_eq(pcri_orientation_from_exif((const uint8_t *) "http://ns.adobe.com", 19),
                      1);
    n = make_exif(exif, 0, 7, 6); /* type UNDEFINED */
    ck_assert_uint_eq(pcri_orientation_from_exif(exif, n), 1);
    n = make_exif(exif, 0, 3, 6);
    memset(exif + 16 + 12 + 4, 0, 4); /* a count of no values */
    ck_assert_uint_eq(pcri_orientation_from_exif(exif, n), 1);
}
END_TEST

/* Each prefix in a block of just its size: a read beyond it is the sanitizer's to find. */
START_TEST(every_truncation)
{
    uint8_t exif[64];
    for (int big = 0; big < 2; big++) {
        size_t n = make_exif(exif, big, 3, 8);
        for (size_t k = 0; k <= n; k++) {
            uint8_t *copy = malloc(k + !k);
            ck_assert_ptr_nonnull(copy);
            memcpy(copy, exif, k);
            ck_assert_uint_eq(pcri_orientation_from_exif(copy, k), k == n ? 8 : 1);
            free(copy);
        }
    }
}
END_TEST

START_TEST(lying_sizes)
{
    uint8_t exif[64];
    size_t n = make_exif(exif, 0, 3, 8);
    static const uint8_t offsets[][4] = { { 0xFF, 0xFF, 0xFF, 0xFF }, { 0xFE, 0xFF, 0xFF, 0x7F },
                                          { 34, 0, 0, 0 }, { 33, 0, 0, 0 }, { 32, 0, 0, 0 } };
    for (size_t i = 0; i < 5; i++) {
        uint8_t *copy = malloc(n);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, exif, n);
        memcpy(copy + 10, offsets[i], 4);
        ck_assert_uint_eq(pcri_orientation_from_exif(copy, n), 1);
        free(copy);
    }
    exif[14] = exif[15] = 0xFF; /* more entries than there are */
    ck_assert_uint_eq(pcri_orientation_from_exif(exif, n), 8);
    exif[28] = 0x13; /* and no orientation among them */
    ck_assert_uint_eq(pcri_orientation_from_exif(exif, n), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("exif");
    TCase *t = tcase_create("exif");
    tcase_add_test(t, all_values);
    tcase_add_test(t, other_payloads);
    tcase_add_test(t, every_truncation);
    tcase_add_test(t, lying_sizes);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
