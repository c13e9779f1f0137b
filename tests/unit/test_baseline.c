/* SPDX-License-Identifier: BSD-2-Clause */
/* baseline: images written as baseline JPEG have the coefficients, quantisation and metadata that
 * they had, as libjpeg-turbo reads both, and it finds nothing to warn of. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <pcr/dataset.h>
#include <pcr/image.h>
#include <pcr/writer.h>

#include "base/base.h"
#include "folder.h"
#include "generator.h"
#include "jpeg/baseline.h"
#include "jpeg/sequential_put.h"
#include "suite.h"

static struct test_folder top;
static struct pcr_decoder *decoder;
static struct pcr_buffer file, control, out;
static struct pcr_error err;

static void set_up(void)
{
    test_folder_make(&top);
    ck_assert_int_eq(pcr_decoder_create(&decoder, &err), 0);
}

static void tear_down(void)
{
    pcr_decoder_destroy(&decoder);
    pcr_buffer_free(&file);
    pcr_buffer_free(&control);
    pcr_buffer_free(&out);
    test_folder_free(&top);
}

/* --- what libjpeg reads --- */

struct reader {
    struct jpeg_decompress_struct j;
    struct jpeg_error_mgr errors;
    jvirt_barray_ptr *blocks;
};

static void give_up(j_common_ptr j)
{
    char text[JMSG_LENGTH_MAX];
    j->err->format_message(j, text);
    ck_abort_msg("libjpeg: %s", text);
}

static void read_file(struct reader *r, const struct pcr_buffer *b)
{
    r->j.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = give_up;
    jpeg_create_decompress(&r->j);
    for (int m = 0; m < 16; m++)
        jpeg_save_markers(&r->j, JPEG_APP0 + m, 0xFFFF);
    jpeg_save_markers(&r->j, JPEG_COM, 0xFFFF);
    jpeg_mem_src(&r->j, b->data, (unsigned long) b->nbytes);
    (void) jpeg_read_header(&r->j, TRUE);
    r->blocks = jpeg_read_coefficients(&r->j);
}

static void same_component(struct reader *a, struct reader *b, int c)
{
    jpeg_component_info *x = &a->j.comp_info[c], *y = &b->j.comp_info[c];
    JDIMENSION rows = (a->j.image_height * (JDIMENSION) x->v_samp_factor +
                       8 * (JDIMENSION) a->j.max_v_samp_factor - 1) /
                      (8 * (JDIMENSION) a->j.max_v_samp_factor);
    JDIMENSION columns = (a->j.image_width * (JDIMENSION) x->h_samp_factor +
                          8 * (JDIMENSION) a->j.max_h_samp_factor - 1) /
                         (8 * (JDIMENSION) a->j.max_h_samp_factor);
    ck_assert_int_eq(x->component_id, y->component_id);
    ck_assert_int_eq(x->h_samp_factor, y->h_samp_factor);
    ck_assert_int_eq(x->v_samp_factor, y->v_samp_factor);
    ck_assert(!memcmp(x->quant_table->quantval, y->quant_table->quantval,
                      sizeof(x->quant_table->quantval)));
    for (JDIMENSION row = 0; row < rows; row++) {
        JBLOCKARRAY p = a->j.mem->access_virt_barray((j_common_ptr) &a->j, a->blocks[c], row,
                                                     1, FALSE);
        JBLOCKARRAY q = b->j.mem->access_virt_barray((j_common_ptr) &b->j, b->blocks[c], row,
                                                     1, FALSE);
        ck_assert_msg(!memcmp(p[0], q[0], columns * sizeof(JBLOCK)), "component %d, row %u", c,
                      row);
    }
}

static void same_markers(const struct reader *a, const struct reader *b)
{
    jpeg_saved_marker_ptr x = a->j.marker_list, y = b->j.marker_list;
    for (; x && y; x = x->next, y = y->next) {
        ck_assert_uint_eq(x->marker, y->marker);
        ck_assert_uint_eq(x->data_length, y->data_length);
        ck_assert(!memcmp(x->data, y->data, x->data_length));
    }
    ck_assert(!x && !y);
}

