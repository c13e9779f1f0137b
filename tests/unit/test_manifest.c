/* SPDX-License-Identifier: BSD-2-Clause */
/* manifest: what is rendered is parsed again; whatever does not agree is refused. */
#include <inttypes.h>

#include "made.h"
#include "suite.h"

#include "manifest/manifest.h"

enum { G = 3 };

static struct pcri_header header(uint32_t number)
{
    struct pcri_header h = {
        .major = 1,
        .sample_count = 10 + number,
        .group_count = G,
        .head_nbytes = 100 + number,
        .tail_nbytes = number % 2 ? 7 : 0,
    };
    uint8_t bytes[PCRI_HEADER_MAX_NBYTES];
    uint64_t end = pcri_header_nbytes(G) + h.head_nbytes;
    for (uint32_t g = 0; g < G; g++)
        h.groups[g] = (struct pcri_group) { end += 1000 * g + number, g, 1 };
    pcri_header_write(&h, bytes);
    return h;
}

/* Two classes, two splits, three records. */
static void make(struct pcri_manifest *m)
{
    struct pcr_error e;
    ck_assert_int_eq(pcri_manifest_init(m, G, "ladder x\n", &e), 0);
    m->label_kind = PCR_LABEL_CLASS;
    struct pcri_type type = { PCR_ELEMENT_FLOAT64, 2, 0, 4 };
    bool added;
    ck_assert_int_eq(pcri_schema_add(&m->schema, "boxes", &type, &added, &e), 0);
    ck_assert_int_eq(pcri_manifest_add_class(m, "cat", &e), 0);
    ck_assert_int_eq(pcri_manifest_add_class(m, "d\xF6g \"\xC3\xB6\"\n\xED\xA0\x80\xC3(", &e),
                     0);
    for (uint32_t r = 0; r < 3; r++) {
        struct pcri_header h = header(r);
        char name[32];
        snprintf(name, sizeof(name), "train-%u.pcr", r);
        if (r != 1)
            ck_assert_int_eq(pcri_manifest_add_split(m, r ? "test" : "train", &e), 0);
        ck_assert_int_eq(pcri_manifest_add_record(m, name, &h, &e), 0);
    }
    m->splits[0].class_counts[0] = 11;
    m->splits[0].class_counts[1] = 9;
    m->splits[0].source_nbytes = 5000;
    m->splits[1].source_nbytes = 600;
    m->source_nbytes = 5600;
    m->coding = PCR_CODING_PACKED;
    m->codings = (struct pcri_coding_counts) { 1, 2, 30, 4 };
    m->skipped_count = 2;
    m->notes = (struct pcri_note_counts) { 1, 3, 0, 7, 4, 5000 };
    m->target_nbytes = 9000;
    m->quality = 80;
    m->pictures = PCR_PICTURES_JPEG;
}

