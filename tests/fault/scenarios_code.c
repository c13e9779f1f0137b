/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of coding pictures, of ladders and of JSON. */
#include <check.h>
#include <stdlib.h>

#include <pcr/image.h>
#include <pcr/ladder.h>

#include "assemble.h"
#include "base/json.h"
#include "coding/codings.h"
#include "manifest/manifest.h"
#include "jpeg/prefix.h"
#include "jpeg/ladder.h"
#include "packed/builtin.h"
#include "packed/coding.h"
#include "packed/packed.h"
#include "packed/survey.h"
#include "memory.h"
#include "scenarios.h"

/* --- ladders --- */

static int use_builtin(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_ladder *a = NULL, *b = NULL;
    int rc = pcr_ladder_create(what, &a, err);
    const char *text = rc ? "" : pcr_ladder_text(a);
    if (!rc)
        rc = pcr_ladder_parse(text, strlen(text), &b, err);
    if (!rc) {
        add_text(sum, pcr_ladder_text(b));
        add_number(sum, pcr_ladder_group_count(b));
    }
    pcr_ladder_destroy(&a);
    pcr_ladder_destroy(&b);
    return rc;
}

static int parse_ladder(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcr_ladder *l = NULL;
    int rc = pcr_ladder_parse(what, strlen(what), &l, err);
    add_text(sum, rc ? NULL : pcr_ladder_text(l));
    rc = add_error(sum, rc, err);
    pcr_ladder_destroy(&l);
    return rc;
}

/* --- the codec --- */

static int add_packed(const struct pcri_coded *p, const struct pcr_ladder *ladder,
                      uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer file = { 0 };
    struct pcri_prefix prefix = { .ladder = ladder };
    struct pcr_limits limits = { .size = sizeof(limits) };
    int rc = 0;
    pcri_limits_fill(&limits);
    add(sum, p->bytes.data, p->bytes.nbytes);
    for (uint32_t g = 1; !rc && g <= pcr_ladder_group_count(ladder); g += 2) {
        rc = pcr_gen_assemble(p, ladder, g, &file, err);
        if (!rc)
            rc = pcri_prefix_decode(&prefix, file.data, file.nbytes, &limits, err);
        add(sum, file.data, rc ? 0 : file.nbytes);
    }
    pcri_prefix_free(&prefix);
    pcr_buffer_free(&file);
    return rc;
}

/* The spans of groups 1..g of a sample that has a piece a group. */
static int list_spans(const struct pcri_coded *p, const struct pcr_ladder *ladder, uint32_t g,
                      struct pcr_spans *out, struct pcr_error *err)
{
    const uint8_t *string = p->strings.data, *bytes = p->bytes.data;
    uint32_t piece = 0;
    int rc = 0;
    out->count = 0;
    for (uint32_t i = 0; !rc && i < p->item_count; string += p->items[i++].nbytes)
        rc = pcri_spans_add(out, string, p->items[i].nbytes, err);
    for (uint32_t k = 0; !rc && k < g; piece += ladder->piece_counts[k++]) {
        rc = pcri_spans_add(out, string, p->pieces[piece].string_nbytes, err);
        string += p->pieces[piece].string_nbytes;
        if (!rc)
            rc = pcri_spans_add(out, bytes, p->pieces[piece].nbytes, err);
        bytes += p->pieces[piece].nbytes;
    }
    return rc;
}

/* What a sample of coding 2 is to a decoder, and as a file. */
static int add_decoded(const struct pcri_coded *p, const struct pcr_ladder *ladder,
                       uint64_t *sum, struct pcr_error *err)
{
    struct pcr_buffer pixels = { 0 }, file = { 0 };
    struct pcr_decoder *d = NULL;
    struct pcr_spans spans = { 0 };
    int rc = pcr_decoder_create(&d, err);
    add(sum, p->bytes.data, p->bytes.nbytes);
    for (uint32_t g = 1; !rc && g <= ladder->group_count; g += 3) {
        rc = list_spans(p, ladder, g, &spans, err);
        if (!rc)
            rc = pcr_decoder_decode_spans(d, &spans, NULL, &pixels, NULL, err);
        if (!rc)
            rc = pcri_coding_packed.to_jpeg(&spans, &file, err);
        add(sum, pixels.data, rc ? 0 : pixels.nbytes);
        add(sum, file.data, rc ? 0 : file.nbytes);
    }
    pcr_spans_free(&spans);
    pcr_buffer_free(&pixels);
    pcr_buffer_free(&file);
    pcr_decoder_destroy(&d);
    return rc;
}