/* Holds `out` against a file of the same image; restart_rows: rows of MCUs between markers. */
static void check_file(const struct pcr_buffer *of, uint32_t restart_rows)
{
    struct reader a, b;
    read_file(&a, of);
    read_file(&b, &out);
    ck_assert_int_eq(b.errors.num_warnings, 0);
    ck_assert(!b.j.progressive_mode && !b.j.arith_code);
    ck_assert_uint_eq(a.j.image_width, b.j.image_width);
    ck_assert_uint_eq(a.j.image_height, b.j.image_height);
    ck_assert_int_eq(a.j.num_components, b.j.num_components);
    ck_assert_int_eq(a.j.jpeg_color_space, b.j.jpeg_color_space);
    JDIMENSION mcus = b.j.num_components > 1
                          ? (b.j.image_width + 8 * (JDIMENSION) b.j.max_h_samp_factor - 1) /
                                (8 * (JDIMENSION) b.j.max_h_samp_factor)
                          : b.j.comp_info[0].width_in_blocks;
    if (b.j.comps_in_scan == b.j.num_components)
        ck_assert_uint_eq(b.j.restart_interval, restart_rows * mcus);
    for (int c = 0; c < a.j.num_components; c++)
        same_component(&a, &b, c);
    same_markers(&a, &b);
    jpeg_destroy_decompress(&a.j);
    jpeg_destroy_decompress(&b.j);
}

static int write_with(const struct pcr_buffer *of, const struct pcr_baseline_options *o)
{
    const struct pcr_span span = { of->data, of->nbytes };
    const struct pcr_spans spans = { .items = (struct pcr_span *) (uintptr_t) &span,
                                     .count = 1 };
    return pcr_decoder_baseline(decoder, &spans, o, &out, &err);
}

/* --- samples of both codings --- */

static int describe(void *context, uint64_t i, struct pcr_source_sample *s,
                    struct pcr_error *why)
{
    (void) context, (void) why;
    s->key = pcr_gen_case((size_t) i)->name;
    return 0;
}

static int load(void *context, uint64_t i, uint64_t most, struct pcr_buffer *to,
                struct pcr_error *why)
{
    (void) context, (void) most;
    return pcr_gen_make(pcr_gen_case((size_t) i), to, why);
}

static void check_sample(struct pcr_dataset *ds, uint64_t index, uint32_t groups)
{
    struct pcr_sample *s = NULL;
    struct pcr_sample_info info = { .size = sizeof(info) };
    ck_assert_int_eq(pcr_sample_acquire(ds, index, &s, &err), 0);
    ck_assert_int_eq(pcr_sample_describe(s, &info, &err), 0);
    for (uint32_t g = 1; g <= groups; g++) {
        int rc = pcr_sample_baseline(s, g, decoder, NULL, &out, &err);
        ck_assert_msg(!rc, "%s, fidelity %u: %s", info.key, (unsigned) g, err.message);
        ck_assert_int_eq(pcr_sample_read(s, g, &control, &err), 0);
        if (info.coding != PCR_CODING_OPAQUE) {
            check_file(&control, 1);
        } else { /* as it is */
            ck_assert_uint_eq(control.nbytes, out.nbytes);
            ck_assert(!memcmp(control.data, out.data, out.nbytes));
        }
    }
    pcr_sample_release(&s);
}

START_TEST(all_cases_at_all_fidelities)
{
    const struct pcr_write_options o = { .size = sizeof(o),
                                         .bad_policy = PCR_BAD_SKIP,
                                         .coding = _i ? PCR_CODING_PACKED : PCR_CODING_SCANS };
    struct pcr_source source = { .size = sizeof(source), .describe = describe, .load = load };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    const char *path = test_path(&top, "made");
    while (pcr_gen_case((size_t) source.sample_count))
        source.sample_count++;
    int rc = pcr_dataset_write(path, &source, &o, NULL, &err);
    ck_assert_msg(!rc, "%s", err.message);
    ck_assert_int_eq(pcr_dataset_open(path, NULL, &ds, &err), 0);
    ck_assert_int_eq(pcr_dataset_describe(ds, &info, &err), 0);
    ck_assert_uint_gt(info.sample_count, 100);
    for (uint64_t i = 0; i < info.sample_count; i++)
        check_sample(ds, i, info.group_count);
    pcr_dataset_close(&ds);
}
END_TEST

/* --- files --- */

START_TEST(restart_intervals)
{
    static const uint32_t rows[] = { 0, 1, 2, 3, 7, 1000, PCR_NO_RESTARTS };
    for (uint32_t kind = 0; kind < PCR_GEN_SUBSAMPLINGS; kind++) {
        ck_assert_int_eq(pcr_gen_photo(kind, 131, 197, 85, kind, &file), 0);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct pcr_baseline_options o = { .size = sizeof(o),
                                                    .restart_rows = rows[i] };
            ck_assert_int_eq(write_with(&file, &o), 0);
            check_file(&file, rows[i] == PCR_NO_RESTARTS ? 0 : rows[i] ? rows[i] : 1);
        }
    }
    /* No more than DRI can say: 4096 MCUs a row. */
    const struct pcr_baseline_options o = { .size = sizeof(o), .restart_rows = 20 };
    ck_assert_int_eq(pcr_gen_photo(1, 65500, 40, 50, PCR_GEN_420, &file), 0);
    ck_assert_int_eq(write_with(&file, &o), 0);
    check_file(&file, 65535 / 4094);
}
END_TEST

