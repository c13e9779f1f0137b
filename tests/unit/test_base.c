/* SPDX-License-Identifier: BSD-2-Clause */
/* base: errors, buffers, options, cursors, zstd, random. */
#include <check.h>
#include <xxhash.h>
#include <zstd.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"
#include "base/random.h"
#include "base/siphash.h"
#include "base/utf8.h"
#include "base/zstd.h"
#include "base/wide.h"
#include "suite.h"

START_TEST(error_messages)
{
    struct pcr_error e;
    ck_assert_int_eq(pcri_fail_at(&e, PCR_ERR_CORRUPT, 42, "scan %d", 3), PCR_ERR_CORRUPT);
    ck_assert_int_eq(e.offset, 42);
    pcri_prefix(&e, e.code, "%s", "a.jpg");
    ck_assert_str_eq(e.message, "a.jpg@42: scan 3");
    ck_assert_int_eq(pcri_fail_sys(&e, ENOSPC, "write"), PCR_ERR_IO);
    ck_assert_int_eq(e.sys_errno, ENOSPC);
    ck_assert_ptr_nonnull(strstr(e.message, "No space left"));
    ck_assert_int_eq(pcri_fail_sys(&e, ENOMEM, "map"), PCR_ERR_NOMEM);
    ck_assert_int_eq(pcri_fail_sys(&e, 99999, "odd"), PCR_ERR_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "99999"));
    ck_assert_int_eq(pcri_fail(NULL, PCR_ERR_INVAL, "x"), PCR_ERR_INVAL);
    for (int c = -9; c <= 2; c++)
        ck_assert_str_ne(pcr_code_name(c), "UNKNOWN");
    ck_assert_str_eq(pcr_code_name(77), "UNKNOWN");
}
END_TEST

/* Control characters and what is no UTF-8 stand in no message, also where a prefix is long. */
START_TEST(messages_are_tame)
{
    struct pcr_error e;
    pcri_fail(&e, PCR_ERR_INVAL, "a\n\x1b[31m\x7f \xc2\x85\xc2\x9f\xc2\xa0 \x9b \xc3\xa9\xc3");
    ck_assert_str_eq(e.message, "a\\x0a\\x1b[31m\\x7f \\xc2\\x85\\xc2\\x9f\xc2\xa0 \\x9b "
                                "\xc3\xa9\\xc3");
    pcri_prefix(&e, e.code, "%0*d\xc2\x90", 484, 1);
    ck_assert_uint_lt(strlen(e.message), sizeof(e.message));
    ck_assert(pcri_utf8_valid(e.message, strlen(e.message)));
    ck_assert_ptr_null(strchr(e.message, '\x90'));
}
END_TEST

START_TEST(options_size_rule)
{
    struct {
        uint32_t size, flags;
        uint64_t a;
    } o, old = { 8, 7, 99 };
    struct {
        uint32_t size, flags;
        uint64_t a, b;
    } newer = { sizeof(newer), 1, 2, 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcri_options_copy(&o, sizeof(o), NULL, "o", &e), 0);
    ck_assert_int_eq(o.size, sizeof(o));
    ck_assert_int_eq(pcri_options_copy(&o, sizeof(o), &old, "o", &e), 0);
    ck_assert_int_eq(o.flags, 7);
    ck_assert_int_eq(o.a, 0); /* beyond the size that the caller knew */
    ck_assert_int_eq(pcri_options_copy(&o, sizeof(o), &newer, "o", &e), 0);
    newer.b = 1;
    ck_assert_int_eq(pcri_options_copy(&o, sizeof(o), &newer, "o", &e), PCR_ERR_UNSUPPORTED);
    newer.size = 0;
    ck_assert_int_eq(pcri_options_copy(&o, sizeof(o), &newer, "o", &e), PCR_ERR_INVAL);
}
END_TEST

START_TEST(varints)
{
    static const uint64_t values[] = { 0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX };
    struct pcr_buffer b = { 0 };
    for (size_t i = 0; i < 7; i++)
        ck_assert_int_eq(pcri_buffer_append_varint(&b, values[i], NULL), 0);
    struct pcri_cursor c = { b.data, b.data + b.nbytes, false };
    for (size_t i = 0; i < 7; i++)
        ck_assert_uint_eq(pcri_get_varint(&c), values[i]);
    ck_assert(!c.bad);
    pcri_get_varint(&c);
    ck_assert(c.bad);
    pcr_buffer_free(&b);

    static const uint8_t too_long[] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 2 };
    c = (struct pcri_cursor) { too_long, too_long + sizeof(too_long), false };
    pcri_get_varint(&c);
    ck_assert(c.bad);
    static const int64_t numbers[] = { 0, -1, 1, INT64_MIN, INT64_MAX };
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(pcri_unzigzag(pcri_zigzag(numbers[i])), numbers[i]);
}
END_TEST