static int pack_samples(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const char *const *names = what;
    struct pcr_ladder *ladder = NULL;
    struct pcri_coder *c = NULL;
    int rc = pcr_ladder_create("packed", &ladder, err);
    if (!rc)
        rc = pcri_coder_create(&pcri_coding_packed, ladder, NULL, NULL, &c, err);
    for (size_t i = 0; !rc && names[i]; i++) {
        const struct pcr_buffer *file = picture(names[i]);
        struct pcri_coded p = { 0 };
        rc = pcri_coder_encode(c, NULL, file->data, file->nbytes, &p, err);
        if (!rc && p.coding == pcri_coding_packed.number)
            rc = add_decoded(&p, ladder, sum, err);
        else
            rc = rc ? add_error(sum, rc, err) : add_packed(&p, ladder, sum, err);
        pcri_coded_free(&p);
    }
    pcri_coder_destroy(&c);
    pcr_ladder_destroy(&ladder);
    return rc;
}

/* Codes pictures: with tables of all of them, or each with its own. */
static int code(const char *const *names, bool shared, bool salvage, uint64_t *sum,
                struct pcr_error *err)
{
    enum { MOST = 4 };
    struct pcr_limits limits = { .size = sizeof(limits) };
    struct pcr_ladder *ladder = NULL;
    struct pcri_coder *c = NULL;
    struct pcri_coder_stats *stats[MOST] = { NULL };
    struct pcri_coder_tables *tables = NULL;
    size_t n = 0;
    pcri_limits_fill(&limits);
    int rc = pcr_ladder_create("bitplane", &ladder, err);
    if (!rc)
        rc = pcri_coder_create(&pcri_coding_scans, ladder, &limits, NULL, &c, err);
    for (; !rc && shared && names[n]; n++)
        rc = pcri_coder_survey(c, picture(names[n])->data, picture(names[n])->nbytes,
                               &stats[n], err);
    if (!rc && shared)
        rc = pcri_coder_train(&pcri_coding_scans, ladder, stats, n, &tables, err);
    for (size_t i = 0; !rc && names[i]; i++) {
        const struct pcr_buffer *file = picture(names[i]);
        struct pcri_coded p = { 0 };
        rc = salvage ? pcri_coder_salvage(c, tables, file->data, file->nbytes, &p, err)
                     : pcri_coder_encode(c, tables, file->data, file->nbytes, &p, err);
        rc = rc ? add_error(sum, rc, err) : add_packed(&p, ladder, sum, err);
        pcri_coded_free(&p);
    }
    for (size_t i = 0; i < MOST; i++)
        pcri_coder_stats_destroy(&stats[i]);
    pcri_coder_tables_destroy(&tables);
    pcri_coder_destroy(&c);
    pcr_ladder_destroy(&ladder);
    return rc;
}

static int pack(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return code(what, false, false, sum, err);
}

static int pack_shared(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return code(what, true, false, sum, err);
}

static int salvage(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return code(what, false, true, sum, err);
}

/* --- coding 2 --- */

