/* SPDX-License-Identifier: BSD-2-Clause */
/* Packed samples as a decoder gets them: what is wrong with one is told for what it is, alike by
 * the decoder and where a file is made of it, and never gives pixels. */
#include <check.h>

#include <pcr/image.h>

#include "decoder.h"
#include "packed/coding.h"
#include "packed/segments.h"
#include "packed/survey.h"
#include "packed_images.h"
#include "suite.h"

enum { MOST = 40 };

static struct pcr_error err;
static struct pcr_ladder *ladder;
static struct pcr_buffer source, pixels, other, file;
static struct pcri_coded packed;
static struct pcri_coder_tables *dataset_tables; /* or NULL */

/* A sample's spans: `header` of them, the parameters, chunks. */
static struct pcr_span items[MOST];
static uint32_t count, header;

/* Bytes that spans of tests point to, until the end of the test. */
static struct pcr_buffer made[16];
static uint32_t made_count;

static struct pcr_span segment(enum pcri_pk_segment kind, const void *data, size_t nbytes)
{
    struct pcr_buffer *b = &made[made_count++];
    ck_assert_int_eq(pcri_pk_segment_append(b, kind, data, nbytes, &err), 0);
    return (struct pcr_span) { b->data, b->nbytes };
}

static struct pcr_span text_segment(const char *text)
{
    return segment(PCRI_PK_LADDER, text, strlen(text));
}

static struct pcr_span params_segment(uint64_t tables, uint8_t lanes_log, uint32_t restart)
{
    const struct pcri_pk_params p = { tables, lanes_log, restart };
    struct pcr_buffer bytes = { 0 };
    ck_assert_int_eq(pcri_pk_params_print(&p, &bytes, &err), 0);
    struct pcr_span s = segment(PCRI_PK_PARAMS, bytes.data, bytes.nbytes);
    pcr_buffer_free(&bytes);
    return s;
}

/* Packs `source`, and lists its spans at full fidelity. */
static void pack(const struct pcr_ladder *by)
{
    struct pcri_coder *c;
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_packed, by, NULL, NULL, &c, &err), 0);
    pcri_coded_free(&packed);
    int rc = pcri_coder_encode(c, dataset_tables, source.data, source.nbytes, &packed, &err);
    ck_assert_msg(!rc, "%s", err.message);
    pcri_coder_destroy(&c);
    header = packed_spans(&packed, by, items);
    count = header + 1 + by->group_count;
}

static void photo(uint32_t width, uint32_t height, enum pcr_gen_subsampling subsampling)
{
    ck_assert_int_eq(pcr_gen_photo(3, width, height, 85, subsampling, &source), 0);
    pack(ladder);
}

static void insert(uint32_t at, struct pcr_span span)
{
    ck_assert_uint_lt(count, MOST);
    memmove(&items[at + 1], &items[at], (count++ - at) * sizeof(items[0]));
    items[at] = span;
    header += at <= header;
}

static void drop(uint32_t at)
{
    memmove(&items[at], &items[at + 1], (--count - at) * sizeof(items[0]));
    header -= at < header;
}

static uint32_t find(enum pcri_pk_segment kind)
{
    uint32_t i = 0;
    while (i < count && pcri_pk_segment_kind(&items[i]) != (int) kind)
        i++;
    ck_assert_uint_lt(i, count);
    return i;
}

/* Decodes the sample by this decoder, and makes a file of it: both or neither are an error. */
static int decode_by(struct pcr_decoder *d, const struct pcr_ladder *of)
{
    const struct pcr_decode_options o = { .size = sizeof(o), .ladder = of };
    const struct pcr_spans spans = { .items = items, .count = count };
    struct pcr_spans jpeg = { 0 };
    struct pcr_error why;
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(pcri_spans_add(&jpeg, items[i].data, items[i].nbytes, &err), 0);
    pixels.nbytes = 0;
    int whole = pcri_coding_packed.to_jpeg(&jpeg, &file, &why);
    int rc = pcr_decoder_decode_spans(d, &spans, &o, &pixels, NULL, &err);
    ck_assert(of || rc == whole);
    ck_assert(!rc || !pixels.nbytes);
    ck_assert_uint_eq(jpeg.count, whole ? 0 : 1);
    pcr_spans_free(&jpeg);
    return rc;
}

