/* SPDX-License-Identifier: BSD-2-Clause */
/* codec: every generated file, packed under each ladder with and without shared tables,
 * against libjpeg called by the test itself. */
#include <check.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <pcr/image.h>

#include "assemble.h"
#include "generator.h"
#include "jpeg/coding.h"
#include "suite.h"

/* --- libjpeg, where every warning counts as a failure, unless they are passed over --- */

static bool pass_warnings;

struct jpeg {
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    jvirt_barray_ptr *arrays;
};

static void on_error(j_common_ptr cinfo)
{
    struct jpeg *j = cinfo->client_data;
    longjmp(j->jump, 1);
}

static void on_message(j_common_ptr cinfo, int level)
{
    if (level < 0 && !pass_warnings)
        on_error(cinfo);
}

static void jpeg_open(struct jpeg *j, const struct pcr_buffer *b)
{
    memset(j, 0, sizeof(*j));
    j->d.err = jpeg_std_error(&j->errors);
    j->d.client_data = j;
    j->errors.error_exit = on_error;
    j->errors.emit_message = on_message;
    jpeg_create_decompress(&j->d);
    jpeg_mem_src(&j->d, b->data, b->nbytes);
}

static bool read_coefficients(struct jpeg *j, const struct pcr_buffer *b)
{
    jpeg_open(j, b);
    if (setjmp(j->jump))
        return false;
    jpeg_read_header(&j->d, TRUE);
    j->arrays = jpeg_read_coefficients(&j->d);
    return true;
}

/* Decodes to pixels and forgets them. */
static bool decodes(const struct pcr_buffer *b)
{
    struct jpeg *j = malloc(sizeof(*j));
    uint8_t *row = NULL;
    ck_assert_ptr_nonnull(j);
    jpeg_open(j, b);
    bool good = !setjmp(j->jump);
    if (good) {
        jpeg_read_header(&j->d, TRUE);
        if (j->d.num_components == 4)
            j->d.out_color_space = JCS_CMYK;
        jpeg_start_decompress(&j->d);
        row = (*j->d.mem->alloc_small)((j_common_ptr) &j->d, JPOOL_IMAGE,
                                       (size_t) j->d.output_width * 4);
        while (j->d.output_scanline < j->d.output_height)
            jpeg_read_scanlines(&j->d, &row, 1);
        jpeg_finish_decompress(&j->d);
    }
    jpeg_destroy_decompress(&j->d);
    free(j);
    return good;
}

static JBLOCKROW block_row(struct jpeg *j, int c, JDIMENSION y)
{
    return (*j->d.mem->access_virt_barray)((j_common_ptr) &j->d, j->arrays[c], y, 1, FALSE)[0];
}

static void compare_component(struct jpeg *a, struct jpeg *b, int c, bool ids,
                              const char *name)
{
    const jpeg_component_info *x = &a->d.comp_info[c], *y = &b->d.comp_info[c];
    ck_assert_msg(!ids || x->component_id == y->component_id, "%s", name);
    ck_assert_msg(x->h_samp_factor == y->h_samp_factor, "%s", name);
    ck_assert_msg(x->v_samp_factor == y->v_samp_factor, "%s", name);
    if (x->quant_table) /* a component without a scan has none */
        ck_assert_msg(!memcmp(x->quant_table->quantval, y->quant_table->quantval,
                              sizeof(x->quant_table->quantval)),
                      "%s: quantisation", name);
    for (JDIMENSION r = 0; r < x->height_in_blocks; r++)
        ck_assert_msg(!memcmp(block_row(a, c, r), block_row(b, c, r),
                              x->width_in_blocks * sizeof(JBLOCK)),
                      "%s: component %d, row %u of blocks", name, c, r);
}