START_TEST(round_trip)
{
    struct pcri_manifest m, n;
    struct pcr_buffer a = { 0 }, b = { 0 };
    struct pcr_error e;
    make(&m);
    ck_assert_str_eq(m.classes[1], "d\\xf6g \"\xC3\xB6\"\n\\xed\\xa0\\x80\\xc3(");
    ck_assert_int_eq(pcri_manifest_render(&m, &a, &e), 0);
    ck_assert_int_eq(pcri_manifest_parse(a.data, a.nbytes, NULL, 0, &n, &e), 0);
    ck_assert_uint_eq(n.record_count, 3);
    ck_assert_uint_eq(n.sample_count, 33);
    ck_assert_uint_eq(n.split_count, 2);
    ck_assert_str_eq(n.splits[1].name, "test");
    ck_assert_uint_eq(n.splits[1].first_record, 2);
    ck_assert_uint_eq(n.splits[0].sample_count, 21);
    ck_assert_uint_eq(n.splits[0].class_counts[1], 9);
    ck_assert_str_eq(n.classes[1], m.classes[1]);
    ck_assert_uint_eq(n.label_kind, PCR_LABEL_CLASS);
    ck_assert_uint_eq(n.schema.count, 1);
    ck_assert_str_eq(n.schema.columns[0].name, "boxes");
    ck_assert_str_eq(n.schema.columns[0].text, "float64[][4]");
    ck_assert_mem_eq(&n.notes, &m.notes, sizeof(n.notes));
    ck_assert_uint_eq(n.max_side, 0);
    ck_assert_uint_eq(n.target_nbytes, 9000);
    ck_assert_uint_eq(n.quality, 80);
    ck_assert_uint_eq(n.pictures, PCR_PICTURES_JPEG);
    ck_assert_str_eq(n.ladder, "ladder x\n");
    for (uint32_t r = 0; r < 3; r++) {
        ck_assert_str_eq(pcri_manifest_file(&n, r), pcri_manifest_file(&m, r));
        ck_assert_uint_eq(n.checks[r], header(r).check);
        ck_assert_uint_eq(n.ends[r * G + 2], header(r).groups[2].end);
    }
    ck_assert_int_eq(pcri_manifest_render(&n, &b, &e), 0);
    ck_assert_uint_eq(a.nbytes, b.nbytes);
    ck_assert_mem_eq(a.data, b.data, a.nbytes);
    /* The canonical form, byte for byte as far as it is not a checksum. */
    static const char after[] = "\"classes\":[\"cat\",";
    ck_assert_mem_eq(a.data, "{\"_xxh3\":\"", 10);
    ck_assert_mem_eq(a.data + 28, after, sizeof(after) - 1);
    ck_assert_mem_eq(a.data + a.nbytes - 2, "}\n", 2);
    ck_assert_ptr_null(memchr(a.data, '\n', a.nbytes - 1));
    pcri_manifest_free(&m);
    pcri_manifest_free(&n);
    pcri_manifest_free(NULL);
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

/* What is needed beyond the defaults is written, and raises the limits that nobody set. */
START_TEST(needs)
{
    struct pcri_manifest m, n;
    struct pcr_buffer a = { 0 };
    struct pcr_error e;
    const struct pcri_coded large = { .width = 20000, .height = 20000 };
    const struct pcri_coded kept = { .width = 60000, .height = 60000 };
    const struct pcri_header h = { .sample_count = 1 << 20, .head_raw_nbytes = 300u << 20 };
    make(&m);
    pcri_needs_add_coded(&m.needs, &large, 400000000);
    pcri_needs_add_coded(&m.needs, &kept, 400000000); /* above what was taken: not meant */
    pcri_needs_add_header(&m.needs, &h);
    pcri_needs_settle(&m.needs);
    ck_assert_uint_eq(m.needs.samples + m.needs.sample_nbytes, 0);
    ck_assert_int_eq(pcri_manifest_render(&m, &a, &e), 0);
    ck_assert_ptr_nonnull(strstr((char *) a.data, "\"limits\":{\"max_head_nbytes\":314572800,"
                                                  "\"max_pixels\":400000000},"));
    ck_assert_int_eq(pcri_manifest_parse(a.data, a.nbytes, NULL, 0, &n, &e), 0);
    ck_assert_mem_eq(&n.needs, &m.needs, sizeof(n.needs));

    struct pcr_limits none = { 0 }, own = { .max_pixels = 1000, .max_head_nbytes = 1 << 30 };
    pcri_needs_raise(&n.needs, &none);
    ck_assert_uint_eq(none.max_pixels, 400000000);
    ck_assert_uint_eq(none.max_head_nbytes, 300 << 20);
    ck_assert_uint_eq(none.max_samples, 0);
    pcri_needs_raise(&n.needs, &own); /* a limit that was set holds */
    ck_assert_uint_eq(own.max_pixels, 1000);
    ck_assert_uint_eq(own.max_head_nbytes, 1 << 30);
    n.needs.pixels = 5; /* a manifest lowers none */
    none.max_pixels = 0;
    pcri_needs_raise(&n.needs, &none);
    ck_assert_uint_eq(none.max_pixels, 0);
    pcri_manifest_free(&m);
    pcri_manifest_free(&n);
    pcr_buffer_free(&a);
}
END_TEST

START_TEST(empty_dataset)
{
    struct pcri_manifest m, n;
    struct pcr_buffer a = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcri_manifest_init(&m, 32, "", &e), 0);
    ck_assert_int_eq(pcri_manifest_render(&m, &a, &e), 0);
    ck_assert_int_eq(pcri_manifest_parse(a.data, a.nbytes, NULL, 0, &n, &e), 0);
    ck_assert_uint_eq(n.record_count, 0);
    pcri_manifest_free(&m);
    pcri_manifest_free(&n);
    pcr_buffer_free(&a);
}
END_TEST