/* By one that has decoded others before and by a new one. */
static int decode(const struct pcr_ladder *of)
{
    struct pcr_decoder *fresh;
    ck_assert_int_eq(pcr_decoder_create(&fresh, &err), 0);
    int rc = decode_by(fresh, of);
    pcr_decoder_destroy(&fresh);
    ck_assert_int_eq(decode_by(decoder, of), rc);
    return rc;
}

#define REFUSED(code, text) \
    do { \
        ck_assert_int_eq(decode(NULL), code); \
        ck_assert_msg(strstr(err.message, text) != NULL, "%s", err.message); \
    } while (0)

static void set_up(void)
{
    ck_assert_int_eq(pcr_ladder_create("packed", &ladder, &err), 0);
    make_decoder();
    photo(200, 152, PCR_GEN_420);
    ck_assert_int_eq(decode(ladder), 0);
}

static void tear_down(void)
{
    while (made_count)
        pcr_buffer_free(&made[--made_count]);
    pcr_ladder_destroy(&ladder);
    drop_decoder();
    pcri_coded_free(&packed);
    pcr_buffer_free(&source);
    pcr_buffer_free(&pixels);
    pcr_buffer_free(&other);
    pcr_buffer_free(&file);
}

/* --- headers --- */

START_TEST(ladders)
{
    static const char dc[] = "group\nall 0-0 0 0\n";
    static const char ac[] = "group\nluma 1-63 0 0\nchroma 1-63 0 0\n";
    char text[200];
    uint32_t at = find(PCRI_PK_LADDER);
    const struct pcr_span good = items[at];
    drop(at);
    REFUSED(PCR_ERR_CORRUPT, "without its ladder");
    insert(at, good);
    insert(at, good);
    REFUSED(PCR_ERR_CORRUPT, "a ladder twice");
    drop(at);
    items[at] = text_segment("");
    REFUSED(PCR_ERR_CORRUPT, "its ladder: ");
    items[at] = text_segment("script all\ngroup\nluma 9-8 0 0\n");
    REFUSED(PCR_ERR_CORRUPT, "its ladder: ");
    snprintf(text, sizeof(text), "script a below 9\n%s%sscript b\n%s%s", dc, ac, dc, ac);
    items[at] = text_segment(text);
    REFUSED(PCR_ERR_CORRUPT, "several scripts");
    items[at] = text_segment("script a\ngroup\nall 0-0 0 1\nall 0-0 1 0\nluma 1-63 0 0\n"
                             "chroma 1-63 0 0\n");
    REFUSED(PCR_ERR_UNSUPPORTED, "not whole DC");
    snprintf(text, sizeof(text), "script a\n%s%s", dc, ac);
    items[at] = text_segment(text);
    REFUSED(PCR_ERR_CORRUPT, "9 chunks of a ladder of 2 groups");
    /* another than the one that is asked for */
    struct pcr_ladder *two = packed_ladder(text);
    pack(two);
    ck_assert_int_eq(decode(NULL), 0);
    ck_assert_int_eq(decode(two), 0);
    ck_assert_int_eq(decode(ladder), PCR_ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "not in the ladder") != NULL, "%s", err.message);
    pcr_ladder_destroy(&two);
}
END_TEST