/* Two files hold the same frame, tables and coefficients. */
static void compare_coefficients(const struct pcr_buffer *source,
                                 const struct pcr_buffer *result,
                                 const struct pcr_gen_case *gen)
{
    const char *name = gen->name;
    struct jpeg *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));
    ck_assert(a && b);
    pass_warnings = gen->passed_over;
    ck_assert_msg(read_coefficients(a, source), "%s: the source", name);
    pass_warnings = false;
    ck_assert_msg(read_coefficients(b, result), "%s: the result", name);
    ck_assert_msg(a->d.image_width == b->d.image_width, "%s", name);
    ck_assert_msg(a->d.image_height == b->d.image_height, "%s", name);
    ck_assert_msg(a->d.num_components == b->d.num_components, "%s", name);
    ck_assert_msg(a->d.jpeg_color_space == b->d.jpeg_color_space, "%s: colours", name);
    ck_assert_msg(b->d.progressive_mode, "%s", name);
    for (int c = 0; c < a->d.num_components; c++)
        compare_component(a, b, c, !gen->passed_over, name);
    jpeg_destroy_decompress(&a->d);
    jpeg_destroy_decompress(&b->d);
    free(a);
    free(b);
}

/* --- metadata: APPn and COM segments --- */

/* The next such segment from *off on: its bytes after the fill bytes; NULL: no more. */
static const uint8_t *next_metadata(const struct pcr_buffer *b, size_t *off, size_t *nbytes)
{
    while (*off + 4 <= b->nbytes) {
        if (b->data[*off] != 0xFF) {
            ++*off; /* entropy-coded data */
            continue;
        }
        uint8_t m = b->data[*off + 1];
        if (m == 0xFF) {
            ++*off;
            continue;
        }
        if (m == 0xD9)
            return NULL;
        if (m == 0 || (m >= 0xD0 && m <= 0xD8)) {
            *off += 2;
            continue;
        }
        const uint8_t *p = b->data + *off;
        *nbytes = 2 + ((size_t) p[2] << 8 | p[3]);
        *off += *nbytes;
        if (m >= 0xE0)
            return p;
    }
    return NULL;
}

static void compare_metadata(const struct pcr_buffer *source, const struct pcr_buffer *result,
                             const char *name)
{
    size_t at = 2, bt = 2, an = 0, bn = 0;
    for (;;) {
        const uint8_t *a = next_metadata(source, &at, &an);
        const uint8_t *b = next_metadata(result, &bt, &bn);
        ck_assert_msg(!a == !b, "%s: a segment more or less", name);
        if (!a)
            return;
        ck_assert_msg(an == bn && !memcmp(a, b, an), "%s: another segment at %zu", name,
                      at - an);
    }
}

/* The library's decoder takes every source that packs, also those that break a rule which
 * libjpeg does not mind. */
static void check_decoder(const struct pcr_buffer *source, const struct pcr_gen_case *c)
{
    struct pcr_decoder *d;
    struct pcr_buffer pixels = { 0 };
    struct pcr_error e = { 0 };
    ck_assert_int_eq(pcr_decoder_create(&d, &e), 0);
    int rc = pcr_decoder_decode_alloc(d, source->data, source->nbytes, NULL, &pixels, NULL,
                                      &e);
    ck_assert_msg(rc == (c->no_pixels ? PCR_ERR_UNSUPPORTED : 0), "%s: %s", c->name,
                  e.message);
    pcr_buffer_free(&pixels);
    pcr_decoder_destroy(&d);
}

/* --- ladders and tables --- */

static const char ladder_text[] =
    "ladder custom\n"
    "script high below 40\n"
    "group\nall 0-0 0 1\n"
    "group\nluma 1-63 0 2\nchroma1 1-20 0 0\n"
    "group\nchroma2 1-63 0 1\nluma 1-10 2 1\nchroma1 21-63 0 0\n"
    "group\nluma 11-63 2 1\nall 0-0 1 0\nchroma2 1-63 1 0\nluma 1-63 1 0\n"
    "script low\n"
    "group\nluma 0-0 0 0\nchroma 0-0 0 0\n"
    "group\nluma 1-63 0 0\n"
    "group\n"
    "group\nchroma 1-63 0 0\n";

enum { LADDERS = 3, TRAINING = 12 };

struct fixture {
    struct pcr_ladder *ladder;
    struct pcri_coder *coder;
    struct pcri_coder_tables *tables;
};
static struct fixture fixtures[LADDERS];

