/* SPDX-License-Identifier: BSD-2-Clause */
/* head: each column's rules, on heads that are put together by hand. */
#include <check.h>
#include <stdlib.h>

#include "base/zstd.h"
#include "dataset/materialise.h"
#include "record/columns.h"
#include "record/record.h"
#include "suite.h"

/* A head by columns: two samples (the first coded, the second opaque), two groups of one
 * piece each. Group 1 is 3 + 4 bytes, group 2 is 2 (metadata) + 5 bytes. */
struct column {
    uint16_t id, flags;
    const char *bytes;
    size_t nbytes;
};

enum { COLUMNS = 18, EXTRA = 3 };

#define COLUMN(id, text) \
    { \
        id, PCRI_COLUMN_REQUIRED, text, sizeof(text) - 1 \
    }
static const struct column good[COLUMNS] = {
    COLUMN(1, "\1\2"
              "abc"),
    COLUMN(2, "\0\2"
              "\3\4"),
    COLUMN(3, "\1\1n\5int64\3"
              "\1\0\1"),
    COLUMN(4, "\1\0"
              "\1\0"),
    COLUMN(5, "\x80\1\5"),
    COLUMN(6, "\7\0"),
    COLUMN(7, "\3\0"),
    COLUMN(8, "\x22\x11\x11\0\0\0\0\0"),
    COLUMN(9, "\6\1"),
    COLUMN(10, "\1\0"),
    COLUMN(11, "ladder"),
    COLUMN(12, "\2\3\1"
               "SOId"),
    COLUMN(13, "\2\0"
               "\0\5"),
    COLUMN(14, "\2\0"
               "\0\0"),
    COLUMN(15, "\3\4"
               "\5\0"),
    COLUMN(16, "abcdefghijklmnop"),
    COLUMN(17, "\x64\x65"),
    COLUMN(18, "\1\0"
               "\0\0\0\0\0\0\xE0\xBF"), /* -0.5 */
};

static struct pcri_header header(void)
{
    return (struct pcri_header) {
        .major = 1,
        .sample_count = 2,
        .group_count = 2,
        .header_nbytes = 144,
        .head_nbytes = 56,
        .groups = { { 207, 0, 1 }, { 214, 0, 1 } },
    };
}

static void put(struct pcr_buffer *b, const void *p, size_t nbytes)
{
    ck_assert_int_eq(pcri_buffer_append(b, p, nbytes, NULL), 0);
}

/* The bytes of a head; columns whose bytes are NULL are left out. */
static void assemble(const struct column *columns, size_t count, struct pcr_buffer *out)
{
    uint8_t entry[16] = { 0 };
    uint32_t present = 0;
    for (size_t i = 0; i < count; i++)
        present += columns[i].bytes != NULL;
    pcri_store32(entry, present);
    put(out, entry, 4);
    for (size_t i = 0; i < count; i++) {
        if (!columns[i].bytes)
            continue;
        pcri_store16(entry, columns[i].id);
        pcri_store16(entry + 2, columns[i].flags);
        pcri_store32(entry + 4, 0);
        pcri_store64(entry + 8, columns[i].nbytes);
        put(out, entry, sizeof(entry));
    }
    for (size_t i = 0; i < count; i++)
        if (columns[i].bytes)
            put(out, columns[i].bytes, columns[i].nbytes);
}

static int parse_columns(const struct column *columns, size_t count,
                         const struct pcr_limits *limits, struct pcri_head **out)
{
    struct pcri_header h = header();
    struct pcr_buffer raw = { 0 };
    struct pcr_error e;
    assemble(columns, count, &raw);
    int rc = pcri_head_parse(&h, &raw, limits, out, &e);
    ck_assert_ptr_null(raw.data);
    return rc;
}