START_TEST(parameters)
{
    const struct pcr_span good = items[header];
    const uint8_t *p = (const uint8_t *) good.data + PCRI_PK_SEGMENT_HEAD_NBYTES;
    size_t nbytes = good.nbytes - PCRI_PK_SEGMENT_HEAD_NBYTES;
    uint8_t bytes[16] = { 0 };
    uint64_t tables = pcri_load64(p);
    ck_assert_uint_lt(nbytes, sizeof(bytes));
    memcpy(bytes, p, nbytes);
    for (size_t n = 0; n <= nbytes + 1; n++) {
        items[header] = segment(PCRI_PK_PARAMS, bytes, n);
        if (n != nbytes)
            REFUSED(PCR_ERR_CORRUPT, "parameters of a packed sample");
        else
            ck_assert_int_eq(decode(NULL), 0);
        pcr_buffer_free(&made[--made_count]);
    }
    items[header] = params_segment(tables, 5, 0);
    REFUSED(PCR_ERR_CORRUPT, "parameters of a packed sample");
    items[header] = params_segment(tables, 3, 65536);
    REFUSED(PCR_ERR_CORRUPT, "parameters of a packed sample");
    items[header] = params_segment(tables ^ 1, 3, 0);
    REFUSED(PCR_ERR_UNSUPPORTED, "which this version does not have");
    items[header] = good;
    ck_assert_uint_eq(
        pcri_pk_header_spans(&(struct pcr_spans) { .items = items, .count = count }), header);
    count = header;
    ck_assert_uint_eq(
        pcri_pk_header_spans(&(struct pcr_spans) { .items = items, .count = count }), header);
    REFUSED(PCR_ERR_TRUNCATED, "without its parameters");
    items[count++] = good;
    REFUSED(PCR_ERR_CORRUPT, "0 chunks");
}
END_TEST

START_TEST(other_segments)
{
    static const uint8_t sos[] = { 0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0 };
    uint32_t frame = header - 1;
    while (((const uint8_t *) items[frame].data)[1] != 0xC2)
        frame--;
    insert(header, (struct pcr_span) { sos, sizeof(sos) });
    REFUSED(PCR_ERR_CORRUPT, "a scan in a packed sample");
    drop(header - 1);
    ck_assert_int_eq(decode(NULL), 0);
    const struct pcr_span good = items[frame];
    drop(frame);
    ck_assert_int_lt(decode(NULL), 0);
    insert(frame, (struct pcr_span) { good.data, good.nbytes - 1 });
    ck_assert_int_lt(decode(NULL), 0);
    items[frame] = good;
    ck_assert_int_eq(decode(ladder), 0);
}
END_TEST

START_TEST(too_long_segments)
{
    static const uint8_t zeros[65536];
    enum { MOST_NBYTES = 65535 - 6 };
    struct pcr_buffer b = { 0 };
    ck_assert_int_eq(pcri_pk_segment_append(&b, PCRI_PK_TABLES, zeros, MOST_NBYTES, &err), 0);
    ck_assert_int_eq(pcri_pk_segment_kind(&(struct pcr_span) { b.data, b.nbytes }),
                     PCRI_PK_TABLES);
    ck_assert_int_eq(pcri_pk_segment_kind(&(struct pcr_span) { b.data, b.nbytes - 1 }), 0);
    b.nbytes = 0;
    ck_assert_int_eq(pcri_pk_segment_append(&b, PCRI_PK_TABLES, zeros, MOST_NBYTES + 1, &err),
                     PCR_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "tables"));
    ck_assert_int_eq(pcri_pk_segment_append(&b, PCRI_PK_LADDER, zeros, MOST_NBYTES + 1, &err),
                     PCR_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "a ladder"));
    ck_assert_uint_eq(b.nbytes, 0);
    pcr_buffer_free(&b);
}
END_TEST