START_TEST(reserve_keeps_contents)
{
    struct pcr_buffer b = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcr_buffer_reserve(NULL, 1, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_buffer_reserve(&b, 3, &e), 0);
    memcpy(b.data, "abc", 3);
    b.nbytes = 3;
    ck_assert_int_eq(pcr_buffer_reserve(&b, 100000, &e), 0);
    ck_assert_uint_ge(b.capacity, 100000);
    ck_assert_int_eq(pcr_buffer_reserve(&b, SIZE_MAX, &e), PCR_ERR_NOMEM);
    ck_assert_int_eq(pcri_buffer_append(&b, "", SIZE_MAX, &e), PCR_ERR_NOMEM);
    ck_assert_uint_eq(b.nbytes, 3);
    ck_assert_mem_eq(b.data, "abc", 3);
    pcr_buffer_free(&b);
}
END_TEST

START_TEST(renewed)
{
    struct pcr_buffer b = { 0 };
    struct pcr_error e;
    const size_t many = 2 * PCRI_HUGE_PAGE;
    ck_assert_int_eq(pcri_buffer_append(&b, "abc", 3, &e), 0);
    ck_assert_int_eq(pcri_buffer_renew(&b, many + 5, &e), 0);
    ck_assert_uint_eq(b.nbytes, 0);
    ck_assert_uint_ge(b.capacity, many + 5);
    memset(b.data, 1, many + 5);
    b.nbytes = many;
    uint8_t *before = b.data;
    ck_assert_int_eq(pcri_buffer_renew(&b, many, &e), 0); /* there is room */
    ck_assert_int_eq(pcri_buffer_renew(&b, 7, &e), 0);
    ck_assert_ptr_eq(b.data, before);
    ck_assert_uint_eq(b.nbytes, 0);
    ck_assert_int_eq(pcri_buffer_renew(&b, 17 * PCRI_HUGE_PAGE - 1, &e), 0);
    ck_assert_uint_eq((uintptr_t) b.data % PCRI_HUGE_PAGE, 0);
    ck_assert_uint_eq(b.capacity, 17 * PCRI_HUGE_PAGE);
    ck_assert_int_eq(pcri_buffer_renew(&b, SIZE_MAX, &e), PCR_ERR_NOMEM);
    ck_assert_int_eq(pcri_buffer_renew(&b, SIZE_MAX / 2, &e), PCR_ERR_NOMEM);
    ck_assert_ptr_null(b.data);
    ck_assert_uint_eq(b.capacity, 0);
    ck_assert_int_eq(pcri_buffer_renew(&b, 7, &e), 0);
    ck_assert_uint_ge(b.capacity, 7);
    pcr_buffer_free(&b);
}
END_TEST

/* Whether the mapping that holds p asks for huge pages. */
static bool is_advised(const void *p)
{
    char line[4096];
    unsigned long begin, end;
    bool here = false, advised = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
            here = begin <= (uintptr_t) p && (uintptr_t) p < end;
        else if (here && !strncmp(line, "VmFlags:", 8))
            advised = strstr(line, " hg");
    }
    if (f)
        fclose(f);
    return advised;
}

START_TEST(huge_pages)
{
    struct pcr_buffer b = { 0 };
    struct pcr_error e;
    const bool some = !access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) &&
                      !access("/proc/self/smaps", R_OK);
    for (size_t nbytes = PCRI_HUGE_PAGE; nbytes <= 16 * PCRI_HUGE_PAGE; nbytes *= 4) {
        ck_assert_int_eq(pcri_buffer_renew(&b, nbytes, &e), 0);
        const size_t begin = -(uintptr_t) b.data % PCRI_HUGE_PAGE;
        const bool whole = begin + PCRI_HUGE_PAGE <= nbytes;
        ck_assert(is_advised(b.data + begin) == (some && whole));
        memset(b.data, 1, nbytes);
    }
    pcr_buffer_free(&b);
}
END_TEST

