/* SPDX-License-Identifier: BSD-2-Clause */
/* stream: windows over files, plain and compressed; CRC-32C. */
#include <check.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/base.h"
#include "base/random.h"
#include "io/stream.h"
#include "suite.h"
#include "top.h"

enum { NBYTES = 3 << 20 };

static uint8_t *bytes;

static const char *const packings[] = { NULL, "gzip", "zstd" };

static void setup(void)
{
    top_make();
    bytes = malloc(NBYTES);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < NBYTES; i++)
        bytes[i] = (uint8_t) (pcri_mix(i / 3) >> 20);
}

static void teardown(void)
{
    free(bytes);
    top_free();
}

/* A bit at a time. */
static uint32_t slow_crc(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;
    for (; n; n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

START_TEST(crc32c)
{
    ck_assert_uint_eq(pcri_crc32c("123456789", 9), 0xe3069283u);
    ck_assert_uint_eq(pcri_crc32c("", 0), 0);
    for (size_t n = 0; n < 100; n++)
        for (size_t at = 0; at < 9; at++)
            ck_assert_uint_eq(pcri_crc32c(bytes + at, n), slow_crc(bytes + at, n));
}
END_TEST

static void write_plain(const char *name)
{
    test_put(&top, name, bytes, NBYTES);
}

/* Two gzip members. */
static size_t write_gzip(const char *name)
{
    size_t room = compressBound(NBYTES) + 100, used = 0;
    uint8_t *packed = malloc(room);
    for (int half = 0; half < 2; half++) {
        z_stream z = { .next_in = bytes + half * (NBYTES / 2), .avail_in = NBYTES / 2 };
        ck_assert_int_eq(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, 0), Z_OK);
        z.next_out = packed + used;
        z.avail_out = (uInt) (room - used);
        ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
        used += z.total_out;
        deflateEnd(&z);
    }
    test_put(&top, name, packed, used);
    free(packed);
    return used;
}

static size_t write_zstd(const char *name)
{
    size_t room = ZSTD_compressBound(NBYTES);
    uint8_t *packed = malloc(room);
    size_t n = ZSTD_compress(packed, room, bytes, NBYTES, 1);
    ck_assert(!ZSTD_isError(n));
    test_put(&top, name, packed, n);
    free(packed);
    return n;
}

static void cut(const char *name, size_t nbytes)
{
    ck_assert_int_eq(truncate(at(name), (off_t) nbytes), 0);
}

static struct pcri_file_stream *open_stream(const char *name, const char *packing)
{
    static char path[512];
    struct pcri_file_stream *s;
    struct pcr_error err;
    snprintf(path, sizeof(path), "%s", at(name));
    ck_assert_msg(!pcri_stream_open(path, packing, &s, &err), "%s", err.message);
    return s;
}

static void check_get(struct pcri_file_stream *s, uint64_t offset, size_t nbytes)
{
    const uint8_t *p;
    size_t have, left = offset < NBYTES ? NBYTES - (size_t) offset : 0;
    struct pcr_error err;
    ck_assert_msg(!pcri_stream_get(s, offset, nbytes, &p, &have, &err), "%s", err.message);
    ck_assert_uint_eq(have, nbytes < left ? nbytes : left);
    if (have)
        ck_assert_mem_eq(p, bytes + offset, have);
}

START_TEST(forward)
{
    const char *packing = packings[_i];
    write_plain("plain");
    write_gzip("gzip");
    write_zstd("zstd");
    struct pcri_file_stream *s = open_stream(packing ? packing : "plain", packing);
    uint64_t offset = 0;
    for (uint64_t i = 0; offset < NBYTES; i++) {
        size_t nbytes = (size_t) (pcri_mix(i) % (i % 7 ? 5000 : 700000));
        check_get(s, offset, nbytes);
        check_get(s, offset + nbytes / 3, nbytes / 2);
        offset += nbytes + (i % 5 ? 0 : pcri_mix(i + 1000) % 300000);
    }
    check_get(s, NBYTES + 9, 1);
    const uint8_t *p;
    size_t have;
    struct pcr_error err;
    ck_assert_int_eq(pcri_stream_get(s, 0, PCRI_STREAM_MOST + 1u, &p, &have, &err),
                     PCR_ERR_LIMIT);
    if (!packing)
        check_get(s, 5, 100);
    else
        ck_assert_int_eq(pcri_stream_get(s, 5, 100, &p, &have, &err), PCR_ERR_INVAL);
    pcri_stream_close(&s);
    pcri_stream_close(&s);
}
END_TEST

/* What is before the damage is delivered. */
START_TEST(cut_off)
{
    const char *packing = packings[_i];
    size_t nbytes = _i == 1 ? write_gzip("a") : write_zstd("a");
    cut("a", nbytes - 1);
    struct pcri_file_stream *s = open_stream("a", packing);
    const uint8_t *p;
    size_t have;
    struct pcr_error err;
    check_get(s, 0, 100);
    check_get(s, 1000000, 1000000);
    ck_assert_int_eq(pcri_stream_get(s, 2000000, NBYTES, &p, &have, &err), PCR_ERR_TRUNCATED);
    ck_assert_uint_eq(err.offset, nbytes - 1);
    ck_assert_ptr_nonnull(strstr(err.message, "cut off"));
    ck_assert_int_eq(pcri_stream_get(s, NBYTES + 9, 1, &p, &have, &err), PCR_ERR_TRUNCATED);
    pcri_stream_close(&s);
}
END_TEST

START_TEST(damaged)
{
    write_plain("a"); /* bytes that no decompressor knows */
    struct pcri_file_stream *s = open_stream("a", packings[_i]);
    const uint8_t *p;
    size_t have;
    struct pcr_error err;
    ck_assert_int_eq(pcri_stream_get(s, 0, 1, &p, &have, &err), PCR_ERR_CORRUPT);
    ck_assert_int_eq(pcri_stream_get(s, 0, 1, &p, &have, &err), PCR_ERR_CORRUPT);
    pcri_stream_close(&s);
}
END_TEST

START_TEST(refused)
{
    struct pcri_file_stream *s;
    struct pcr_error err;
    ck_assert_int_eq(pcri_stream_open(top.path, NULL, &s, &err), PCR_ERR_IO);
    ck_assert_int_eq(pcri_stream_open("/none/such", "zstd", &s, &err), PCR_ERR_IO);
    ck_assert_ptr_null(s);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("stream");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, crc32c);
    tcase_add_loop_test(t, forward, 0, 3);
    tcase_add_loop_test(t, cut_off, 1, 3);
    tcase_add_loop_test(t, damaged, 1, 3);
    tcase_add_test(t, refused);
    return tests_run();
}