/* Values at the ends of all categories, runs of all lengths, and bytes that want stuffing. */
static void make_blocks(int16_t *coef, uint64_t *mask, size_t count)
{
    uint64_t seed = 7;
    for (size_t b = 0; b < count; b++) {
        memset(coef + 64 * b, 0, 64 * sizeof(*coef));
        mask[b] = 0;
        coef[64 * b] = (int16_t) ((b % 2 ? 1 : -1) * (int) ((1u << b % 11) - 1));
        for (int k = 1; k < 64; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            unsigned bits = (unsigned) (seed >> 60) % 11;
            if ((seed >> 33) % 64 >= b % 64)
                continue;
            int v = (int) ((1u << bits) - (bits && seed >> 40 & 1 ? 1 : 0));
            v = v > 1023 ? 1023 : v;
            coef[64 * b + (size_t) k] = (int16_t) (seed >> 50 & 1 ? v : -v);
            mask[b] |= UINT64_C(1) << k;
        }
    }
}

enum { ROWS = 9, COLUMNS = 30 };
static int16_t coef[ROWS * COLUMNS * 64];
static uint64_t mask[ROWS * COLUMNS];
static struct pcri_baseline writer;

static int write_gray(uint16_t step)
{
    struct pcri_jpeg_file f = { .width = 8 * COLUMNS,
                                .height = 8 * ROWS,
                                .component_count = 1,
                                .components = { { .id = 1, .h = 1, .v = 1 } },
                                .max_h = 1,
                                .max_v = 1 };
    const struct pcri_blocks plane = { .blocks_x = COLUMNS,
                                       .blocks_y = ROWS,
                                       .row_end = ROWS,
                                       .coef = coef,
                                       .mask = mask,
                                       .has_ac = true };
    static const int8_t bits[4][64];
    const struct pcri_block_source source = { .file = &f, .planes = &plane, .bits = bits };
    for (int k = 0; k < 64; k++)
        f.quant[0][k] = step;
    out.nbytes = 0;
    ck_assert_int_eq(pcri_buffer_append(&out, "\xFF\xD8", 2, &err), 0);
    ck_assert_int_eq(pcri_baseline_frame(&f, &out, &err), 0);
    return pcri_baseline_write(&writer, &source, 1, &out, &err);
}