START_TEST(names)
{
    static const char *const good[] = { "a", "a.pcr", "a/b", "..a", "a..", "...", ".x" };
    static const char *const wrong[] = { "",   "/",    "/a",   "a/",     "a//b", ".",
                                         "..", "../a", "a/..", "a/../b", "a/./b" };
    for (size_t i = 0; i < 7; i++)
        ck_assert_msg(pcri_manifest_name_ok(good[i]), "%s", good[i]);
    for (size_t i = 0; i < 11; i++)
        ck_assert_msg(!pcri_manifest_name_ok(wrong[i]), "%s", wrong[i]);
}
END_TEST

START_TEST(mistakes_in_making)
{
    struct pcri_manifest m;
    struct pcr_buffer out = { 0 };
    struct pcr_error e;
    struct pcri_header h = header(0);
    ck_assert_int_eq(pcri_manifest_init(&m, 0, "", &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_manifest_init(&m, 33, "", &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_manifest_init(&m, G, "", &e), 0);
    ck_assert_int_eq(pcri_manifest_add_record(&m, "a", &h, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_manifest_add_split(&m, "all", &e), 0);
    ck_assert_int_eq(pcri_manifest_add_class(&m, "late", &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcri_manifest_add_record(&m, "../a", &h, &e), PCR_ERR_INVAL);
    h.group_count = 2;
    ck_assert_int_eq(pcri_manifest_add_record(&m, "a", &h, &e), PCR_ERR_INVAL);
    h.group_count = G;
    ck_assert_int_eq(pcri_manifest_add_record(&m, "a\xFF", &h, &e), 0);
    ck_assert_int_eq(pcri_manifest_render(&m, &out, &e), PCR_ERR_INVAL); /* not UTF-8 */
    m.codings.opaque = 100;
    ck_assert_int_eq(pcri_manifest_render(&m, &out, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(e.code, PCR_ERR_INVAL);
    pcri_manifest_free(&m);
    pcr_buffer_free(&out);
}
END_TEST

/* Replaces `from` by `to` in the text and mends the checksum. */
static void edit(const struct pcr_buffer *in, const char *from, const char *to,
                 struct pcr_buffer *out)
{
    size_t n = strlen(from);
    const uint8_t *at = NULL;
    for (size_t i = 0; !at && i + n <= in->nbytes; i++)
        if (!memcmp(in->data + i, from, n))
            at = in->data + i;
    ck_assert_msg(at != NULL, "no %s", from);
    out->nbytes = 0;
    made_put(out, in->data, (size_t) (at - in->data));
    made_put(out, to, strlen(to));
    made_put(out, at + n, in->nbytes - n - (size_t) (at - in->data));
    char check[17];
    snprintf(check, sizeof(check), "%016" PRIx64, pcri_xxh3(out->data + 28, out->nbytes - 28));
    memcpy(out->data + 10, check, 16);
}

/* With G = 3 and three records: head ends 268 269 270, first ends 268 270 272. */
static const struct {
    const char *from, *to;
    int code;
} edits[] = {
    { "\"format\":\"pcr\"", "\"format\":\"zip\"", PCR_ERR_FORMAT },
    { "\"format\":\"pcr\"", "\"format\":7", PCR_ERR_FORMAT },
    { "\"version\":[1,0]", "\"version\":[2,0]", PCR_ERR_UNSUPPORTED },
    { "\"version\":[1,0]", "\"version\":[1,99]", 0 },
    { "\"version\":[1,0]", "\"version\":[1]", PCR_ERR_CORRUPT },
    { "\"version\":[1,0]", "\"version\":[1,-1]", PCR_ERR_CORRUPT },
    { "\"version\":[1,0]", "\"version\":[1,4294967296]", PCR_ERR_CORRUPT },
    { "\"required\":[]", "\"required\":[\"x\"]", PCR_ERR_UNSUPPORTED },
    { "\"required\":[]", "\"required\":[3]", PCR_ERR_UNSUPPORTED },
    { "\"required\":[]", "\"required\":{}", PCR_ERR_CORRUPT },
    { "\"required\":[]", "\"new\":[1,2]", PCR_ERR_CORRUPT },
    { "\"required\":[]", "\"new\":{\"a\":[]},\"required\":[]", 0 },
    { "\"group_count\":3", "\"group_count\":0", PCR_ERR_CORRUPT },
    { "\"group_count\":3", "\"group_count\":2", PCR_ERR_CORRUPT },
    { "\"group_count\":3", "\"group_count\":33", PCR_ERR_CORRUPT },
    { "\"group_count\":3", "\"group_count\":3.0", PCR_ERR_CORRUPT },
    { "\"group_count\":3", "\"group_count\":\"3\"", PCR_ERR_CORRUPT },
    { "\"group_count\":3", "\"group_count\":3,\"group_count\":3", PCR_ERR_CORRUPT },
    { "\"ladder\":", "\"adder\":", PCR_ERR_CORRUPT },
    { "\"ladder\":", "\"ladder\":null,\"l\":", PCR_ERR_CORRUPT },
    { "\"ladder x\\n\"", "\"ladder x\\u0000\"", PCR_ERR_CORRUPT },
    { "\"writer\":", "\"w\":", PCR_ERR_CORRUPT },
    { "\"classes\":[\"cat\",", "\"classes\":[1,", PCR_ERR_CORRUPT },
    { "\"classes\":[\"cat\",", "\"classes\":[", PCR_ERR_CORRUPT },
    { "\"classes\":[", "\"classes\":0,\"c\":[", PCR_ERR_CORRUPT },
    { "\"splits\":[", "\"splits\":[1,", PCR_ERR_CORRUPT },
    { "\"splits\":[", "\"splits\":0,\"s\":[", PCR_ERR_CORRUPT },
    { "\"name\":\"train\"", "\"name\":\"test\"", PCR_ERR_CORRUPT },
    { "\"name\":\"train\"", "\"name\":\"\"", PCR_ERR_CORRUPT },
    { "\"name\":\"train\"", "\"name\":1", PCR_ERR_CORRUPT },
    { "\"first_record\":0", "\"first_record\":1", PCR_ERR_CORRUPT },
    { "\"record_count\":2", "\"record_count\":1", PCR_ERR_CORRUPT },
    { "\"record_count\":2", "\"record_count\":3", PCR_ERR_CORRUPT },
    { "\"record_count\":1", "\"record_count\":9223372036854775807", PCR_ERR_CORRUPT },
    { "\"record_count\":1", "\"record_count\":9223372036854775808", PCR_ERR_CORRUPT },
    { "\"record_count\":1", "\"record_count\":0", PCR_ERR_CORRUPT },
    { "\"sample_count\":21", "\"sample_count\":22", PCR_ERR_CORRUPT },
    { "\"source_nbytes\":5000", "\"source_nbytes\":5001", PCR_ERR_CORRUPT },
    { "\"source_nbytes\":5000", "\"source_nbytes\":-1", PCR_ERR_CORRUPT },
    { "\"class_counts\":[11,9]", "\"class_counts\":[11,11]", PCR_ERR_CORRUPT },
    { "\"class_counts\":[11,9]", "\"class_counts\":[11,8]", 0 },
    { "\"class_counts\":[11,9]", "\"class_counts\":[11]", PCR_ERR_CORRUPT },
    { "\"class_counts\":[11,9]", "\"class_counts\":[11,true]", PCR_ERR_CORRUPT },
    { "\"label\":\"class\"", "\"label\":\"other\"", PCR_ERR_CORRUPT },
    { "\"attributes\":{", "\"attributes\":[", PCR_ERR_CORRUPT },
    { "\"attributes\":{", "\"at\":{", PCR_ERR_CORRUPT },
    { "{\"boxes\":\"float64[][4]\"}", "true", PCR_ERR_CORRUPT },
    { "{\"boxes\":\"float64[][4]\"}", "{}", 0 },
    { "{\"boxes\":\"float64[][4]\"}", "{\"b\":\"json\",\"a\":\"bool[3]\"}", 0 },
    { "{\"boxes\":\"float64[][4]\"}", "{\"a\":\"json\",\"a\":\"json\"}", PCR_ERR_CORRUPT },
    { "{\"boxes\":\"float64[][4]\"}", "{\"a\":1}", PCR_ERR_CORRUPT },
    { "{\"boxes\":\"float64[][4]\"}", "{\"a\":\"float\"}", PCR_ERR_CORRUPT },
    { "\"schema\":", "\"s\":", PCR_ERR_CORRUPT },
    { "\"statistics\":", "\"s\":", PCR_ERR_CORRUPT },
    { "\"salvaged_count\":3", "\"salvaged_count\":34", PCR_ERR_CORRUPT },
    { "\"undecodable_count\":1", "\"undecodable_count\":2", PCR_ERR_CORRUPT },
    { "\"dropped_count\":4", "\"dropped_count\":34", PCR_ERR_CORRUPT },
    { "\"dropped_nbytes\":5000", "\"dropped_nbytes\":3", PCR_ERR_CORRUPT },
    { "\"dropped_nbytes\":", "\"dropped\":", PCR_ERR_CORRUPT },
    { "\"opaque_count\":1", "\"opaque_count\":34", PCR_ERR_CORRUPT },
    { "\"packed_count\":30", "\"packed_count\":31", PCR_ERR_CORRUPT },
    { "\"scans_count\":2", "\"scans_count\":33", PCR_ERR_CORRUPT },
    { "\"scans_count\":2", "\"scans\":2", PCR_ERR_CORRUPT },
    { "\"chosen\":2", "\"chosen\":256", PCR_ERR_CORRUPT },
    { "\"chosen\":2", "\"chosen\":3", 0 },
    { "\"codings\":", "\"c\":", 0 },
    { "\"head_nbytes\":807", "\"head_nbytes\":808", PCR_ERR_CORRUPT },
    { "\"tail_nbytes\":7", "\"tail_nbytes\":8", PCR_ERR_CORRUPT },
    { "\"group_nbytes\":[3,", "\"group_nbytes\":[4,", PCR_ERR_CORRUPT },
    { "\"group_nbytes\":[3,", "\"group_nbytes\":[", PCR_ERR_CORRUPT },
    { "\"records\":", "\"r\":", PCR_ERR_CORRUPT },
    { "\"train-1.pcr\"", "\"../1.pcr\"", PCR_ERR_CORRUPT },
    { "\"train-1.pcr\"", "\"/1.pcr\"", PCR_ERR_CORRUPT },
    { "\"train-1.pcr\"", "\"a\\u0000b\"", PCR_ERR_CORRUPT },
    { "\"train-1.pcr\"", "7", PCR_ERR_CORRUPT },
    { "\"train-1.pcr\",", "", PCR_ERR_CORRUPT },
    { "\"sample_count\":[10,", "\"sample_count\":[11,", PCR_ERR_CORRUPT },
    { "\"sample_count\":[10,", "\"sample_count\":[0,", PCR_ERR_CORRUPT },
    { "\"sample_count\":[10,", "\"sample_count\":[", PCR_ERR_CORRUPT },
    { "\"sample_count\":[10,", "\"sample_count\":[4294967296,", PCR_ERR_CORRUPT },
    { "\"head_end\":[268,", "\"head_end\":[168,", PCR_ERR_CORRUPT },
    { "\"head_end\":[268,", "\"head_end\":[269,", PCR_ERR_CORRUPT },
    { "\"head_end\":[268,", "\"head_end\":[", PCR_ERR_CORRUPT },
    { "\"head_end\":", "\"h\":", PCR_ERR_CORRUPT },
    { "\"ends\":[[268,", "\"ends\":[[267,", PCR_ERR_CORRUPT },
    { "\"ends\":[[268,", "\"ends\":[[9268,", PCR_ERR_CORRUPT },
    { "\"ends\":[[268,", "\"ends\":[[", PCR_ERR_CORRUPT },
    { "\"ends\":[[268,", "\"ends\":[[1,1,1],[268,", PCR_ERR_CORRUPT },
    { "\"ends\":", "\"e\":", PCR_ERR_CORRUPT },
    { "\"check\":[\"", "\"check\":[\"0", PCR_ERR_CORRUPT },
    { "\"check\":[\"", "\"check\":[\"\",\"", PCR_ERR_CORRUPT },
    { "\"check\":[", "\"check\":[5,", PCR_ERR_CORRUPT },
    { "}\n", "", PCR_ERR_CORRUPT },
    { "}\n", "}]\n", PCR_ERR_CORRUPT },
};

START_TEST(disagreements)
{
    struct pcri_manifest m, n;
    struct pcr_buffer a = { 0 }, b = { 0 };
    struct pcr_error e;
    make(&m);
    ck_assert_int_eq(pcri_manifest_render(&m, &a, &e), 0);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        edit(&a, edits[i].from, edits[i].to, &b);
        int rc = pcri_manifest_parse(b.data, b.nbytes, NULL, 0, &n, &e);
        ck_assert_msg(rc == edits[i].code, "%s to %s: %d", edits[i].from, edits[i].to, rc);
        if (rc)
            ck_assert_uint_eq(n.record_count + n.class_count + n.split_count, 0);
        pcri_manifest_free(&n);
    }
    pcri_manifest_free(&m);
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

/* Whatever stands in members that nobody knows, and however deep up to a limit. */
START_TEST(nesting)
{
    struct pcri_manifest m, n;
    struct pcr_buffer a = { 0 }, b = { 0 };
    struct pcr_error e;
    static const struct {
        const char *open, *close;
        size_t count;
        int code;
    } deep[] = {
        { "[", "]", 500, 0 },
        { "[", "]", 520, PCR_ERR_LIMIT },
        { "{\"a\":", "}", 500, PCR_ERR_CORRUPT },
        { "{\"a\":[],\"a\":1,\"b\":", "1}", 1, 0 },
    };
    make(&m);
    ck_assert_int_eq(pcri_manifest_render(&m, &a, &e), 0);
    for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
        char text[9000] = "\"more\":";
        for (size_t k = 0; k < deep[i].count; k++)
            strcat(text, deep[i].open);
        for (size_t k = 0; k < deep[i].count; k++)
            strcat(text, deep[i].close);
        strcat(text, ",\"schema\":");
        edit(&a, "\"schema\":", text, &b);
        int rc = pcri_manifest_parse(b.data, b.nbytes, NULL, 0, &n, &e);
        ck_assert_msg(rc == deep[i].code, "%zu: %d %s", i, rc, rc ? e.message : "");
        pcri_manifest_free(&n);
    }
    pcri_manifest_free(&m);
    pcr_buffer_free(&a);
    pcr_buffer_free(&b);
}
END_TEST

START_TEST(damage)
{
    struct pcri_manifest m, n;
    struct pcr_buffer a = { 0 };
    struct pcr_error e;
    struct pcr_limits tight = { .size = sizeof(tight), .max_manifest_nbytes = 100 };
    make(&m);
    ck_assert_int_eq(pcri_manifest_render(&m, &a, &e), 0);
    ck_assert_int_eq(pcri_manifest_parse(a.data, a.nbytes, &tight, 0, &n, &e), PCR_ERR_LIMIT);
    int bad = 0;
    for (size_t i = 0; i < a.nbytes; i++) {
        uint8_t *copy = malloc(i ? i : 1); /* its very end is watched by the sanitizer */
        memcpy(copy, a.data, i);
        int rc = pcri_manifest_parse(copy, i, NULL, 0, &n, &e);
        bad += rc != (i < 28 ? PCR_ERR_TRUNCATED : PCR_ERR_CORRUPT);
        bad += !pcri_manifest_parse(copy, i, NULL, PCRI_PARSE_NO_VERIFY, &n, &e) &&
               i + 1 != a.nbytes;
        pcri_manifest_free(&n);
        free(copy);
    }
    for (size_t i = 0; i < a.nbytes; i++)
        for (int v = 1; v < 256; v = v * 2 + 1) {
            a.data[i] ^= (uint8_t) v;
            bad += !pcri_manifest_parse(a.data, a.nbytes, NULL, 0, &n, &e);
            if (!pcri_manifest_parse(a.data, a.nbytes, NULL, PCRI_PARSE_NO_VERIFY, &n, &e))
                pcri_manifest_free(&n);
            a.data[i] ^= (uint8_t) v;
        }
    ck_assert_int_eq(bad, 0);
    pcri_manifest_free(&m);
    pcr_buffer_free(&a);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("manifest");
    tcase_set_timeout(t, 100);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, needs);
    tcase_add_test(t, empty_dataset);
    tcase_add_test(t, names);
    tcase_add_test(t, mistakes_in_making);
    tcase_add_test(t, disagreements);
    tcase_add_test(t, nesting);
    tcase_add_test(t, damage);
    return tests_run();
}