/* The files of all cases, made once. */
enum { MOST_CASES = 1000 };
static struct pcr_buffer cases[MOST_CASES];

static void make_cases(void)
{
    const struct pcr_gen_case *c;
    for (size_t i = 0; (c = pcr_gen_case(i)); i++) {
        ck_assert_uint_lt(i, MOST_CASES);
        ck_assert_int_eq(pcr_gen_make(c, &cases[i], NULL), 0);
    }
}

static void train(struct fixture *f)
{
    struct pcri_coder_stats *stats[TRAINING] = { NULL };
    struct pcr_buffer photo = { 0 };
    struct pcr_error e = { 0 };
    for (int i = 0; i < TRAINING; i++) {
        ck_assert_int_eq(
            pcr_gen_photo((uint64_t) i, 96, 64, 30 + 6 * i, (unsigned) i % 7, &photo), 0);
        ck_assert_msg(!pcri_coder_survey(f->coder, photo.data, photo.nbytes, &stats[i], &e),
                      "%s", e.message);
    }
    ck_assert_int_eq(
        pcri_coder_train(&pcri_coding_scans, f->ladder, stats, TRAINING, &f->tables, &e), 0);
    for (int i = 0; i < TRAINING; i++)
        pcri_coder_stats_destroy(&stats[i]);
    pcr_buffer_free(&photo);
}

static void set_up(void)
{
    struct pcr_error e = { 0 };
    make_cases();
    for (int i = 0; i < LADDERS; i++) {
        struct fixture *f = &fixtures[i];
        int rc = i < 2
                     ? pcr_ladder_create(i ? "classic" : "bitplane", &f->ladder, &e)
                     : pcr_ladder_parse(ladder_text, sizeof(ladder_text) - 1, &f->ladder, &e);
        ck_assert_msg(!rc, "%s", e.message);
        ck_assert_int_eq(
            pcri_coder_create(&pcri_coding_scans, f->ladder, NULL, NULL, &f->coder, &e), 0);
        train(f);
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < MOST_CASES; i++)
        pcr_buffer_free(&cases[i]);
    for (int i = 0; i < LADDERS; i++) {
        pcri_coder_tables_destroy(&fixtures[i].tables);
        pcri_coder_destroy(&fixtures[i].coder);
        pcr_ladder_destroy(&fixtures[i].ladder);
    }
}

/* --- tests --- */

/* All that a packed sample promises. */
static void check_packed(const struct fixture *f, const struct pcri_coded *p,
                         const struct pcr_gen_case *c, const struct pcr_buffer *source)
{
    struct pcr_buffer result = { 0 };
    struct pcr_error e;
    uint32_t g, group_count = pcr_ladder_group_count(f->ladder);

    for (g = 1; g <= group_count; g++) {
        ck_assert_int_eq(pcr_gen_assemble(p, f->ladder, g, &result, &e), 0);
        struct jpeg *j = malloc(sizeof(*j));
        ck_assert_ptr_nonnull(j);
        ck_assert_msg(read_coefficients(j, &result), "%s: fidelity %u", c->name, g);
        jpeg_destroy_decompress(&j->d);
        free(j);
        ck_assert_msg(c->no_pixels || decodes(&result), "%s: fidelity %u", c->name, g);
    }
    compare_coefficients(source, &result, c);
    if (!c->passed_over)
        compare_metadata(source, &result, c->name);
    ck_assert_msg(p->orientation == c->orientation, "%s: orientation %u, expected %u", c->name,
                  p->orientation, c->orientation);
    ck_assert_uint_eq(p->source_nbytes, source->nbytes);
    ck_assert_uint_eq(p->coding, 1);
    pcr_buffer_free(&result);
}

static bool code_fits(const struct pcr_gen_case *c, int rc)
{
    switch (c->kind) {
    case PCR_GEN_GOOD_JPEG:
        return rc == 0;
    case PCR_GEN_UNSUPPORTED_JPEG:
        return rc == PCR_ERR_UNSUPPORTED;
    case PCR_GEN_GOOD_PNG:
    case PCR_GEN_BAD_PNG:
        return rc == PCR_ERR_FORMAT;
    case PCR_GEN_ODD_JPEG:
        if (!rc || rc == PCR_ERR_UNSUPPORTED)
            return true;
        break;
    default: /* damage is never UNSUPPORTED: such files are kept as they are */
        break;
    }
    return rc == PCR_ERR_FORMAT || rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED ||
           rc == PCR_ERR_LIMIT;
}