static const uint8_t zigzag[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

START_TEST(values_and_runs)
{
    struct reader r;
    make_blocks(coef, mask, ROWS * COLUMNS);
    for (uint16_t step = 1; step < 1000; step = (uint16_t) (step + 998)) {
        ck_assert_int_eq(write_gray(step), 0);
        read_file(&r, &out);
        ck_assert_int_eq(r.errors.num_warnings, 0);
        ck_assert_int_eq(r.j.comp_info[0].quant_table->quantval[5], step);
        for (JDIMENSION row = 0; row < ROWS; row++) {
            JBLOCKARRAY p = r.j.mem->access_virt_barray((j_common_ptr) &r.j, r.blocks[0], row,
                                                        1, FALSE);
            for (size_t i = 0; i < COLUMNS * 64; i++)
                ck_assert_int_eq(p[0][i / 64][zigzag[i % 64]], coef[row * COLUMNS * 64 + i]);
        }
        jpeg_destroy_decompress(&r.j);
    }
    pcri_baseline_free(&writer);
}
END_TEST

/* What 8-bit JPEG has no code for. */
START_TEST(values_beyond)
{
    memset(coef, 0, sizeof(coef));
    memset(mask, 0, sizeof(mask));
    ck_assert_int_eq(write_gray(1), 0);
    coef[64 + 9] = -1024;
    mask[1] = 1 << 9;
    ck_assert_int_eq(write_gray(1), PCR_ERR_UNSUPPORTED);
    coef[64 + 9] = -1023;
    ck_assert_int_eq(write_gray(1), 0);
    coef[128] = 2047;
    coef[192] = -1;
    ck_assert_int_eq(write_gray(1), PCR_ERR_UNSUPPORTED);
    coef[192] = 0;
    ck_assert_int_eq(write_gray(1), 0);
    pcri_baseline_free(&writer);
}
END_TEST

/* --- kernels --- */

/* Two components of blocks; beyond the picture they have padding, or repeat the block before. */
static void write_by(pcri_put_mcus *kernel, const struct pcri_dht *of, bool padded,
                     struct pcr_buffer *to)
{
    static struct pcri_dc_codes dc;
    static struct pcri_ac_codes ac;
    const struct pcri_jpeg_file f = {
        .width = 8 * COLUMNS - 9,
        .height = 8 * ROWS,
        .component_count = 2,
        .components = { { .id = 1, .h = 2, .v = 2 }, { .id = 2, .h = 1, .v = 1 } },
        .max_h = 2,
        .max_v = 2,
    };
    const struct pcri_blocks planes[2] = {
        { .blocks_x = COLUMNS - 1,
          .blocks_y = ROWS,
          .row_end = ROWS,
          .coef = coef,
          .mask = mask,
          .has_ac = true },
        { .blocks_x = COLUMNS / 2,
          .blocks_y = ROWS / 2 + 1,
          .row_end = ROWS,
          .coef = coef + 64,
          .mask = mask + 1,
          .has_ac = true },
    };
    const struct pcri_block_source source = { .file = &f, .planes = planes };
    struct pcri_padding_set padding = { 0 };
    struct pcri_sequential_scan s = { .part_count = 2 };
    ck_assert_int_eq(pcri_padding_reserve(&padding, &f, &err), 0);
    memcpy(padding.planes[0].coef, coef + 640,
           64 * sizeof(*coef) * pcri_padding_count(&padding.planes[0]));
    pcri_dc_codes_make(&of[0], &dc);
    pcri_ac_codes_make(&of[1], &ac);
    for (uint8_t i = 0; i < 2; i++)
        s.parts[i] = (struct pcri_sequential_part) { .plane = &planes[i],
                                                     .padding = padded ? &padding.planes[i]
                                                                       : NULL,
                                                     .component = i,
                                                     .dc = &dc,
                                                     .ac = &ac };
    pcri_sequential_begin(&s, &f, to);
    s.kernel = kernel;
    s.restart_interval = padded ? 7 : 0;
    s.pad_zeros = padded;
    to->nbytes = 0;
    ck_assert_int_eq(pcri_sequential_write(&source, &s, 1, &err), 0);
    pcri_padding_free(&padding);
}

/* The portable one is held against libjpeg above. Tables: the standard's for luma, and one whose
 * codes are all of 16 bits. */
START_TEST(kernels_agree)
{
    struct pcri_dht tables[2][2] = { { pcri_standard_tables[0], pcri_standard_tables[2] } };
    pcri_put_mcus *kernels[2] = { NULL };
#ifdef PCRI_SEQUENTIAL_X86
    const unsigned features = pcri_cpu_features();
    kernels[0] = features & PCRI_CPU_AVX2 ? pcri_put_mcus_bmi2 : NULL;
    kernels[1] = features & PCRI_CPU_AVX512 ? pcri_put_mcus_avx512 : NULL;
#endif
    for (int i = 0; i < 2; i++) {
        struct pcri_dht *t = &tables[1][i];
        *t = tables[0][i];
        memset(t->counts, 0, sizeof(t->counts));
        t->counts[16] = (uint8_t) t->value_count;
    }
    make_blocks(coef, mask, ROWS * COLUMNS);
    for (int i = 0; i < 4; i++) {
        write_by(pcri_put_mcus_portable, tables[i / 2], i % 2, &control);
        ck_assert_uint_gt(control.nbytes, 4096);
        for (int k = 0; k < 2 && kernels[k]; k++) {
            write_by(kernels[k], tables[i / 2], i % 2, &out);
            ck_assert_uint_eq(out.nbytes, control.nbytes);
            ck_assert(!memcmp(out.data, control.data, out.nbytes));
        }
    }
}
END_TEST

START_TEST(refusals)
{
    struct pcr_limits limits = { .size = sizeof(limits), .max_pixels = 100 * 80 - 1 };
    struct pcr_baseline_options o = { .size = sizeof(o), .limits = &limits };
    const struct pcr_spans none = { .count = 0 };
    ck_assert_int_eq(pcr_gen_photo(1, 100, 80, 85, PCR_GEN_420, &file), 0);
    ck_assert_int_eq(write_with(&file, &o), PCR_ERR_LIMIT);
    limits.max_pixels++;
    ck_assert_int_eq(write_with(&file, &o), 0);
    o.flags = 1;
    ck_assert_int_eq(write_with(&file, &o), PCR_ERR_INVAL);
    o.flags = 0;
    o.reserved = 1;
    ck_assert_int_eq(write_with(&file, &o), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_baseline(decoder, NULL, NULL, &out, &err), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_decoder_baseline(decoder, &none, NULL, &out, &err),
                     PCR_ERR_TRUNCATED);
    file.nbytes /= 2;
    int rc = write_with(&file, NULL);
    ck_assert(rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED);
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find("png-rgb"), &file, &err), 0);
    ck_assert_int_eq(write_with(&file, NULL), PCR_ERR_FORMAT);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("baseline");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, all_cases_at_all_fidelities, 0, 2);
    tcase_add_test(t, restart_intervals);
    tcase_add_test(t, values_and_runs);
    tcase_add_test(t, values_beyond);
    tcase_add_test(t, kernels_agree);
    tcase_add_test(t, refusals);
    return tests_run();
}