START_TEST(values)
{
    struct pcri_head *h = NULL;
    struct pcr_buffer out = { 0 };
    struct pcr_error e;
    uint32_t n;
    ck_assert_int_eq(parse_columns(good, COLUMNS, NULL, &h), 0);
    ck_assert_str_eq(pcri_text(&h->keys, 0, &n), "a");
    ck_assert_str_eq(pcri_text(&h->keys, 1, &n), "bc");
    ck_assert_uint_eq(n, 2);
    struct pcr_buffer text = { 0 };
    ck_assert_int_eq(pcri_attributes_text(h->attributes, 0, &text, NULL), 0);
    ck_assert_str_eq((const char *) text.data, "{\"n\":-1}");
    ck_assert_int_eq(pcri_attributes_text(h->attributes, 1, &text, NULL), 0);
    ck_assert_str_eq((const char *) text.data, "{}");
    pcr_buffer_free(&text);
    ck_assert_int_eq(h->labels[0], -2);
    ck_assert_int_eq(h->labels[1], 2);
    ck_assert_uint_eq(h->label_first[1], 0);
    ck_assert_uint_eq(h->label_first[2], 2);
    ck_assert_double_eq(h->float_labels[0], -0.5);
    ck_assert_uint_eq(h->float_label_first[1], 1);
    ck_assert_uint_eq(h->float_label_first[2], 1);
    ck_assert_uint_eq(h->width[0], 128);
    ck_assert_uint_eq(h->sampling[0], 0x111122);
    ck_assert_uint_eq(h->orientation[0], 6);
    ck_assert_str_eq(h->ladder, "ladder");
    ck_assert_uint_eq(h->dictionary.count, 2);
    ck_assert_uint_eq(h->check[3], 0x706F6E6D);
    ck_assert_uint_eq(h->source_nbytes[1], 0x65);
    ck_assert_uint_eq(pcri_chunk_nbytes(h, 0, 1), 4);
    ck_assert_uint_eq(pcri_chunk_nbytes(h, 1, 0), 7);
    ck_assert_uint_eq(pcri_chunk_nbytes(h, 1, 1), 0);

    const uint8_t *const chunks[] = { (const uint8_t *) "xyz", (const uint8_t *) "mmvwxyz" };
    ck_assert_int_eq(pcri_materialise(h, 0, 1, chunks, &out, &e), 0);
    ck_assert_uint_eq(out.nbytes, 9);
    ck_assert_mem_eq(out.data, "SOIdxyz\xFF\xD9", 9);
    ck_assert_int_eq(pcri_materialise(h, 0, 2, chunks, &out, &e), 0);
    ck_assert_uint_eq(out.nbytes, 16);
    ck_assert_mem_eq(out.data, "SOImmdxyzvwxyz\xFF\xD9", 16);
    h->coded_groups[0] = 1; /* group 2 has another coding */
    ck_assert_int_eq(pcri_materialise(h, 0, 1, chunks, &out, &e), 0);
    ck_assert_int_eq(pcri_materialise(h, 0, 2, chunks, &out, &e), PCR_ERR_UNSUPPORTED);
    h->coding[0] = 9; /* and one that nobody knows */
    ck_assert_int_eq(pcri_materialise(h, 0, 1, chunks, &out, &e), PCR_ERR_UNSUPPORTED);
    pcr_buffer_free(&out);
    pcri_head_destroy(&h);
    pcri_head_destroy(&h);
}
END_TEST

/* Parses the good head with one column's bytes replaced. */
static int with(uint16_t id, const char *bytes, size_t nbytes)
{
    struct column columns[COLUMNS];
    struct pcri_head *h = NULL;
    memcpy(columns, good, sizeof(good));
    columns[id - 1].bytes = bytes;
    columns[id - 1].nbytes = nbytes;
    int rc = parse_columns(columns, COLUMNS, NULL, &h);
    pcri_head_destroy(&h);
    return rc;
}