static void check_case(const struct fixture *f, const struct pcri_coder_tables *tables,
                       const struct pcr_gen_case *c, const struct pcr_buffer *source)
{
    struct pcri_coded p = { 0 };
    struct pcr_error e = { 0 };
    int rc = pcri_coder_encode(f->coder, tables, source->data, source->nbytes, &p, &e);
    ck_assert_msg(code_fits(c, rc), "%s: %s: %s", c->name, pcr_code_name(rc),
                  rc ? e.message : "packed");
    if (rc) {
        ck_assert_msg(e.code == rc && e.message[0], "%s: no message", c->name);
        ck_assert_msg(!p.items && !p.pieces, "%s: something was left", c->name);
        return;
    }
    check_packed(f, &p, c, source);
    if (f == fixtures && !tables) /* it is the same whatever the ladder */
        check_decoder(source, c);
    pcri_coded_free(&p);
}

/* _i: the ladder and whether tables are shared. */
START_TEST(all_cases)
{
    const struct fixture *f = &fixtures[_i / 2];
    const struct pcr_gen_case *c;
    for (size_t i = 0; (c = pcr_gen_case(i)); i++)
        check_case(f, _i % 2 ? f->tables : NULL, c, &cases[i]);
}
END_TEST

/* The error of a file that ends early is the same at each place: TRUNCATED, or before
 * there is a marker FORMAT. Without EOI alone it is complete. */
START_TEST(truncated_anywhere)
{
    static const char *const names[] = { "size-17x13", "size-9x7", "everything" };
    struct pcr_buffer source = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find(names[_i]), &source, &e), 0);
    for (size_t n = 0; n < source.nbytes; n++) {
        struct pcri_coded p;
        uint8_t *exact = malloc(n ? n : 1); /* so that sanitizers see reads beyond */
        ck_assert_ptr_nonnull(exact);
        if (n)
            memcpy(exact, source.data, n);
        int rc = pcri_coder_encode(fixtures[0].coder, NULL, exact, n, &p, &e);
        int want = n < 3 ? PCR_ERR_FORMAT : n < source.nbytes - 2 ? PCR_ERR_TRUNCATED : 0;
        ck_assert_msg(rc == want, "%zu bytes: %s", n, rc ? e.message : "packed");
        if (!rc)
            pcri_coded_free(&p);
        free(exact);
    }
    pcr_buffer_free(&source);
}
END_TEST

/* Of damaged files what is salvaged has the coefficients of libjpeg after its warnings, in a
 * file without any. */