/* A file with segments that a reader would take for a coding's own is kept whole. */
START_TEST(foreign_segments)
{
    static const char kinds[] = { PCRI_PK_MARK, 'L', 'T', 'P', 'X' };
    struct pcri_coder *c;
    struct pcri_coded p;
    const struct pcri_coding *by = _i ? &pcri_coding_packed : &pcri_coding_scans;
    ck_assert_int_eq(pcri_coder_create(by, ladder, NULL, NULL, &c, &err), 0);
    for (size_t i = 0; i < sizeof(kinds); i++) {
        struct pcr_buffer with = { 0 };
        ck_assert_int_eq(pcri_buffer_append(&with, source.data, 2, &err), 0);
        ck_assert_int_eq(
            pcri_pk_segment_append(&with, (enum pcri_pk_segment) kinds[i], "group", 5, &err),
            0);
        ck_assert_int_eq(pcri_buffer_append(&with, source.data + 2, source.nbytes - 2, &err),
                         0);
        ck_assert_int_eq(pcri_coder_encode(c, NULL, with.data, with.nbytes, &p, &err),
                         PCR_ERR_UNSUPPORTED);
        with.data[6] = 'p'; /* not ours */
        ck_assert_int_eq(pcri_coder_encode(c, NULL, with.data, with.nbytes, &p, &err), 0);
        pcri_coded_free(&p);
        pcr_buffer_free(&with);
    }
    pcri_coder_destroy(&c);
}
END_TEST

/* --- tables --- */

/* Tables trained on `source` alone, as they are stored. *hash_out: their name. */
static void train(const struct packed_image *m, const struct pcri_script *script,
                  struct pcr_buffer *stored, uint64_t *hash_out)
{
    struct pcri_pk_encoder e = { 0 };
    struct pcri_pk_counts *counts;
    struct pcri_pk_frequencies *f;
    struct pcri_pk_tables *t;
    ck_assert_int_eq(pcri_pk_counts_create(&counts, &err), 0);
    ck_assert_int_eq(
        pcri_pk_count(&e, &m->coefs, &m->file, script, ladder->group_count, counts, &err), 0);
    ck_assert_int_eq(pcri_pk_train(counts, NULL, &f, &err), 0);
    ck_assert_int_eq(pcri_pk_frequencies_pack(f, stored, &err), 0);
    ck_assert_int_eq(pcri_pk_tables_create(f, false, &t, &err), 0);
    *hash_out = t->hash;
    pcri_pk_tables_destroy(&t);
    pcri_pk_frequencies_destroy(&f);
    pcri_pk_counts_destroy(&counts);
    pcri_pk_encoder_free(&e);
}

/* The sample's chunks, coded by these tables. */
static void code(const struct packed_image *m, const struct pcri_script *script,
                 const struct pcr_buffer *stored, struct pcr_buffer chunks[])
{
    struct pcri_pk_encoder e = { 0 };
    struct pcri_pk_tables *t;
    ck_assert_int_eq(pcri_pk_tables_open(stored->data, stored->nbytes, true, &t, &err), 0);
    const struct pcri_pk_params params = { t->hash, 2, 0 };
    ck_assert_int_eq(pcri_pk_encode(&e, &m->coefs, &m->file, script, ladder->group_count, t,
                                    &params, chunks, &err),
                     0);
    pcri_pk_tables_destroy(&t);
    pcri_pk_encoder_free(&e);
}

