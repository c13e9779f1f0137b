/* SPDX-License-Identifier: BSD-2-Clause */
/* The prefix decoder against libjpeg: every coefficient, at every prefix of scans. */
#include <check.h>
#include <stdlib.h>

#include "generator.h"
#include "jpeg/coefs.h"
#include "jpeg/coding.h"
#include "jpeg/ladder.h"
#include "jpeg/prefix.h"
#include "jpeg/turbo.h"
#include "suite.h"

static struct pcr_limits limits;
static struct pcri_prefix prefix;

/* True if every coefficient and mask of the last decode is what libjpeg holds in arrays. */
static bool same_arrays(struct jpeg_decompress_struct *d, jvirt_barray_ptr *arrays)
{
    pcri_prefix_settle(&prefix);
    for (int c = 0; c < d->num_components; c++) {
        const struct pcri_blocks *p = &prefix.planes[c];
        for (uint32_t y = 0; y < p->blocks_y; y++) {
            JBLOCKARRAY rows = d->mem->access_virt_barray((j_common_ptr) d, arrays[c], y, 1,
                                                          FALSE);
            for (uint32_t x = 0; x < p->blocks_x; x++) {
                size_t b = (size_t) y * p->blocks_x + x;
                uint64_t mask = 0;
                for (int k = 0; k < 64; k++) {
                    int16_t v = p->coef[64 * b + (size_t) k];
                    if (v != rows[0][x][pcri_zigzag_order[k]])
                        return false;
                    mask |= k && v ? UINT64_C(1) << k : 0;
                }
                if (mask != p->mask[b])
                    return false;
            }
        }
    }
    return true;
}

/* 1: equal to libjpeg's, 0: different, -1: libjpeg refuses. */
static int compare(const struct pcr_buffer *file)
{
    struct pcri_turbo t;
    struct jpeg_decompress_struct d;
    struct pcr_error err;
    d.err = pcri_turbo_errors(&t, NULL, 0, &err);
    if (setjmp(t.jump)) {
        jpeg_destroy_decompress(&d);
        return -1;
    }
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, file->data, file->nbytes);
    jpeg_read_header(&d, TRUE);
    jvirt_barray_ptr *arrays = jpeg_read_coefficients(&d);
    bool same = same_arrays(&d, arrays);
    jpeg_destroy_decompress(&d);
    return same;
}

/* All parts of a packed sample up to piece `last`, and EOI. */
static void join(const struct pcri_coded *p, uint32_t last, struct pcr_buffer *out)
{
    const uint8_t *s = p->strings.data, *b = p->bytes.data;
    out->nbytes = 0;
    for (uint32_t i = 0; i < p->item_count; s += p->items[i++].nbytes)
        ck_assert_int_eq(pcri_buffer_append(out, s, p->items[i].nbytes, NULL), 0);
    for (uint32_t i = 0; i <= last; i++) {
        ck_assert_int_eq(pcri_buffer_append(out, s, p->pieces[i].string_nbytes, NULL), 0);
        ck_assert_int_eq(pcri_buffer_append(out, b, p->pieces[i].nbytes, NULL), 0);
        s += p->pieces[i].string_nbytes;
        b += p->pieces[i].nbytes;
    }
    ck_assert_int_eq(pcri_buffer_append(out, "\xFF\xD9", 2, NULL), 0);
}

static uint32_t piece_total(const struct pcr_ladder *l)
{
    uint32_t n = 0;
    for (uint32_t g = 0; g < l->group_count; g++)
        n += l->piece_counts[g];
    return n;
}

static void check_ladder(const char *name)
{
    struct pcr_error e = { .message = "" };
    struct pcr_ladder *l;
    struct pcri_coder *coder;
    struct pcr_buffer file = { 0 }, whole = { 0 };
    int packed_count = 0;
    ck_assert_int_eq(pcr_ladder_create(name, &l, &e), 0);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, l, NULL, NULL, &coder, &e), 0);
    for (size_t i = 0; pcr_gen_case(i); i++) {
        const struct pcr_gen_case *c = pcr_gen_case(i);
        struct pcri_coded packed;
        if (c->kind != PCR_GEN_GOOD_JPEG && c->kind != PCR_GEN_ODD_JPEG)
            continue;
        ck_assert_int_eq(pcr_gen_make(c, &file, &e), 0);
        if (pcri_coder_encode(coder, NULL, file.data, file.nbytes, &packed, &e)) {
            ck_assert_msg(c->kind == PCR_GEN_ODD_JPEG, "%s: %s", c->name, e.message);
            continue;
        }
        packed_count++;
        for (uint32_t k = 0; k < piece_total(l); k++) {
            if (!packed.pieces[k].nbytes)
                continue;
            join(&packed, k, &whole);
            int rc = pcri_prefix_decode(&prefix, whole.data, whole.nbytes, &limits, &e);
            ck_assert_msg(rc == 0, "%s to piece %u: %s", c->name, k, e.message);
            ck_assert_msg(compare(&whole) == 1, "%s to piece %u", c->name, k);
        }
        pcri_coded_free(&packed);
    }
    ck_assert_int_gt(packed_count, 50);
    pcr_buffer_free(&file);
    pcr_buffer_free(&whole);
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&l);
}

START_TEST(bitplane_prefixes)
{
    check_ladder("bitplane");
}
END_TEST

START_TEST(classic_prefixes)
{
    check_ladder("classic");
}
END_TEST

