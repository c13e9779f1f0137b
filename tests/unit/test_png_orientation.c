/* SPDX-License-Identifier: BSD-2-Clause */
/* png_orientation: Exif blocks and XMP in a PNG's chunks, of which some are odd. */
#include <check.h>
#include <stdio.h>
#include <zlib.h>

#include "base/base.h"
#include "image/codecs/codec.h"
#include "suite.h"

static struct pcr_error error;
static struct pcr_buffer scratch;
static uint8_t file[65536];
static size_t used;

static void setup(void)
{
    memcpy(file, "\x89PNG\r\n\x1a\n", 8);
    used = 8;
}

static void teardown(void)
{
    pcr_buffer_free(&scratch);
}

static void chunk(const char *type, const void *data, size_t nbytes)
{
    ck_assert_uint_le(used + nbytes + 12, sizeof(file));
    uint8_t *p = file + used;
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t) (nbytes >> (24 - 8 * i));
    memcpy(p + 4, type, 4);
    memcpy(p + 8, data, nbytes);
    uint32_t crc = (uint32_t) crc32(crc32(0, NULL, 0), p + 4, (uInt) nbytes + 4);
    for (int i = 0; i < 4; i++)
        p[8 + nbytes + (size_t) i] = (uint8_t) (crc >> (24 - 8 * i));
    used += nbytes + 12;
}

#define CHUNK(type, text) chunk(type, text, sizeof(text) - 1)

static void is(uint32_t expected)
{
    uint32_t found = 99;
    ck_assert_int_eq(pcri_png_orientation(file, used, &scratch, &found, &error), 0);
    ck_assert_uint_eq(found, expected);
}

#define EXIF(o) "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0" o "\0\0\0\0\0\0"
#define HEX(o) \
    "\nexif\n      26\n4D4D002a 00000008\n0001 01120003\t00000001\r\n" \
    "000" o "0000\n00000000\n"
#define XMP(o) "<x tiff:Orientation=\"" o "\"/>"

START_TEST(exif_blocks)
{
    is(1);
    CHUNK("IDAT", "x");
    CHUNK("eXIf", EXIF("\6")); /* after the pixels counts where there is no other */
    is(6);
    setup();
    CHUNK("eXIf", EXIF("\3"));
    CHUNK("IDAT", "x");
    CHUNK("eXIf", EXIF("\6"));
    CHUNK("tEXt", "exif\0" EXIF("\7"));
    is(3);
    setup();
    CHUNK("eXIf", EXIF("\3"));
    CHUNK("tEXt", "exif\0" EXIF("\7")); /* of two alike the later one counts */
    is(7);
    setup();
    CHUNK("iTXt", "exif\0" EXIF("\7")); /* no name for such a chunk */
    is(1);
    CHUNK("eXIf", EXIF("\6"));
    file[used - 1] ^= 1; /* a wrong checksum */
    is(1);
}
END_TEST

START_TEST(digits)
{
    CHUNK("tEXt", "Raw profile type exif\0" HEX("6"));
    is(6);
    setup();
    CHUNK("tEXt", "Raw profile type exif\0\nexif\n 26\n4D4g");
    is(1);
    setup();
    CHUNK("tEXt", "Raw profile type exif\0\nexif\n 26\n4D4"); /* half a byte */
    is(1);
    setup();
    CHUNK("tEXt", "Raw profile type exif\0\nexif\n 26\n4D\0");
    is(1);
    setup();
    CHUNK("tEXt", "Raw profile type exif\0");
    is(1);
    setup();
    CHUNK("tEXt", "Raw profile type exif"); /* another name, without an end */
    is(1);
    setup();
    CHUNK("tEXt", "Raw profile type exif\0" HEX("8"));
    CHUNK("eXIf", EXIF("\3")); /* a block goes before text */
    is(3);
}
END_TEST

START_TEST(packets)
{
    CHUNK("iTXt", "XML:com.adobe.xmp\0\0\0\0\0" XMP("5"));
    is(5);
    setup();
    CHUNK("iTXt", "XML:com.adobe.xmp\0\0\1en\0title\0" XMP("7")); /* a method says nothing */
    is(7);
    setup();
    CHUNK("iTXt", "XML:com.adobe.xmp\0\1\1\0\0" XMP("5")); /* deflated in a way not known */
    is(1);
    setup();
    CHUNK("iTXt", "XML:com.adobe.xmp\0\0");
    is(1);
    setup();
    CHUNK("iTXt", "XML:com.adobe.xmp\0\0\0no end");
    is(1);
    setup();
    CHUNK("tEXt", "XML:com.adobe.xmp\0" XMP("4"));
    is(4);
    CHUNK("tEXt", "Raw profile type exif\0" HEX("6")); /* Exif goes before XMP */
    is(6);
    setup();
    CHUNK("tEXt", "XML:com.adobe.xmp\0<tiff:Orientation>3</tiff:Orientation>");
    is(3);
    setup();
    CHUNK("tEXt", "XML:com.adobe.xmp\0" XMP("9"));
    is(1);
    setup();
    CHUNK("tEXt", "XML:com.adobe.xmp\0<x tiff:Orientation:\"6\" tiff:Orientatiom=\"6\"/>");
    is(1);
}
END_TEST

START_TEST(deflated)
{
    static const char text[] = HEX("8"), packet[] = XMP("2");
    uint8_t data[512] = "Raw profile type exif";
    uLongf room = sizeof(data) - 23;
    ck_assert_int_eq(compress(data + 23, &room, (const Bytef *) text, sizeof(text) - 1), Z_OK);
    chunk("zTXt", data, 23 + room);
    is(8);
    setup();
    data[22] = 1; /* another way to deflate */
    chunk("zTXt", data, 23 + room);
    is(1);
    setup();
    data[22] = 0;
    data[23 + 5] ^= 0x55;
    chunk("zTXt", data, 23 + room);
    is(1);
    setup();
    chunk("zTXt", data, 22); /* nothing after the name */
    is(1);
    setup();
    memset(data, 0, sizeof(data));
    memcpy(data, "XML:com.adobe.xmp\0\1", 19);
    room = sizeof(data) - 22;
    ck_assert_int_eq(compress(data + 22, &room, (const Bytef *) packet, sizeof(packet) - 1),
                     Z_OK);
    chunk("iTXt", data, 22 + room);
    is(2);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("png_orientation");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, exif_blocks);
    tcase_add_test(t, digits);
    tcase_add_test(t, packets);
    tcase_add_test(t, deflated);
    return tests_run();
}