START_TEST(own_tables)
{
    struct packed_image m = { 0 };
    struct pcr_buffer stored = { 0 }, chunks[PCRI_LADDER_MAX_GROUPS] = { { 0 } };
    uint64_t tables;
    const struct pcri_script *script = &ladder->scripts[packed.script];
    ck_assert_int_eq(pcri_buffer_append(&other, pixels.data, pixels.nbytes, &err), 0);
    ck_assert(packed_image_read(&source, &m));
    train(&m, script, &stored, &tables);
    code(&m, script, &stored, chunks);
    const struct pcr_span good = segment(PCRI_PK_TABLES, stored.data, stored.nbytes);
    insert(header, good);
    const struct pcr_span builtin = items[header];
    ck_assert_int_eq(decode(ladder), 0); /* not needed, and passed over */
    items[header] = params_segment(tables, 2, 0);
    for (uint32_t g = 0; g < ladder->group_count; g++)
        items[header + 1 + g] = (struct pcr_span) { chunks[g].data, chunks[g].nbytes };
    ck_assert_int_eq(decode(ladder), 0);
    ck_assert(pixels.nbytes == other.nbytes && !memcmp(pixels.data, other.data, other.nbytes));
    const struct pcr_span params = items[header];
    items[header] = params_segment(tables ^ 1, 2, 0);
    REFUSED(PCR_ERR_CORRUPT, "other tables");
    items[header] = params;
    insert(header, good);
    REFUSED(PCR_ERR_CORRUPT, "tables twice");
    drop(header - 1);
    /* Kept tables are no others' than the sample's that has them. */
    ck_assert_int_eq(decode(ladder), 0);
    items[header - 1] = segment(PCRI_PK_TABLES, stored.data, stored.nbytes / 2);
    ck_assert_int_eq(decode(ladder), PCR_ERR_CORRUPT);
    items[header - 1] = segment(PCRI_PK_TABLES, "", 0);
    ck_assert_int_eq(decode(ladder), PCR_ERR_CORRUPT);
    items[header - 1] = good;
    ck_assert_int_eq(decode(ladder), 0);
    drop(header - 1);
    REFUSED(PCR_ERR_UNSUPPORTED, "which this version does not have");
    items[header] = builtin;
    ck_assert_int_lt(decode(ladder), 0); /* chunks of other tables */
    packed_image_free(&m);
    pcr_buffer_free(&stored);
    for (uint32_t g = 0; g < ladder->group_count; g++)
        pcr_buffer_free(&chunks[g]);
}
END_TEST

/* Statistics of `source`, `times` of them. */
static void survey(struct pcri_coder_stats **stats, uint32_t times)
{
    struct pcri_coder *c;
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_packed, ladder, NULL, NULL, &c, &err), 0);
    for (uint32_t i = 0; i < times; i++)
        ck_assert_int_eq(pcri_coder_survey(c, source.data, source.nbytes, &stats[i], &err), 0);
    pcri_coder_destroy(&c);
}

/* A dataset whose images are alike is smaller by tables of its own, which samples bring where they
 * pay; pixels are the same. */
START_TEST(tables_of_a_dataset)
{
    enum { IMAGES = 24, FEW = 1 };
    struct pcri_coder_stats *stats[IMAGES];
    ck_assert_int_eq(pcri_buffer_append(&other, pixels.data, pixels.nbytes, &err), 0);
    const size_t before = packed.bytes.nbytes;
    survey(stats, IMAGES);
    for (int many = 0; many < 2; many++) {
        ck_assert_int_eq(pcri_coder_train(&pcri_coding_packed, ladder, stats,
                                          many ? IMAGES : FEW, &dataset_tables, &err),
                         0);
        pack(ladder);
        uint32_t brought = 0;
        for (uint32_t i = 0; i < header; i++)
            brought += pcri_pk_segment_kind(&items[i]) == PCRI_PK_TABLES;
        ck_assert_int_eq(brought, many);
        ck_assert(many ? packed.bytes.nbytes < before : packed.bytes.nbytes == before);
        ck_assert_int_eq(decode(ladder), 0);
        ck_assert(pixels.nbytes == other.nbytes &&
                  !memcmp(pixels.data, other.data, other.nbytes));
        pcri_coder_tables_destroy(&dataset_tables);
    }
    for (int i = 0; i < IMAGES; i++)
        pcri_coder_stats_destroy(&stats[i]);
}
END_TEST

static uint64_t symbols_counted(const struct pcri_coder_stats *stats)
{
    const struct pcr_buffer *b = &((const struct pcri_pk_stats *) stats)->counts;
    uint64_t sum = 0;
    for (size_t i = 0; i < b->nbytes; i += 4)
        sum += pcri_load32(b->data + i) >> 25;
    return sum;
}