START_TEST(sources)
{
    struct pcr_buffer file = { 0 };
    struct pcr_error e = { .message = "" };
    int seen = 0;
    for (size_t i = 0; pcr_gen_case(i); i++) {
        const struct pcr_gen_case *c = pcr_gen_case(i);
        if (c->kind != PCR_GEN_GOOD_JPEG)
            continue;
        ck_assert_int_eq(pcr_gen_make(c, &file, &e), 0);
        int rc = pcri_prefix_decode(&prefix, file.data, file.nbytes, &limits, &e);
        ck_assert_msg(rc == 0, "%s: %s", c->name, e.message);
        ck_assert_msg(compare(&file) == 1, "%s", c->name);
        seen++;
    }
    ck_assert_int_gt(seen, 80);
    pcr_buffer_free(&file);
}
END_TEST

struct damage {
    int refused, equal, stricter;
};

/* Refused, or the same coefficients as libjpeg's without a warning. */
static void check_damaged(const struct pcr_buffer *file, size_t at, struct damage *d)
{
    struct pcr_error e;
    int rc = pcri_prefix_decode(&prefix, file->data, file->nbytes, &limits, &e);
    int same = compare(file);
    ck_assert_int_le(rc, 0);
    if (rc) {
        ck_assert_str_ne(e.message, "");
        d->refused++;
        d->stricter += same >= 0;
    } else {
        ck_assert_msg(same != 0, "byte %zu: another picture", at);
        d->equal += same == 1;
    }
}

/* Some bits of every byte, one after the other, and every length. */
static void damage_everywhere(struct pcr_buffer *file)
{
    struct damage d = { 0 };
    for (size_t i = 2; i < file->nbytes; i++) {
        for (int bit = 0; bit < 8; bit += 1 + (int) (i % 3)) {
            file->data[i] ^= (uint8_t) (1 << bit);
            check_damaged(file, i, &d);
            file->data[i] ^= (uint8_t) (1 << bit);
        }
    }
    ck_assert_int_gt(d.refused, 100);
    ck_assert_int_gt(d.equal, 100);
    for (size_t n = 0; n < file->nbytes; n++) {
        uint8_t *copy = malloc(n ? n : 1); /* so that a sanitizer sees its end */
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, file->data, n);
        int rc = pcri_prefix_decode(&prefix, copy, n, &limits, NULL);
        ck_assert_msg(n < file->nbytes - 2 ? rc < 0 : !rc, "%zu bytes: %d", n, rc);
        free(copy);
    }
    printf("%d refused (%d of them libjpeg takes), %d equal\n", d.refused, d.stricter,
           d.equal);
}

START_TEST(damaged_progressive)
{
    struct pcr_error e;
    struct pcr_ladder *l;
    struct pcri_coder *coder;
    struct pcri_coded packed;
    struct pcr_buffer photo = { 0 }, whole = { 0 };
    ck_assert_int_eq(pcr_gen_photo(3, 61, 45, 85, PCR_GEN_420, &photo), 0);
    ck_assert_int_eq(pcr_ladder_create("bitplane", &l, &e), 0);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, l, NULL, NULL, &coder, &e), 0);
    ck_assert_int_eq(pcri_coder_encode(coder, NULL, photo.data, photo.nbytes, &packed, &e), 0);
    join(&packed, piece_total(l) - 1, &whole);
    damage_everywhere(&whole);
    pcri_coded_free(&packed);
    pcr_buffer_free(&photo);
    pcr_buffer_free(&whole);
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&l);
}
END_TEST

START_TEST(damaged_sequential)
{
    static const char *const names[] = {
        "restart-3-optimised",
        "sampling-2x2-2x1-1x2",
        "three-scans",
        "extended-high-tables",
    };
    struct pcr_buffer file = { 0 };
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find(names[_i]), &file, NULL), 0);
    damage_everywhere(&file);
    pcr_buffer_free(&file);
}
END_TEST

START_TEST(fill_byte_within_data)
{
    struct pcr_buffer file = { 0 };
    size_t at = 0;
    ck_assert_int_eq(pcr_gen_make(pcr_gen_find("noise"), &file, NULL), 0);
    ck_assert_int_eq(pcri_buffer_append(&file, "", 1, NULL), 0);
    while (memcmp(file.data + at, "\xFF\xDA", 2) != 0)
        at++;
    while (memcmp(file.data + at, "\xFF", 2) != 0) /* and a zero */
        at++;
    memmove(file.data + at + 1, file.data + at, file.nbytes - at - 1);
    ck_assert_int_eq(pcri_prefix_decode(&prefix, file.data, file.nbytes, &limits, NULL),
                     PCR_ERR_CORRUPT);
    pcr_buffer_free(&file);
}
END_TEST

/* Tables are kept from image to image: those of another one must not stay. */
START_TEST(tables_change)
{
    static const char *const names[] = {
        "baseline",    "baseline-optimised",    "noise",
        "baseline",    "three-scans-optimised", "extended-high-tables",
        "three-scans", "baseline-optimised",
    };
    struct pcr_buffer file = { 0 };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_int_eq(pcr_gen_make(pcr_gen_find(names[i]), &file, NULL), 0);
        ck_assert_int_eq(pcri_prefix_decode(&prefix, file.data, file.nbytes, &limits, NULL),
                         0);
        ck_assert_msg(compare(&file) == 1, "%s", names[i]);
    }
    pcr_buffer_free(&file);
}
END_TEST

int main(void)
{
    pcri_limits_fill(&limits);
    limits.max_pixels = 1 << 22;
    limits.max_scans = 200;
    TCase *t = tests_case("prefix");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, bitplane_prefixes);
    tcase_add_test(t, classic_prefixes);
    tcase_add_test(t, sources);
    tcase_add_test(t, damaged_progressive);
    tcase_add_loop_test(t, damaged_sequential, 0, 4);
    tcase_add_test(t, fill_byte_within_data);
    tcase_add_test(t, tables_change);
    int failed = tests_run();
    pcri_prefix_free(&prefix);
    return failed;
}