/* The chunks of a picture, and what is decoded of some of them. */
static int use_chunks(struct pcri_pk_decoder *d, const struct pcri_coefs *c,
                      const struct pcri_jpeg_file *f, const struct pcr_ladder *ladder,
                      const struct pcri_pk_tables *tables, const struct pcri_pk_params *params,
                      const struct pcr_buffer chunks[], uint64_t *sum, struct pcr_error *err)
{
    struct pcr_span spans[PCRI_LADDER_MAX_GROUPS];
    struct pcri_blocks planes[4] = { { 0 } };
    uint32_t groups = ladder->group_count - 1;
    for (uint32_t g = 0; g < groups; g++) {
        spans[g] = (struct pcr_span) { chunks[g].data, chunks[g].nbytes };
        add(sum, chunks[g].data, chunks[g].nbytes);
    }
    for (uint32_t i = 0; i < f->component_count; i++) {
        const struct pcri_plane *p = &c->planes[i]; /* is overwritten */
        planes[i] = (struct pcri_blocks) {
            .blocks_x = p->blocks_x,
            .blocks_y = p->blocks_y,
            .row_end = p->blocks_y,
            .coef = p->coef,
            .mask = p->mask,
            .has_ac = true,
        };
    }
    int rc = pcri_pk_decoder_begin(d, f, &ladder->scripts[0], ladder->group_count, tables,
                                   params, spans, groups, 0, UINT32_MAX, err);
    if (!rc)
        rc = pcri_pk_decode(d, planes, err);
    for (uint32_t i = 0; !rc && i < f->component_count; i++)
        add(sum, planes[i].coef, 128 * (size_t) planes[i].blocks_x * planes[i].blocks_y);
    return rc;
}

static int pack_planes(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const char *const *names = what;
    struct pcr_limits limits = { .size = sizeof(limits) };
    struct pcr_ladder *ladder = NULL;
    struct pcri_pk_tables *tables = NULL;
    struct pcri_pk_encoder e = { 0 };
    struct pcri_pk_decoder d = { 0 };
    struct pcr_buffer chunks[PCRI_LADDER_MAX_GROUPS] = { { 0 } };
    pcri_limits_fill(&limits);
    int rc = pcr_ladder_create("packed", &ladder, err);
    if (!rc)
        rc = pcri_pk_tables_open(pcri_pk_builtin_tables, pcri_pk_builtin_nbytes, true, &tables,
                                 err);
    for (size_t i = 0; !rc && names[i]; i++) {
        const struct pcr_buffer *file = picture(names[i]);
        const struct pcri_pk_params params = { tables->hash, 2, 2 };
        struct pcri_jpeg_file f = { 0 };
        struct pcri_coefs c = { 0 };
        bool in_doubt;
        rc = pcri_jpeg_file_parse(file->data, file->nbytes, &limits, &f, err);
        if (!rc)
            rc = pcri_coefs_read(&c, &f, 1, &in_doubt, err);
        for (uint32_t g = 0; g < PCRI_LADDER_MAX_GROUPS; g++)
            chunks[g].nbytes = 0;
        if (!rc)
            rc = pcri_pk_encode(&e, &c, &f, &ladder->scripts[0], ladder->group_count, tables,
                                &params, chunks, err);
        if (!rc)
            rc = use_chunks(&d, &c, &f, ladder, tables, &params, chunks, sum, err);
        pcri_coefs_free(&c);
        pcri_jpeg_file_free(&f);
    }
    for (uint32_t g = 0; g < PCRI_LADDER_MAX_GROUPS; g++)
        pcr_buffer_free(&chunks[g]);
    pcri_pk_encoder_free(&e);
    pcri_pk_decoder_free(&d);
    pcri_pk_tables_destroy(&tables);
    pcr_ladder_destroy(&ladder);
    return rc;
}

static int train_planes(const void *what, uint64_t *sum, struct pcr_error *err)
{
    static const uint16_t contexts[20] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7
    };
    struct pcri_pk_counts *a = NULL, *b = NULL;
    struct pcri_pk_frequencies *f = NULL;
    struct pcr_buffer stored = { 0 };
    int rc = pcri_pk_counts_create(&a, err);
    if (!rc)
        rc = pcri_pk_counts_create(&b, err);
    if (!rc)
        rc = pcri_pk_counts_add(a, PCRI_PK_T, contexts, what, 20, err);
    if (!rc)
        rc = pcri_pk_counts_merge(b, a, err);
    if (!rc)
        rc = pcri_pk_train(b, NULL, &f, err);
    if (!rc)
        rc = pcri_pk_frequencies_pack(f, &stored, err);
    add(sum, stored.data, rc ? 0 : stored.nbytes);
    pcri_pk_counts_destroy(&a);
    pcri_pk_counts_destroy(&b);
    pcri_pk_frequencies_destroy(&f);
    pcr_buffer_free(&stored);
    return rc;
}