/* Of a large picture a part is counted. */
START_TEST(survey_of_a_large_picture)
{
    struct pcri_coder_stats *stats[2];
    ck_assert_int_eq(pcr_gen_photo(3, 640, 480, 85, PCR_GEN_444, &source),
                     0); /* 14,400 blocks */
    survey(&stats[0], 1);
    ck_assert_int_eq(pcr_gen_photo(3, 640, 360, 85, PCR_GEN_420, &source), 0); /* 5,400 */
    survey(&stats[1], 1);
    ck_assert_uint_lt(symbols_counted(stats[0]), 2 * symbols_counted(stats[1]));
    pcri_coder_stats_destroy(&stats[0]);
    pcri_coder_stats_destroy(&stats[1]);
}
END_TEST

/* --- files --- */

static void decode_file(const void *data, size_t nbytes, struct pcr_buffer *out)
{
    int rc = pcr_decoder_decode_alloc(decoder, data, nbytes, NULL, out, NULL, &err);
    ck_assert_msg(!rc, "%s", err.message);
}

/* What was packed last, as a file, has the source's pixels, also where scans are smaller. */
START_TEST(files)
{
    struct pcri_coder *c;
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_packed, ladder, NULL, NULL, &c, &err), 0);
    for (int again = 0; again < 2; again++)
        for (int i = 0; i < 2; i++) {
            struct pcri_coded p;
            struct pcr_span whole;
            int rc = i ? pcr_gen_make(pcr_gen_find("checkerboard"), &source, &err)
                       : pcr_gen_photo(9, 200, 152, 80, PCR_GEN_444, &source);
            ck_assert_int_eq(rc, 0);
            ck_assert_int_eq(pcri_coder_encode(c, NULL, source.data, source.nbytes, &p, &err),
                             0);
            ck_assert_uint_eq(p.coding, pcri_coding_packed.number - (uint32_t) i);
            ck_assert_int_eq(pcri_coder_file(c, &whole, &err), 0);
            decode_file(source.data, source.nbytes, &other);
            decode_file(whole.data, whole.nbytes, &pixels);
            ck_assert_uint_eq(pixels.nbytes, other.nbytes);
            ck_assert(!memcmp(pixels.data, other.data, other.nbytes));
            pcri_coded_free(&p);
        }
    pcri_coder_destroy(&c);
}
END_TEST

/* Of a file that was cut off the rows before are kept, those of the picture. */
START_TEST(salvaged)
{
    static const struct {
        uint32_t width, height;
    } sizes[] = { { 200, 152 }, { 64, 64 } };
    struct pcri_coder *c;
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_packed, ladder, NULL, NULL, &c, &err), 0);
    for (int i = 0; i < 2; i++) {
        struct pcri_coded p;
        struct pcr_span whole;
        ck_assert_int_eq(
            pcr_gen_photo(9, sizes[i].width, sizes[i].height, 80, PCR_GEN_444, &source), 0);
        size_t cut = source.nbytes - source.nbytes / 8;
        ck_assert_int_eq(pcri_coder_encode(c, NULL, source.data, cut, &p, &err),
                         PCR_ERR_TRUNCATED);
        int rc = pcri_coder_salvage(c, NULL, source.data, cut, &p, &err);
        ck_assert_msg(!rc, "%s", err.message);
        ck_assert_int_eq(pcri_coder_file(c, &whole, &err), 0);
        decode_file(source.data, source.nbytes, &other);
        decode_file(whole.data, whole.nbytes, &pixels);
        ck_assert_uint_eq(pixels.nbytes, other.nbytes);
        ck_assert(!memcmp(pixels.data, other.data, other.nbytes / 4));
        ck_assert(memcmp(pixels.data, other.data, other.nbytes) != 0);
        pcri_coded_free(&p);
    }
    ck_assert_int_lt(pcri_coder_salvage(c, NULL, "no picture", 10, &packed, &err), 0);
    pcri_coder_destroy(&c);
}
END_TEST

