/* SPDX-License-Identifier: BSD-2-Clause */
/* Coefficients out of libjpeg: zigzag order and masks, against plain loops. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "generator.h"
#include "jpeg/coefs.h"
#include "suite.h"

enum { LEVELS = 11 };

/* Block b of component i as libjpeg has it. */
static const JCOEF *block_of(struct jpeg_decompress_struct *d, jvirt_barray_ptr *arrays,
                             uint32_t i, uint32_t x, uint32_t y)
{
    return (*d->mem->access_virt_barray)((j_common_ptr) d, arrays[i], y, 1, FALSE)[0][x];
}

static void check_block(const struct pcri_coefs *c, uint32_t i, size_t b, const JCOEF *wanted)
{
    const struct pcri_plane *p = &c->planes[i];
    const size_t blocks = (size_t) p->blocks_x * p->blocks_y;
    uint64_t masks[LEVELS] = { 0 };
    for (unsigned k = 0; k < 64; k++) {
        const int v = wanted[pcri_zigzag_order[k]];
        ck_assert_int_eq(p->coef[64 * b + k], v);
        for (unsigned level = 0; level < LEVELS; level++)
            masks[level] |= (uint64_t) (abs(v) >> level != 0) << k;
    }
    for (unsigned level = 0; level < LEVELS; level++)
        ck_assert_uint_eq(p->mask[level * blocks + b], masks[level]);
}

static void check_all(const struct pcri_coefs *c, const struct pcr_buffer *file)
{
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr manager;
    d.err = jpeg_std_error(&manager);
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, file->data, file->nbytes);
    jpeg_read_header(&d, TRUE);
    jvirt_barray_ptr *arrays = jpeg_read_coefficients(&d);
    for (uint32_t i = 0; i < c->component_count; i++)
        for (uint32_t y = 0, b = 0; y < c->planes[i].blocks_y; y++)
            for (uint32_t x = 0; x < c->planes[i].blocks_x; x++, b++)
                check_block(c, i, b, block_of(&d, arrays, i, x, y));
    jpeg_destroy_decompress(&d);
}

START_TEST(order_and_masks)
{
    static const int qualities[] = { 10, 75, 95, 100 };
    struct pcr_buffer file = { 0 };
    struct pcri_jpeg_file f = { 0 };
    struct pcri_coefs c = { 0 };
    struct pcr_error err = { 0 };
    bool in_doubt;
    struct pcr_limits limits = { .size = sizeof(limits) };
    pcri_limits_fill(&limits);
    ck_assert_int_eq(
        pcr_gen_photo(3, 121, 77, qualities[_i], _i % 2 ? PCR_GEN_420 : PCR_GEN_444, &file),
        0);
    ck_assert_msg(!pcri_jpeg_file_parse(file.data, file.nbytes, &limits, &f, &err), "%s",
                  err.message);
    ck_assert_msg(!pcri_coefs_read(&c, &f, LEVELS, &in_doubt, &err), "%s", err.message);
    check_all(&c, &file);
    for (uint32_t i = 0; i < c.component_count; i++)
        memset(c.planes[i].mask, 0x55,
               LEVELS * sizeof(uint64_t) * c.planes[i].blocks_x * c.planes[i].blocks_y);
    pcri_coefs_index(&c, c.level_count);
    check_all(&c, &file);
    pcri_jpeg_file_free(&f);
    pcri_coefs_free(&c);
    pcr_buffer_free(&file);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("coefs");
    tcase_add_loop_test(t, order_and_masks, 0, 4);
    return tests_run();
}