START_TEST(zstd_round_trip)
{
    struct pcr_buffer a = { 0 }, b = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcri_zstd_pack("hello hello hello", 17, 19, &a, &e), 0);
    ck_assert_int_eq(pcri_zstd_unpack(a.data, a.nbytes, 17, &b, &e), 0);
    ck_assert_mem_eq(b.data, "hello hello hello", 17);
    ck_assert_int_eq(pcri_zstd_unpack(a.data, a.nbytes, 18, &b, &e), PCR_ERR_CORRUPT);
    ck_assert_int_eq(pcri_zstd_unpack(a.data, a.nbytes - 1, 17, &b, &e), PCR_ERR_CORRUPT);
    a.data[a.nbytes - 5] ^= 0x55;
    int rc = pcri_zstd_unpack(a.data, a.nbytes, 17, &b, &e);
    ck_assert(rc == PCR_ERR_CORRUPT || memcmp(b.data, "hello hello hello", 17));
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

enum { LARGE = 24 << 20 };

/* LARGE zeroes with "begin" and "end" about them. */
static void pack_large(struct pcr_buffer *out, int window_log, int checksum)
{
    uint8_t *raw = calloc(1, LARGE);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ck_assert(raw && c);
    memcpy(raw, "begin", 5);
    memcpy(raw + LARGE - 3, "end", 3);
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log)));
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum)));
    ck_assert_int_eq(pcri_buffer_reserve(out, ZSTD_compressBound(LARGE), NULL), 0);
    out->nbytes = ZSTD_compress2(c, out->data, out->capacity, raw, LARGE);
    ck_assert(!ZSTD_isError(out->nbytes));
    ZSTD_freeCCtx(c);
    free(raw);
}

START_TEST(zstd_in_parts)
{
    struct pcr_buffer packed = { 0 };
    struct pcri_unpacker *u = NULL;
    struct pcr_error e;
    char begin[5], end[3];
    pack_large(&packed, PCRI_ZSTD_WINDOW_LOG, 0);
    ck_assert_int_eq(pcri_unpacker_create(packed.data, packed.nbytes, LARGE, &u, &e), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, begin, 5, &e), 0);
    ck_assert_mem_eq(begin, "begin", 5);
    ck_assert_int_eq(pcri_unpacker_read(u, NULL, LARGE - 8, &e), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, end, 3, &e), 0);
    ck_assert_mem_eq(end, "end", 3);
    ck_assert_int_eq(pcri_unpacker_finish(u, &e), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, end, 1, &e), PCR_ERR_CORRUPT);
    pcri_unpacker_destroy(&u);
    ck_assert_int_eq(pcri_unpacker_create(packed.data, packed.nbytes, LARGE, &u, &e), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, NULL, LARGE - 1, &e), 0);
    ck_assert_int_eq(pcri_unpacker_finish(u, &e), PCR_ERR_CORRUPT);
    pcri_unpacker_destroy(&u);
    ck_assert_int_eq(pcri_unpacker_create(packed.data, packed.nbytes - 1, LARGE, &u, &e),
                     PCR_ERR_CORRUPT);
    ck_assert_ptr_null(u);
    packed.nbytes = 0;
    pack_large(&packed, PCRI_ZSTD_WINDOW_LOG, 1); /* with a checksum, which is wrong */
    packed.data[packed.nbytes - 1] ^= 1;
    ck_assert_int_eq(pcri_unpacker_create(packed.data, packed.nbytes, LARGE, &u, &e), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, NULL, LARGE - 1, &e), 0);
    int rc = pcri_unpacker_read(u, end, 1, &e);
    ck_assert_int_eq(rc ? rc : pcri_unpacker_finish(u, &e), PCR_ERR_CORRUPT);
    pcri_unpacker_destroy(&u);
    packed.nbytes = 0;
    pack_large(&packed, PCRI_ZSTD_WINDOW_LOG + 1, 0);
    ck_assert_int_eq(pcri_unpacker_create(packed.data, packed.nbytes, LARGE, &u, &e), 0);
    ck_assert_int_eq(pcri_unpacker_read(u, begin, 5, &e), PCR_ERR_LIMIT);
    pcri_unpacker_destroy(&u);
    pcr_buffer_free(&packed);
}
END_TEST