/* --- chunks --- */

/* A byte more and a byte less are damage, in whatever group. */
START_TEST(chunks_of_other_lengths)
{
    uint8_t *longer = NULL;
    for (uint32_t i = header + 1; i < count; i++) {
        const struct pcr_span good = items[i];
        longer = realloc(longer, good.nbytes + 1);
        ck_assert_ptr_nonnull(longer);
        memcpy(longer, good.data, good.nbytes);
        longer[good.nbytes] = 0;
        items[i] = (struct pcr_span) { longer, good.nbytes + 1 };
        ck_assert_int_eq(decode(ladder), PCR_ERR_CORRUPT);
        items[i] = (struct pcr_span) { longer, good.nbytes - 1 };
        ck_assert_int_eq(decode(ladder), PCR_ERR_CORRUPT);
        items[i] = good;
    }
    ck_assert_int_eq(decode(ladder), 0);
    insert(count, items[count - 1]);
    REFUSED(PCR_ERR_CORRUPT, "10 chunks of a ladder of 9 groups");
    free(longer);
}
END_TEST

/* Where no rows are wanted, nothing is decoded, and nothing is found to be damaged. */
START_TEST(no_rows)
{
    const struct pcri_block_decoder *d = &pcri_pk_block_decoder;
    const struct pcri_block_source *s;
    const struct pcr_spans spans = { .items = items, .count = count };
    struct pcr_limits limits = { .size = sizeof(limits) };
    void *state;
    pcri_limits_fill(&limits);
    ck_assert_int_eq(d->create(&state, &err), 0);
    ck_assert_int_eq(d->begin(state, &spans, &limits, ladder, &s, &err), 0);
    for (uint32_t c = 0; c < s->file->component_count; c++)
        d->keep(state, c, 0, 0);
    ck_assert_int_eq(d->run(state, &err), 0);
    for (uint32_t c = 0; c < s->file->component_count; c++)
        ck_assert_uint_eq(s->planes[c].row_begin, s->planes[c].row_end);
    ck_assert_int_eq(d->finish(state, &err), 0);
    d->destroy(state);
}
END_TEST

/* Groups of chroma alone have no passes in a gray picture. */
START_TEST(groups_without_passes)
{
    static const uint8_t bytes[2] = { 0, 0 }, one[1] = { 1 };
    uint32_t empty = 0;
    photo(240, 240, PCR_GEN_GRAY);
    ck_assert_int_eq(decode(ladder), 0);
    for (uint32_t i = header + 1; i < count; i++) {
        const struct pcr_span good = items[i];
        if (good.nbytes > 1)
            continue;
        empty++;
        ck_assert_int_eq(*(const uint8_t *) good.data, 0);
        items[i] = (struct pcr_span) { bytes, 2 };
        REFUSED(PCR_ERR_CORRUPT, "unexpected bytes in a group without passes");
        items[i] = (struct pcr_span) { one, 1 };
        REFUSED(PCR_ERR_CORRUPT, "unexpected bytes in a group without passes");
        items[i] = good;
    }
    ck_assert_uint_gt(empty, 0);
    ck_assert_int_eq(decode(ladder), 0);
}
END_TEST