/* Of so many symbols that tables pay. */
static int train_dataset(const void *what, uint64_t *sum, struct pcr_error *err)
{
    enum { TIMES = 1000 };
    struct pcri_pk_counts *c = NULL;
    struct pcri_coder_stats *stats = NULL;
    struct pcri_coder_tables *tables = NULL;
    int rc = pcri_pk_counts_create(&c, err);
    for (uint32_t i = 0; !rc && i < 20; i++)
        rc = pcri_pk_counts_add_one(c, i / 10, ((const uint8_t *) what)[i], TIMES, err);
    if (!rc)
        rc = pcri_pk_stats_take(c, &stats, err);
    if (!rc)
        rc = pcri_coder_train(&pcri_coding_packed, NULL, &stats, 1, &tables, err);
    if (!rc) {
        const struct pcr_buffer *b = &((struct pcri_pk_dataset_tables *) tables)->segment;
        ck_assert_uint_gt(b->nbytes, 0);
        add(sum, b->data, b->nbytes);
    }
    pcri_coder_tables_destroy(&tables);
    if (stats)
        pcri_pk_stats_destroy(stats);
    pcri_pk_counts_destroy(&c);
    return rc;
}

/* --- texts --- */

static int parse_json(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcri_json_fault fault = { 0 };
    json_t *v;
    char *text = NULL;
    int rc = pcri_json_parse(what, strlen(what), 0, &v, &fault, err);
    if (rc > 0) {
        add_text(sum, fault.what);
        return 0;
    }
    if (!rc)
        rc = pcri_json_text(v, &text, err);
    add_text(sum, text);
    free(text);
    json_decref(v);
    return rc;
}

static int read_manifest(const void *what, uint64_t *sum, struct pcr_error *err)
{
    struct pcri_manifest m = { 0 };
    struct pcr_buffer text = { 0 }, again = { 0 };
    struct pcr_limits limits = { .size = sizeof(limits) };
    (void) what;
    pcri_limits_fill(&limits);
    memory_pause();
    test_read(datasets.made.path, "manifest.json", &text);
    memory_resume();
    int rc = pcri_manifest_parse(text.data, text.nbytes, &limits, 0, &m, err);
    if (!rc)
        rc = pcri_manifest_render(&m, &again, err);
    add(sum, again.data, rc ? 0 : again.nbytes);
    pcri_manifest_free(&m);
    pcr_buffer_free(&text);
    pcr_buffer_free(&again);
    return rc;
}

static const char *const coded[] = { "baseline", "icc", "gray", NULL };
static const char *const odd[] = { "progressive-cmyk", "exif-thumbnail", "comments-200",
                                   NULL };
static const char *const refused[] = { "arithmetic", "truncated-half", "text", "missing-eoi",
                                       NULL };
static const char *const damaged[] = { "truncated-half", "flipped-bits-4",
                                       "truncated-progressive-scan-1", NULL };

static const struct scenario list[] = {
    { "ladder", use_builtin, NULL },
    { "ladder classic", use_builtin, "classic" },
    { "ladder of cjpeg", parse_ladder,
      "# group\n0 1 2: 0-0, 0, 0;\n# group\n0: 1-63, 0, 0;\n1: 1-63, 0, 0;\n"
      "2: 1-63, 0, 0;\n" },
    { "ladder, a bad one", parse_ladder, "ladder x\nscript all\ngroup\nall 0-0 0 0\n" },
    { "pack", pack, coded },
    { "pack odd ones", pack, odd },
    { "pack what cannot be", pack, refused },
    { "pack with shared tables", pack_shared, coded },
    { "salvage", salvage, damaged },
    { "pack by coding 2", pack_samples, coded },
    { "planes", pack_planes, coded },
    { "planes, tables of", train_planes, "twenty symbols, abcd" },
    { "tables of a dataset", train_dataset, "twenty symbols, abcd" },
    { "JSON", parse_json,
      "{\"a name of some length\":[1.2345678901234567,\"\\u00e9\\n more than sixteen\",true,"
      "{\"b\":{}}],\"c\":-12345678901234567}" },
    { "JSON, bad", parse_json, "{\"a\":[1,2,{\"b\":\"c\"}" },
    { "manifest", read_manifest, NULL },
};
const struct scenarios code_scenarios = SCENARIOS(list);