START_TEST(salvaged)
{
    static const struct {
        const char *name;
        int code;
    } rows[] = {
        { "truncated-half", 0 },
        { "truncated-nearly-all", 0 },
        { "truncated-in-restart", 0 },
        { "truncated-progressive-between-scans", 0 },
        { "truncated-progressive-last-scan", 0 },
        { "scan-ends-early", 0 },
        { "scan-ends-early-progressive", 0 },
        { "no-scan-of-third-component", 0 },
        { "restart-marker-missing", 0 },
        { "restart-marker-wrong-by-1", 0 },
        { "restart-marker-wrong-by-minus-2", 0 },
        { "frame-height-smaller", 0 },
        { "frame-height-larger", 0 },
        { "scans-of-dc-and-ac-swapped", 0 },
        { "missing-eoi", 0 },
        { "progressive", 0 },
        { "truncated-before-scan", PCR_ERR_TRUNCATED },
        { "scan-empty", PCR_ERR_CORRUPT },
        { "truncated-after-scan-header", PCR_ERR_CORRUPT },
        { "no-scan", PCR_ERR_CORRUPT },
        { "quantisation-tables-missing", PCR_ERR_CORRUPT },
        { "frame-huge", PCR_ERR_LIMIT },
        { "arithmetic", PCR_ERR_UNSUPPORTED },
    };
    const struct pcr_gen_case *c = pcr_gen_find(rows[_i].name);
    struct pcr_buffer source = { 0 }, result = { 0 };
    struct pcr_error e = { 0 };
    struct pcri_coded p = { 0 };
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(pcr_gen_make(c, &source, &e), 0);
    const struct fixture *f = &fixtures[_i % LADDERS];
    int rc = pcri_coder_salvage(f->coder, f->tables, source.data, source.nbytes, &p, &e);
    ck_assert_msg(rc == rows[_i].code, "%s: %d, %s", c->name, rc, rc ? e.message : "");
    if (!rc) {
        struct pcr_gen_case damaged = *c;
        damaged.passed_over = true;
        uint32_t g = pcr_ladder_group_count(f->ladder);
        ck_assert_int_eq(pcr_gen_assemble(&p, f->ladder, g, &result, &e), 0);
        compare_coefficients(&source, &result, &damaged);
        ck_assert_msg(decodes(&result), "%s", c->name);
        struct pcr_span file;
        ck_assert_int_eq(pcri_coder_file(f->coder, &file, &e), 0);
        ck_assert(file.nbytes == result.nbytes &&
                  !memcmp(file.data, result.data, result.nbytes));
        pcri_coded_free(&p);
    }
    pcr_buffer_free(&source);
    pcr_buffer_free(&result);
}
END_TEST

START_TEST(limits)
{
    static const struct {
        const char *name;
        struct pcr_limits limits;
        int code;
    } rows[] = {
        { "size-64x64", { .max_pixels = 64 * 64 }, 0 },
        { "size-64x64", { .max_pixels = 64 * 64 - 1 }, PCR_ERR_LIMIT },
        { "size-64x64", { .max_sample_nbytes = 500 }, PCR_ERR_LIMIT },
        { "progressive", { .max_scans = 10 }, 0 },
        { "progressive", { .max_scans = 9 }, PCR_ERR_LIMIT },
    };
    struct pcr_buffer source = { 0 };
    struct pcr_error e;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pcri_coder *c;
        struct pcri_coded p = { 0 };
        struct pcr_limits l = rows[i].limits;
        l.size = sizeof(l);
        ck_assert_int_eq(pcr_gen_make(pcr_gen_find(rows[i].name), &source, &e), 0);
        ck_assert_int_eq(
            pcri_coder_create(&pcri_coding_scans, fixtures[0].ladder, &l, NULL, &c, &e), 0);
        ck_assert_int_eq(pcri_coder_encode(c, NULL, source.data, source.nbytes, &p, &e),
                         rows[i].code);
        pcri_coded_free(&p);
        pcri_coder_destroy(&c);
    }
    pcr_buffer_free(&source);
}
END_TEST

/* libjpeg's own limit of memory is no damage. */
START_TEST(less_memory_than_it_takes)
{
    struct pcr_buffer source = { 0 };
    struct pcri_coder *c;
    struct pcri_coded p = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(setenv("JPEGMEM", "1", 1), 0); /* thousands of bytes */
    ck_assert_int_eq(pcr_gen_photo(1, 300, 200, 80, PCR_GEN_420, &source), 0);
    ck_assert_int_eq(
        pcri_coder_create(&pcri_coding_scans, fixtures[0].ladder, NULL, NULL, &c, &e), 0);
    ck_assert_int_eq(pcri_coder_encode(c, NULL, source.data, source.nbytes, &p, &e),
                     PCR_ERR_NOMEM);
    pcri_coder_destroy(&c);
    pcr_buffer_free(&source);
}
END_TEST