/* At each fidelity what goes on is what begins there; after damage nothing goes on. */
START_TEST(going_on)
{
    const struct pcr_decode_options o = { .size = sizeof(o), .ladder = ladder };
    const uint32_t groups = ladder->group_count;
    struct pcr_decoder *d;
    ck_assert_int_eq(pcr_decoder_create(&d, &err), 0);
    for (uint32_t g = 1; g <= groups; g++) {
        const struct pcr_spans all = { .items = items, .count = header + 1 + g };
        const struct pcr_spans more = { .items = &items[header + g], .count = 1 };
        ck_assert_int_eq(pcr_decoder_decode_spans(decoder, &all, &o, &other, NULL, &err), 0);
        int rc = g == 1 ? pcr_decoder_decode_spans(d, &all, &o, &pixels, NULL, &err)
                        : pcr_decoder_continue(d, &more, &pixels, NULL, &err);
        ck_assert_msg(!rc, "%s", err.message);
        ck_assert(pixels.nbytes == other.nbytes &&
                  !memcmp(pixels.data, other.data, other.nbytes));
    }
    const struct pcr_spans last = { .items = &items[count - 1], .count = 1 };
    ck_assert_int_eq(pcr_decoder_continue(d, &last, &pixels, NULL, &err), PCR_ERR_CORRUPT);
    ck_assert_int_eq(pcr_decoder_continue(d, &last, &pixels, NULL, &err), PCR_ERR_INVAL);
    /* a group left out */
    const struct pcr_spans two = { .items = items, .count = header + 3 };
    const struct pcr_spans fourth = { .items = &items[header + 4], .count = 1 };
    ck_assert_int_eq(pcr_decoder_decode_spans(d, &two, &o, &pixels, NULL, &err), 0);
    ck_assert_int_eq(pcr_decoder_continue(d, &fourth, &pixels, NULL, &err), PCR_ERR_CORRUPT);
    ck_assert_uint_eq(pixels.nbytes, 0);
    pcr_decoder_destroy(&d);
}
END_TEST

/* Windows about the places where a tall picture's streams begin anew. */
START_TEST(crops_at_restarts)
{
    enum { WIDTH = 80, HEIGHT = 1240 };
    struct pcr_decode_options o = { .size = sizeof(o), .ladder = ladder, .crop_width = 33 };
    photo(WIDTH, HEIGHT, PCR_GEN_420);
    const struct pcr_span *p = &items[header];
    const uint8_t restart = ((const uint8_t *) p->data)[p->nbytes - 1];
    ck_assert_uint_eq(restart, 19); /* MCU rows of 16 pixels */
    ck_assert_int_eq(decode(ladder), 0);
    ck_assert_int_eq(pcri_buffer_append(&other, pixels.data, pixels.nbytes, &err), 0);
    const struct pcr_spans spans = { .items = items, .count = count };
    for (uint32_t at = 304; at <= 912; at += 304)
        for (int32_t off = -17; off <= 17; off++) {
            o.crop_x = (uint32_t) (20 + off);
            o.crop_y = at + (uint32_t) off;
            o.crop_height = (uint32_t) (18 + off) * 4;
            int rc = pcr_decoder_decode_spans(decoder, &spans, &o, &pixels, NULL, &err);
            ck_assert_msg(!rc, "%s", err.message);
            for (uint32_t y = 0; y < o.crop_height; y++)
                ck_assert(!memcmp(pixels.data + (size_t) y * 33 * 3,
                                  other.data + ((o.crop_y + y) * WIDTH + o.crop_x) * 3,
                                  33 * 3));
        }
}
END_TEST

int main(void)
{
    TCase *t = tests_case("packed samples");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, ladders);
    tcase_add_test(t, parameters);
    tcase_add_test(t, other_segments);
    tcase_add_test(t, too_long_segments);
    tcase_add_loop_test(t, foreign_segments, 0, 2);
    tcase_add_test(t, own_tables);
    tcase_add_test(t, tables_of_a_dataset);
    tcase_add_test(t, survey_of_a_large_picture);
    tcase_add_test(t, files);
    tcase_add_test(t, salvaged);
    tcase_add_test(t, chunks_of_other_lengths);
    tcase_add_test(t, no_rows);
    tcase_add_test(t, groups_without_passes);
    tcase_add_test(t, going_on);
    tcase_add_test(t, crops_at_restarts);
    return tests_run();
}