/* What a column may be, and may not. */
static const struct {
    struct column column;
    int code;
} changes[] = {
    { COLUMN(1, "\1\2"
                "ab\0"),
      PCR_ERR_CORRUPT },
    { COLUMN(1, "\0\0"), 0 },
    { COLUMN(1, "\1"), PCR_ERR_CORRUPT },
    { COLUMN(1, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2"
                "abc"),
      PCR_ERR_CORRUPT },
    { COLUMN(2, "\0\0"), 0 },
    { COLUMN(2, "\1\1"
                "\3\4"),
      PCR_ERR_CORRUPT }, /* the first has floats */
    { COLUMN(2, "\4\0"
                "\2\3\4"),
      PCR_ERR_CORRUPT },
    { COLUMN(2, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\1"
                "\2"),
      PCR_ERR_CORRUPT },
    { COLUMN(2, "\1\0"
                "\x80"),
      PCR_ERR_CORRUPT },
    { COLUMN(3, "\1\1n\5int64\3"
                "\1\0\1x"),
      PCR_ERR_CORRUPT },
    { COLUMN(3, "\1\1n\5int64\4"
                "\1\0\1"),
      PCR_ERR_CORRUPT },
    { COLUMN(3, "\1\1n\5int32\3"
                "\1\0\1"),
      PCR_ERR_CORRUPT },
    { COLUMN(3, "\1\1n\5int64\1"
                "\1"),
      PCR_ERR_CORRUPT },
    { COLUMN(3, "\1\1\0\5int64\3"
                "\1\0\1"),
      PCR_ERR_CORRUPT },
    { COLUMN(3, "\2\1\1nm\4\4boolbool\3\3"
                "\1\0\1\1\0\1"),
      PCR_ERR_CORRUPT },
    { COLUMN(3, "\xFF\x7F\1n\5int64\3"
                "\1\0\1"),
      PCR_ERR_CORRUPT },
    { COLUMN(4, "\2\0"), PCR_ERR_CORRUPT },
    { COLUMN(5, "\xFF\xFF\xFF\xFF\x0F\0"), 0 },
    { COLUMN(5, "\x80\x80\x80\x80\x10\0"), PCR_ERR_CORRUPT },
    { COLUMN(6, "\x80\0\1"), 0 }, /* not the shortest form */
    { COLUMN(7, "\5\0"), PCR_ERR_CORRUPT },
    { COLUMN(8, "1234567"), PCR_ERR_CORRUPT },
    { COLUMN(9, "\0\1"), PCR_ERR_CORRUPT },
    { COLUMN(9, "\1\x09"), PCR_ERR_CORRUPT },
    { COLUMN(10, "\xFF\xFF"), 0 },
    { COLUMN(11, "la\0er"), PCR_ERR_CORRUPT },
    { COLUMN(11, ""), 0 },
    { COLUMN(12, "\0"), PCR_ERR_CORRUPT }, /* item and piece name strings */
    { COLUMN(12, "\3\3\1"
                 "SOId"),
      PCR_ERR_CORRUPT },
    { COLUMN(12, "\2\0\0"), 0 },
    { COLUMN(13, "\2\0"
                 "\4\5"),
      PCR_ERR_CORRUPT },
    { COLUMN(13, "\2\0"
                 "\2\5"),
      0 },
    { COLUMN(13, "\1\1"
                 "\5\0"),
      PCR_ERR_CORRUPT }, /* the opaque one has an item */
    { COLUMN(13, "\2\0"
                 "\0\7"),
      PCR_ERR_CORRUPT }, /* its metadata do not fit */
    { COLUMN(13, "\2\0"
                 "\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1"),
      PCR_ERR_CORRUPT },
    { COLUMN(14, "\3\0"
                 "\0\0"),
      PCR_ERR_CORRUPT },
    { COLUMN(14, "\2\1"
                 "\0\0"),
      PCR_ERR_CORRUPT }, /* the opaque one has a string */
    { COLUMN(15, "\4\3"
                 "\5\0"),
      0 },
    { COLUMN(15, "\3\4"
                 "\4\1"),
      PCR_ERR_CORRUPT }, /* opaque bytes in group 2 */
    { COLUMN(15, "\3\5"
                 "\5\0"),
      PCR_ERR_CORRUPT },
    { COLUMN(15, "\3\3"
                 "\5\0"),
      PCR_ERR_CORRUPT },
    { COLUMN(15, "\x80\x80\x80\x80\x10\4"
                 "\5\0"),
      PCR_ERR_CORRUPT },
    { COLUMN(17, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\1"), 0 },
    { COLUMN(17, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\2\1"), PCR_ERR_CORRUPT },
    { COLUMN(18, "\0\0"), 0 },
    { COLUMN(18, "\0\1"
                 "\0\0\0\0\0\0\xE0\xBF"),
      PCR_ERR_CORRUPT },
    { COLUMN(18, "\1\0"
                 "\0\0\0\0\0\0\xF0\x7F"),
      PCR_ERR_CORRUPT }, /* infinite */
    { COLUMN(18, "\1\0"
                 "\1\0\0\0\0\0\xF0\xFF"),
      PCR_ERR_CORRUPT }, /* a NaN */
    { COLUMN(18, "\1\0"
                 "\xFF\xFF\xFF\xFF\xFF\xFF\xEF\x7F"),
      0 }, /* the largest */
    { COLUMN(18, "\2\0"
                 "\0\0\0\0\0\0\xE0\xBF"),
      PCR_ERR_CORRUPT },
};

START_TEST(column_rules)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct column *c = &changes[i].column;
        int rc = with(c->id, c->bytes, c->nbytes);
        ck_assert_msg(rc == changes[i].code, "change %zu (column %u): %d", i, c->id, rc);
    }
    /* Without it: refused, or what its absence stands for. The good head names strings. */
    for (uint16_t id = 1; id <= COLUMNS; id++) {
        bool needed = id == 1 || (id >= 4 && id <= 7) || id == 12 || id == 15 || id == 16;
        int expected = needed || id == 13 ? PCR_ERR_CORRUPT : 0; /* 13: group 2 is 7 bytes */
        ck_assert_msg(with(id, NULL, 0) == expected, "column %u", id);
    }
    /* Each column must end just where it ends. */
    for (uint16_t id = 1; id <= COLUMNS; id++) {
        char longer[64] = { 0 };
        memcpy(longer, good[id - 1].bytes, good[id - 1].nbytes);
        longer[good[id - 1].nbytes] = 1;
        if (id == PCRI_COLUMN_LADDER)
            continue; /* any text */
        ck_assert_msg(with(id, longer, good[id - 1].nbytes + 1) == PCR_ERR_CORRUPT,
                      "longer column %u", id);
        ck_assert_msg(with(id, longer, good[id - 1].nbytes - 1) == PCR_ERR_CORRUPT,
                      "shorter column %u", id);
    }
}
END_TEST

START_TEST(unknown_columns)
{
    struct column columns[COLUMNS + EXTRA];
    struct pcri_head *h = NULL;
    memcpy(columns, good, sizeof(good));
    columns[COLUMNS] = (struct column) { 900, 0xFFFE, "whatever", 8 };
    columns[COLUMNS + 1] = (struct column) { 0, 0, "", 0 };
    ck_assert_int_eq(parse_columns(columns, COLUMNS + 2, NULL, &h), 0);
    size_t footprint = pcri_head_footprint(h);
    pcri_head_destroy(&h);
    static const char large[1 << 20];
    columns[COLUMNS + 2] = (struct column) { 901, 0, large, sizeof(large) }; /* is not kept */
    ck_assert_int_eq(parse_columns(columns, COLUMNS + 3, NULL, &h), 0);
    ck_assert_uint_eq(pcri_head_footprint(h), footprint);
    pcri_head_destroy(&h);
    columns[COLUMNS + 2] = columns[COLUMNS];
    ck_assert_int_eq(parse_columns(columns, COLUMNS + 3, NULL, &h), PCR_ERR_CORRUPT);
    columns[COLUMNS + 2] = columns[3];
    ck_assert_int_eq(parse_columns(columns, COLUMNS + 3, NULL, &h), PCR_ERR_CORRUPT);
    columns[COLUMNS].flags = PCRI_COLUMN_REQUIRED;
    ck_assert_int_eq(parse_columns(columns, COLUMNS + 1, NULL, &h), PCR_ERR_UNSUPPORTED);
    ck_assert_ptr_null(h);
}
END_TEST

START_TEST(sizes_have_limits)
{
    struct pcr_limits l = { .size = sizeof(l), .max_sample_nbytes = 16 };
    struct pcri_head *h = NULL;
    ck_assert_int_eq(parse_columns(good, COLUMNS, &l, &h), 0);
    ck_assert_uint_ge(pcri_head_footprint(h), sizeof(*h));
    pcri_head_destroy(&h);
    l.max_sample_nbytes = 15; /* the first sample materialises to 16 */
    ck_assert_int_eq(parse_columns(good, COLUMNS, &l, &h), PCR_ERR_LIMIT);
}
END_TEST

/* Any bytes at all: each byte of a head changed, each length cut. */
START_TEST(hostile_bytes)
{
    struct pcri_header header_bytes = header();
    struct pcr_buffer raw = { 0 };
    struct pcri_head *h = NULL;
    struct pcr_error e;
    int refused = 0;
    assemble(good, COLUMNS, &raw);
    for (size_t i = 0; i < 256 * raw.nbytes; i++) {
        struct pcr_buffer copy = { 0 };
        if (pcri_buffer_append(&copy, raw.data, raw.nbytes, NULL))
            ck_abort_msg("no memory");
        copy.data[i / 256] = (uint8_t) i;
        refused += pcri_head_parse(&header_bytes, &copy, NULL, &h, &e) != 0;
        pcri_head_destroy(&h);
    }
    ck_assert_int_gt(refused, 1000);
    for (size_t n = 0; n < raw.nbytes; n++) {
        struct pcr_buffer copy = { 0 };
        if (pcri_buffer_append(&copy, raw.data, n, NULL))
            ck_abort_msg("no memory");
        if (pcri_head_parse(&header_bytes, &copy, NULL, &h, &e) != PCR_ERR_CORRUPT)
            ck_abort_msg("%zu bytes pass", n);
    }
    pcr_buffer_free(&raw);
}
END_TEST

/* A head of 2 MiB that expands far is decompressed in parts: the table must fit and be whole. */
START_TEST(tables_that_expand)
{
    enum { RAW = 2 << 20, MANY = 60000 };
    struct pcr_buffer packed = { 0 }, raw = { 0 };
    struct pcr_error e;
    uint8_t *text = calloc(1, RAW);
    ck_assert_ptr_nonnull(text);
    pcri_store32(text, MANY * 3);
    ck_assert_int_eq(pcri_zstd_pack(text, RAW, 1, &packed, &e), 0);
    ck_assert_int_eq(
        pcri_columns_unpack(packed.data, packed.nbytes, RAW, PCRI_COLUMN_LAST, &raw, &e),
        PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "180000 columns do not fit"));
    pcri_store32(text, MANY);
    ck_assert_int_eq(pcri_zstd_pack(text, RAW, 1, &packed, &e), 0);
    ck_assert_int_eq(
        pcri_columns_unpack(packed.data, packed.nbytes, RAW, PCRI_COLUMN_LAST, &raw, &e),
        PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "bytes after the last column"));
    for (size_t i = 0; i < packed.nbytes;
         i++) { /* a block of an unknown kind, or its content */
        packed.data[i] ^= 0x06;
        raw.nbytes = 0;
        ck_assert_int_lt(
            pcri_columns_unpack(packed.data, packed.nbytes, RAW, PCRI_COLUMN_LAST, &raw, &e),
            0);
        packed.data[i] ^= 0x06;
    }
    pcr_buffer_free(&packed);
    pcr_buffer_free(&raw);
    free(text);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("head");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, values);
    tcase_add_test(t, column_rules);
    tcase_add_test(t, unknown_columns);
    tcase_add_test(t, sizes_have_limits);
    tcase_add_test(t, hostile_bytes);
    tcase_add_test(t, tables_that_expand);
    return tests_run();
}