START_TEST(permutation_is_a_bijection)
{
    static const uint64_t sizes[] = { 1, 2, 3, 5, 64, 65, 1000, 4097 };
    for (size_t s = 0; s < 8; s++) {
        uint64_t n = sizes[s];
        bool *seen = calloc(n, sizeof(*seen));
        ck_assert_ptr_nonnull(seen);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t j = pcri_permute(pcri_key(1, 2, 3), n, i);
            ck_assert_uint_lt(j, n);
            ck_assert(!seen[j]);
            seen[j] = true;
        }
        free(seen);
    }
}
END_TEST

START_TEST(allocation_overflow)
{
    struct pcr_error e;
    ck_assert_ptr_null(pcri_malloc(SIZE_MAX, 2, &e));
    ck_assert_int_eq(e.code, PCR_ERR_NOMEM);
    ck_assert_ptr_null(pcri_calloc(SIZE_MAX, 2, &e));
    ck_assert_ptr_null(pcri_strndup("", SIZE_MAX, &e));
    /* Of what is beyond a size_t the lower half counts for nothing. */
    uint64_t beyond = SIZE_MAX > UINT32_MAX ? UINT64_MAX - 7 : (UINT64_C(1) << 32) + 8;
    ck_assert_ptr_null(pcri_malloc(beyond, 1, &e));
    ck_assert_int_eq(e.code, PCR_ERR_NOMEM);
    ck_assert_ptr_null(pcri_calloc(beyond, 1, &e));
    ck_assert_uint_ge(pcri_cpu_count(), 1);
}
END_TEST

/* The product of a and b, digit by digit. */
static void multiply(uint64_t a, uint64_t b, uint64_t *high, uint64_t *low)
{
    *high = *low = 0;
    for (int i = 63; i >= 0; i--) {
        *high = *high << 1 | *low >> 63;
        *low <<= 1;
        if (b >> i & 1) {
            *low += a;
            *high += *low < a;
        }
    }
}

START_TEST(wide_products)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      2,
                                      UINT32_MAX,
                                      UINT64_C(1) << 32,
                                      UINT64_MAX / 2,
                                      UINT64_C(1) << 63,
                                      UINT64_MAX - 1,
                                      UINT64_MAX };
    enum { EDGES = sizeof(edges) / sizeof(edges[0]) };
    for (uint64_t i = 0; i < 3000; i++) {
        bool edge = i < EDGES * EDGES;
        uint64_t a = edge ? edges[i % EDGES] : pcri_key(1, i, 0) >> pcri_key(2, i, 0) % 64;
        uint64_t b = edge ? edges[i / EDGES] : pcri_key(1, i, 1) >> pcri_key(2, i, 1) % 64;
        uint64_t high, low, got, d, rest;
        multiply(a, b, &high, &low);
        ck_assert_uint_eq(pcri_wide_mul(a, b, &got), high);
        ck_assert_uint_eq(got, low);
        d = high + 1 + pcri_key(3, i, 0) % (UINT64_MAX - high);
        uint64_t n = pcri_wide_div(high, low, d, &rest);
        ck_assert_uint_lt(rest, d);
        uint64_t back_high, back_low;
        multiply(n, d, &back_high, &back_low);
        back_low += rest;
        back_high += back_low < rest;
        ck_assert(back_high == high && back_low == low);
    }
}
END_TEST

/* The library's own, whatever the CPU, is the one in the system's library, of each length
 * and at each alignment. */
START_TEST(checksums)
{
    uint8_t bytes[5000];
    uint32_t state = 1, bad = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t) ((state = state * 1664525 + 1013904223) >> 24);
    for (size_t n = 0; n + 8 <= sizeof(bytes); n += n < 600 ? 1 : 97)
        bad += pcri_xxh3(bytes + n % 8, n) != XXH3_64bits(bytes + n % 8, n);
    ck_assert_uint_eq(bad, 0);
    ck_assert_uint_eq(pcri_xxh3(NULL, 0), XXH3_64bits("", 0));
}
END_TEST

