/* SPDX-License-Identifier: BSD-2-Clause */
/* exif: orientation in both byte orders and in XMP, and blocks that lie about their sizes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/exif.h"
#include "suite.h"

static uint32_t from_app1(const void *payload, size_t n)
{
    struct pcri_orientation o = { 0 };
    pcri_orientation_add_app1(&o, payload, n);
    return pcri_orientation_of(&o);
}

static uint32_t from_block(const void *block, size_t n)
{
    struct pcri_orientation o = { 0 };
    pcri_orientation_set_exif(&o, block, n);
    return pcri_orientation_of(&o);
}

static uint32_t from_xmp(const char *text)
{
    struct pcri_orientation o = { 0 };
    pcri_orientation_set_xmp(&o, (const uint8_t *) text, strlen(text));
    return o.xmp;
}

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
    static const unsigned types[] = { 3, 4 };
    for (int big = 0; big < 2; big++)
        for (int t = 0; t < 2; t++)
            for (unsigned v = 0; v < 12; v++) {
                size_t n = make_exif(exif, big, types[t], v);
                ck_assert_uint_eq(from_app1(exif, n), v >= 1 && v <= 8 ? v : 1);
                ck_assert_uint_eq(from_block(exif + 6, n - 6), v >= 1 && v <= 8 ? v : 1);
                ck_assert_uint_eq(from_block(exif, n), v >= 1 && v <= 8 ? v : 1);
            }
}
END_TEST

START_TEST(other_payloads)
{
    uint8_t exif[64];
    size_t n = make_exif(exif, 0, 3, 6);
    ck_assert_uint_eq(from_app1(exif, n), 6);
    exif[0] = 'e';
    ck_assert_uint_eq(from_app1(exif, n), 1);
    ck_assert_uint_eq(from_app1((const uint8_t *) "http://ns.adobe.com", 19), 1);
    n = make_exif(exif, 0, 7, 6); /* type UNDEFINED */
    ck_assert_uint_eq(from_app1(exif, n), 1);
    n = make_exif(exif, 0, 1, 6); /* BYTE is no number to Pillow */
    ck_assert_uint_eq(from_app1(exif, n), 1);
    n = make_exif(exif, 0, 3, 6);
    memset(exif + 16 + 12 + 4, 0, 4); /* a count of no values */
    ck_assert_uint_eq(from_app1(exif, n), 1);
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
            ck_assert_uint_eq(from_app1(copy, k), k == n ? 8 : 1);
            free(copy);
        }
    }
}
END_TEST

START_TEST(lying_sizes)
{
    uint8_t exif[64];
    size_t n = make_exif(exif, 0, 3, 8);
    static const uint8_t offsets[][4] = { { 0xFF, 0xFF, 0xFF, 0xFF },
                                          { 0xFE, 0xFF, 0xFF, 0x7F },
                                          { 34, 0, 0, 0 },
                                          { 33, 0, 0, 0 },
                                          { 32, 0, 0, 0 } };
    for (size_t i = 0; i < 5; i++) {
        uint8_t *copy = malloc(n);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, exif, n);
        memcpy(copy + 10, offsets[i], 4);
        ck_assert_uint_eq(from_app1(copy, n), 1);
        free(copy);
    }
    exif[14] = exif[15] = 0xFF; /* more entries than there are */
    ck_assert_uint_eq(from_app1(exif, n), 8);
    exif[28] = 0x13; /* and no orientation among them */
    ck_assert_uint_eq(from_app1(exif, n), 1);
}
END_TEST

START_TEST(xmp_packets)
{
    static const struct {
        const char *text;
        uint32_t value;
    } packets[] = {
        { "<x tiff:Orientation=\"6\"/>", 6 },
        { "<tiff:Orientation>3</tiff:Orientation>", 3 },
        { "tiff:Orientation=\"8", 8 },
        { "tiff:Orientation>8", 8 },
        { "tiff:Orientation=\"", 0 },
        { "tiff:Orientation>", 0 },
        { "tiff:Orientation", 0 },
        { "tiff:Orientation='6'", 0 },
        { "tiff:Orientation=\"0\"", 1 },
        { "tiff:Orientation=\"9\"", 1 },
        { "tiff:Orientations tiff:Orientation=\"x tiff:Orientation=\"7\"", 7 },
        { "tiff:Orientation=\"2\" tiff:Orientation=\"7\"", 2 },
        { "ttiff:Orientation=\"5\"", 5 },
        { "", 0 },
    };
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
        ck_assert_msg(from_xmp(packets[i].text) == packets[i].value, "%s", packets[i].text);
}
END_TEST

/* The first Exif block and the last packet count, and a packet only without such a tag. */
START_TEST(several_segments)
{
    static const char first[] = "http://ns.adobe.com/xap/1.0/\0tiff:Orientation=\"5\"";
    static const char second[] = "http://ns.adobe.com/xap/1.0/\0tiff:Orientation=\"7\"";
    uint8_t exif[64], none[64], odd[64];
    size_t n = make_exif(exif, 0, 3, 3), m = make_exif(none, 1, 3, 3);
    size_t k = make_exif(odd, 0, 3, 77);
    struct pcri_orientation o = { 0 };
    none[29] = 0x13; /* another tag in place of orientation */
    pcri_orientation_add_app1(&o, (const uint8_t *) first, sizeof(first) - 1);
    ck_assert_uint_eq(pcri_orientation_of(&o), 5);
    pcri_orientation_add_app1(&o, (const uint8_t *) second, sizeof(second) - 1);
    ck_assert_uint_eq(pcri_orientation_of(&o), 7);
    pcri_orientation_add_app1(&o, none, m);
    ck_assert_uint_eq(pcri_orientation_of(&o), 7);
    pcri_orientation_add_app1(&o, exif, n);
    ck_assert_uint_eq(pcri_orientation_of(&o), 7);
    pcri_orientation_set_exif(&o, exif, n);
    ck_assert_uint_eq(pcri_orientation_of(&o), 3);
    pcri_orientation_set_exif(&o, odd, k);
    ck_assert_uint_eq(pcri_orientation_of(&o), 1);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("exif");
    tcase_add_test(t, all_values);
    tcase_add_test(t, other_payloads);
    tcase_add_test(t, every_truncation);
    tcase_add_test(t, lying_sizes);
    tcase_add_test(t, xmp_packets);
    tcase_add_test(t, several_segments);
    return tests_run();
}