/* Four components under a ladder of 21 lines make 81 scans, more than readers take. */
START_TEST(too_many_scans)
{
    static const struct {
        const char *name;
        int code;
    } rows[] = {
        { "gray", 0 },
        { "sampling-420", 0 },
        { "cmyk", PCR_ERR_UNSUPPORTED },
    };
    char text[1024];
    int n = snprintf(text, sizeof(text), "ladder many\nscript all\ngroup\nall 0-0 0 0\n");
    for (int k = 0; k < 20; k++)
        n += snprintf(text + n, sizeof(text) - (size_t) n, "luma %d-%d 0 0\n", 1 + 3 * k,
                      k < 19 ? 3 + 3 * k : 63);
    n += snprintf(text + n, sizeof(text) - (size_t) n, "chroma 1-63 0 0\n");
    struct pcr_ladder *ladder;
    struct pcri_coder *coder;
    struct pcr_buffer source = { 0 };
    struct pcr_error e = { 0 };
    ck_assert_msg(!pcr_ladder_parse(text, (size_t) n, &ladder, &e), "%s", e.message);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, ladder, NULL, NULL, &coder, &e), 0);
    for (size_t i = 0; i < 3; i++) {
        struct pcri_coded p = { 0 };
        ck_assert_int_eq(pcr_gen_make(pcr_gen_find(rows[i].name), &source, &e), 0);
        ck_assert_int_eq(pcri_coder_encode(coder, NULL, source.data, source.nbytes, &p, &e),
                         rows[i].code);
        pcri_coded_free(&p);
    }
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&ladder);
    pcr_buffer_free(&source);
}
END_TEST

/* More blocks without coefficients than a run of them can have. */
START_TEST(long_runs)
{
    enum { SIDE = 1456 };
    static const struct pcr_gen_case none = { .name = "flat", .orientation = 1 };
    struct jpeg_compress_struct c = { 0 };
    struct jpeg_error_mgr errors;
    struct pcr_buffer source = { 0 };
    struct pcr_error e = { 0 };
    unsigned char *data = NULL;
    unsigned long nbytes = 0;
    uint8_t row[SIDE];
    JSAMPROW rows[1] = { row };
    memset(row, 100, sizeof(row));
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &data, &nbytes);
    c.image_width = c.image_height = SIDE;
    c.input_components = 1;
    c.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&c);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < SIDE)
        jpeg_write_scanlines(&c, rows, 1);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    ck_assert_int_eq(pcri_buffer_append(&source, data, nbytes, &e), 0);
    free(data);
    check_case(&fixtures[LADDERS - 1], NULL, &none, &source);
    pcr_buffer_free(&source);
}
END_TEST

/* A coder keeps nothing of one image that shows in the next. */
START_TEST(packing_repeats)
{
    const struct fixture *f = &fixtures[0];
    struct pcri_coded first = { 0 }, again = { 0 };
    struct pcr_buffer a = { 0 }, other = { 0 };
    struct pcr_error e;
    ck_assert_int_eq(pcr_gen_photo(1, 120, 90, 80, PCR_GEN_420, &a), 0);
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find("truncated-half"), &other, &e), 0);
    ck_assert_int_eq(pcri_coder_encode(f->coder, f->tables, a.data, a.nbytes, &first, &e), 0);
    ck_assert_int_eq(pcri_coder_encode(f->coder, NULL, other.data, other.nbytes, &again, &e),
                     PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcri_coder_encode(f->coder, f->tables, a.data, a.nbytes, &again, &e), 0);
    ck_assert_uint_eq(first.bytes.nbytes, again.bytes.nbytes);
    ck_assert_mem_eq(first.bytes.data, again.bytes.data, first.bytes.nbytes);
    ck_assert_uint_eq(first.strings.nbytes, again.strings.nbytes);
    ck_assert_mem_eq(first.strings.data, again.strings.data, first.strings.nbytes);
    pcri_coded_free(&first);
    pcri_coded_free(&again);
    pcr_buffer_free(&a);
    pcr_buffer_free(&other);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("codec");
    tcase_add_unchecked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, all_cases, 0, 2 * LADDERS);
    tcase_add_loop_test(t, truncated_anywhere, 0, 3);
    tcase_add_loop_test(t, salvaged, 0, 23);
    tcase_add_test(t, limits);
    tcase_add_test(t, less_memory_than_it_takes);
    tcase_add_test(t, too_many_scans);
    tcase_add_test(t, long_runs);
    tcase_add_test(t, packing_repeats);
    return tests_run();
}