/* The first and the sixteenth of the values that are published for the key 0 to 15. */
START_TEST(siphash)
{
    const struct pcri_siphash_key key = { 0x0706050403020100, 0x0F0E0D0C0B0A0908 };
    uint8_t bytes[15];
    for (uint8_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i;
    ck_assert_uint_eq(pcri_siphash(&key, NULL, 0), UINT64_C(0xabac0158050fc4dc));
    ck_assert_uint_eq(pcri_siphash(&key, bytes, sizeof(bytes)), UINT64_C(0xd320d86d2a519956));
    struct pcri_siphash_key a, b;
    pcri_siphash_key(&a);
    pcri_siphash_key(&b);
    ck_assert_mem_ne(&a, &b, sizeof(a));
}
END_TEST

/* Texts are what jansson, the control, takes them for. */
static void check_json(const char *text, size_t nbytes)
{
    struct pcri_json_fault fault = { 0 };
    json_t *ours,
        *theirs = json_loadb(text, nbytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    int rc = pcri_json_parse(text, nbytes, PCRI_JSON_ANY, &ours, &fault, NULL);
    ck_assert_msg(rc == !theirs && !ours == !theirs, "%.*s: %d %s", (int) nbytes, text, rc,
                  rc ? fault.what : "");
    ck_assert_msg(rc || json_equal(ours, theirs), "%.*s", (int) nbytes, text);
    ck_assert(!rc || (fault.what && fault.offset <= nbytes));
    json_decref(ours);
    json_decref(theirs);

    /* To be passed over it must be as good, but for names that stand twice. */
    struct pcri_json_reader r = pcri_json_reader(text, nbytes, NULL);
    rc = pcri_json_pass(&r);
    rc = rc ? rc : pcri_json_end(&r);
    pcri_json_close(&r);
    ck_assert_int_eq(rc, pcri_json_parse(text, nbytes, PCRI_JSON_ANY | PCRI_JSON_DUPLICATES,
                                         &ours, &fault, NULL));
    json_decref(ours);
}

START_TEST(json_texts)
{
    static const char *const texts[] = {
        "",
        " ",
        "null",
        "tru",
        "nul",
        "true false",
        "[1,-0,0.5,1e3,1E-2,-1.25e+2]",
        "01",
        "-",
        "1.",
        "1e",
        ".5",
        "+1",
        "\v1",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "1e309",
        "1e-400",
        "NaN",
        "0.1234567890123456",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"a\":[{}]}}",
        "[1 2]",
        "[[[[]]]]",
        "[}",
        " \t\r\n[ ] ",
        "\"\\u0000\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\u12g4\"",
        "\"\\q\"",
        "\"\t\"",
        "\"open",
        "\"\xc3\xa9\\u00e9\xf0\x9f\x98\x80\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "{\"\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
    };
    static const char sample[] =
        "{\"a name\":[1,-2.5e-3,true,null,\"\\u00e9\\ud83d\\ude00\\n\"],\"b\":{\"c\":{}},"
        "\"d\":\"\xc3\xa9\"}";
    static const char bytes[] = "{}[]\",:\\ue0-+.1dtn \xc3\xff";
    char text[sizeof(sample)];
    uint32_t state = 7;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_json(texts[i], strlen(texts[i]));
    for (int i = 0; i < 20000; i++) {
        memcpy(text, sample, sizeof(text));
        for (int k = 0; k <= i % 3; k++) {
            state = state * 1664525 + 1013904223;
            text[(state >> 8) % (sizeof(text) - 1)] =
                bytes[(state >> 20) % (sizeof(bytes) - 1)];
        }
        check_json(text, i % 4 ? sizeof(text) - 1 : (state >> 16) % sizeof(text));
    }
}
END_TEST

START_TEST(json_in_pieces)
{
    static const char text[] = " { \"a\" : [ 1, 20 ,18446744073709551615] , \"b\":\"x\\n\", "
                               "\"none\":[], \"c\":{\"a\":[1,2.5e3,null]} }";
    static const char *const no_wholes[] = {
        "-1", "01", "1.0", "1e2", "18446744073709551616", "\"1\"", "", "true"
    };
    struct pcri_json_reader r = pcri_json_reader(text, sizeof(text) - 1, NULL);
    const char *name, *string;
    size_t nbytes;
    uint64_t n[3];
    ck_assert_int_eq(pcri_json_first(&r, '['), 1);
    ck_assert_int_eq(pcri_json_first(&r, '{'), 0);
    ck_assert_int_eq(pcri_json_name(&r, &name), 0);
    ck_assert_str_eq(name, "a");
    ck_assert_int_eq(pcri_json_first(&r, '['), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pcri_json_whole(&r, UINT64_MAX, &n[i]), 0);
        ck_assert_int_eq(pcri_json_next(&r, ']'), i < 2 ? 0 : PCRI_JSON_LAST);
    }
    ck_assert(n[0] == 1 && n[1] == 20 && n[2] == UINT64_MAX);
    ck_assert_int_eq(pcri_json_next(&r, '}'), 0);
    ck_assert_int_eq(pcri_json_name(&r, &name), 0);
    ck_assert_int_eq(pcri_json_whole(&r, 9, &n[0]), 1);
    ck_assert_int_eq(pcri_json_string(&r, &string, &nbytes), 0);
    ck_assert(nbytes == 2 && !strcmp(string, "x\n"));
    ck_assert_int_eq(pcri_json_next(&r, '}'), 0);
    ck_assert_int_eq(pcri_json_name(&r, &name), 0);
    ck_assert_int_eq(pcri_json_first(&r, '['), PCRI_JSON_LAST);
    ck_assert_int_eq(pcri_json_next(&r, '}'), 0);
    ck_assert_int_eq(pcri_json_name(&r, &name), 0);
    ck_assert_int_eq(pcri_json_string(&r, &string, &nbytes), 1);
    ck_assert_int_eq(pcri_json_pass(&r), 0);
    ck_assert_int_eq(pcri_json_next(&r, '}'), PCRI_JSON_LAST);
    ck_assert_int_eq(pcri_json_end(&r), 0);
    pcri_json_close(&r);
    for (size_t i = 0; i < sizeof(no_wholes) / sizeof(no_wholes[0]); i++) {
        r = pcri_json_reader(no_wholes[i], strlen(no_wholes[i]), NULL);
        int rc = pcri_json_whole(&r, UINT64_MAX, &n[0]);
        ck_assert_msg(rc == 1, "%s", no_wholes[i]);
        pcri_json_close(&r);
    }
    r = pcri_json_reader("8", 1, NULL);
    ck_assert_int_eq(pcri_json_whole(&r, 7, &n[0]), 1);
    pcri_json_close(&r);
}
END_TEST

START_TEST(json_limits)
{
    char deep[2 * PCRI_JSON_DEPTH + 3], number[PCRI_JSON_NUMBER + 4];
    struct pcri_json_fault fault;
    json_t *v;
    for (size_t n = PCRI_JSON_DEPTH; n <= PCRI_JSON_DEPTH + 1; n++) {
        memset(deep, '[', n);
        memset(deep + n, ']', n);
        ck_assert_int_eq(pcri_json_parse(deep, 2 * n, 0, &v, &fault, NULL),
                         n > PCRI_JSON_DEPTH);
        json_decref(v);
    }
    for (size_t n = PCRI_JSON_NUMBER; n <= PCRI_JSON_NUMBER + 1; n++) {
        memset(number, '1', sizeof(number));
        number[1] = '.';
        ck_assert_int_eq(pcri_json_parse(number, n, PCRI_JSON_ANY, &v, &fault, NULL),
                         n > PCRI_JSON_NUMBER);
        json_decref(v);
    }
    ck_assert_int_eq(pcri_json_parse("1", 1, 0, &v, &fault, NULL), 1);
    ck_assert_int_eq(pcri_json_parse("[1\0]", 4, 0, &v, &fault, NULL), 1);
    ck_assert_int_eq(pcri_json_parse("{} x", 4, 0, &v, &fault, NULL), 1);
    ck_assert_uint_eq(fault.offset, 3);
    ck_assert_int_eq(pcri_json_parse("{\"a\":1,\"a\":2} x", 15,
                                     PCRI_JSON_BEGINNING | PCRI_JSON_DUPLICATES, &v, NULL,
                                     NULL),
                     0);
    ck_assert_int_eq(json_integer_value(json_object_get(v, "a")), 2);
    json_decref(v);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("base");
    tcase_add_test(t, error_messages);
    tcase_add_test(t, messages_are_tame);
    tcase_add_test(t, options_size_rule);
    tcase_add_test(t, varints);
    tcase_add_test(t, checksums);
    tcase_add_test(t, siphash);
    tcase_add_test(t, json_texts);
    tcase_add_test(t, json_in_pieces);
    tcase_add_test(t, json_limits);
    tcase_add_test(t, reserve_keeps_contents);
    tcase_add_test(t, renewed);
    tcase_add_test(t, huge_pages);
    tcase_add_test(t, zstd_round_trip);
    tcase_add_test(t, zstd_in_parts);
    tcase_add_test(t, permutation_is_a_bijection);
    tcase_add_test(t, allocation_overflow);
    tcase_add_test(t, wide_products);
    return tests_run();
}
