/* SPDX-License-Identifier: BSD-2-Clause */
/* The prefix decoder step by step: pieces in place, rising fidelity, wanted rows only, and
 * scans that are not the ladder's. One decode of the whole file is the control. */
#include <check.h>
#include <stdlib.h>

#include "generator.h"
#include "jpeg/coding.h"
#include "jpeg/ladder.h"
#include "jpeg/prefix.h"
#include "suite.h"

static struct pcr_limits limits;
static struct pcri_prefix whole, steps;
static struct pcr_ladder *ladder;
static struct pcri_coder *coder;
static struct pcr_error e;

/* All that b keeps is equal in a, which keeps everything. */
static bool same(struct pcri_prefix *a, struct pcri_prefix *b)
{
    pcri_prefix_settle(a);
    pcri_prefix_settle(b);
    if (memcmp(a->bits, b->bits, sizeof(a->bits)))
        return false;
    for (uint32_t c = 0; c < a->file.component_count; c++) {
        const struct pcri_blocks *p = &a->planes[c], *q = &b->planes[c];
        size_t first = pcri_kept_begin(q), n = pcri_kept_end(q) - first;
        if (memcmp(p->mask + first, q->mask + first, n * sizeof(*q->mask)) ||
            memcmp(p->coef + 64 * first, q->coef, n * 64 * sizeof(*q->coef)))
            return false;
    }
    return true;
}

/* The bytes in a block of their own size, so that a sanitizer sees reads beyond them. */
static int add(const void *p, size_t nbytes)
{
    uint8_t *copy = malloc(nbytes ? nbytes : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, p, nbytes);
    int rc = pcri_prefix_add(&steps, copy, nbytes, &limits, &e);
    if (!rc)
        rc = pcri_prefix_run(&steps, &e);
    free(copy);
    return rc;
}

static int run_all(void)
{
    int rc = pcri_prefix_run(&steps, &e);
    return rc ? rc : pcri_prefix_finish(&steps, &e);
}

static int append(struct pcr_buffer *out, const void *p, size_t nbytes)
{
    return pcri_buffer_append(out, p, nbytes, &e);
}

/* Decodes piece after piece, and each prefix at once beside it; `often`: refinement scans at
 * each fidelity, else all of them at the end. */
static void compare_each(const struct pcri_coded *p, const char *name, bool often)
{
    const uint8_t *s = p->strings.data, *b = p->bytes.data;
    struct pcr_buffer file = { 0 };
    pcri_prefix_begin(&steps);
    steps.ladder = ladder;
    for (uint32_t i = 0; i < p->item_count; s += p->items[i++].nbytes) {
        ck_assert_msg(add(s, p->items[i].nbytes) == 0, "%s: %s", name, e.message);
        append(&file, s, p->items[i].nbytes);
    }
    uint32_t piece = 0;
    for (uint32_t g = 0; g < ladder->group_count; g++) {
        size_t before = file.nbytes;
        for (uint32_t k = 0; k < ladder->piece_counts[g]; k++, piece++) {
            const struct pcri_piece *q = &p->pieces[piece];
            ck_assert_msg(add(s, q->string_nbytes) == 0, "%s: %s", name, e.message);
            ck_assert_msg(add(b, q->nbytes) == 0, "%s: %s", name, e.message);
            append(&file, s, q->string_nbytes);
            append(&file, b, q->nbytes);
            s += q->string_nbytes;
            b += q->nbytes;
        }
        if (file.nbytes == before || (!often && g + 1 < ladder->group_count))
            continue;
        int rc = pcri_prefix_finish(&steps, &e);
        ck_assert_msg(rc == 0, "%s: %s", name, e.message);
        append(&file, "\xFF\xD9", 2);
        rc = pcri_prefix_decode(&whole, file.data, file.nbytes, &limits, &e);
        ck_assert_msg(rc == 0, "%s: %s", name, e.message);
        ck_assert_msg(same(&whole, &steps), "%s: fidelity %u", name, g + 1);
        file.nbytes -= 2;
    }
    pcr_buffer_free(&file);
}

static void compare_steps(const struct pcri_coded *p, const char *name)
{
    compare_each(p, name, true);
    compare_each(p, name, false);
}

static void for_packed(const char *ladder_name, uint32_t kinds,
                       void (*check)(const struct pcri_coded *, const char *))
{
    struct pcr_buffer file = { 0 };
    int seen = 0;
    ck_assert_int_eq(pcr_ladder_create(ladder_name, &ladder, &e), 0);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, ladder, NULL, NULL, &coder, &e), 0);
    for (size_t i = 0; pcr_gen_case(i); i++) {
        const struct pcr_gen_case *c = pcr_gen_case(i);
        struct pcri_coded packed;
        if (!(kinds >> c->kind & 1))
            continue;
        ck_assert_int_eq(pcr_gen_make(c, &file, &e), 0);
        if (pcri_coder_encode(coder, NULL, file.data, file.nbytes, &packed, &e))
            continue;
        check(&packed, c->name);
        pcri_coded_free(&packed);
        seen++;
    }
    ck_assert_int_gt(seen, 50);
    pcr_buffer_free(&file);
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&ladder);
}

START_TEST(pieces)
{
    static const char *const names[] = { "bitplane", "classic" };
    for_packed(names[_i], 1u << PCR_GEN_GOOD_JPEG | 1u << PCR_GEN_ODD_JPEG, compare_steps);
}
END_TEST

/* Every third window of block rows of a small file, alike in all components. */
static void compare_rows(const struct pcr_buffer *file, const char *name)
{
    ck_assert_int_eq(pcri_prefix_decode(&whole, file->data, file->nbytes, &limits, &e), 0);
    uint32_t most = whole.planes[0].blocks_y;
    uint32_t step = most > 12 ? most / 4 : 1;
    for (uint32_t begin = 0; begin < most; begin += step)
        for (uint32_t end = begin + 1; end <= most; end += 3 * step) {
            int rc = pcri_prefix_open(&steps, file->data, file->nbytes, &limits, &e);
            ck_assert_int_eq(rc, 0);
            for (uint32_t c = 0; c < steps.file.component_count; c++) {
                uint32_t v = steps.file.max_v / steps.file.components[c].v;
                pcri_prefix_keep(&steps, c, begin / v, (end + v - 1) / v);
            }
            rc = run_all();
            ck_assert_msg(rc == 0, "%s: %s", name, e.message);
            ck_assert_msg(same(&whole, &steps), "%s: rows %u to %u", name, begin, end);
        }
}

START_TEST(rows_of_sources)
{
    struct pcr_buffer file = { 0 };
    for (size_t i = 0; pcr_gen_case(i); i++) {
        const struct pcr_gen_case *c = pcr_gen_case(i);
        if (c->kind != PCR_GEN_GOOD_JPEG)
            continue;
        ck_assert_int_eq(pcr_gen_make(c, &file, &e), 0);
        compare_rows(&file, c->name);
    }
    pcr_buffer_free(&file);
}
END_TEST

static void join_all(const struct pcri_coded *p, struct pcr_buffer *file)
{
    const uint8_t *s = p->strings.data, *b = p->bytes.data;
    uint32_t piece = 0;
    file->nbytes = 0;
    for (uint32_t i = 0; i < p->item_count; s += p->items[i++].nbytes)
        append(file, s, p->items[i].nbytes);
    for (uint32_t g = 0; g < ladder->group_count; g++)
        for (uint32_t k = 0; k < ladder->piece_counts[g]; k++, piece++) {
            append(file, s, p->pieces[piece].string_nbytes);
            append(file, b, p->pieces[piece].nbytes);
            s += p->pieces[piece].string_nbytes;
            b += p->pieces[piece].nbytes;
        }
    append(file, "\xFF\xD9", 2);
}

static void rows_of_packed(const struct pcri_coded *p, const char *name)
{
    struct pcr_buffer file = { 0 };
    join_all(p, &file);
    compare_rows(&file, name);
    pcr_buffer_free(&file);
}

START_TEST(rows)
{
    for_packed("bitplane", 1u << PCR_GEN_GOOD_JPEG, rows_of_packed);
}
END_TEST

/* With the rows below not wanted, their damage is not seen; with them it is. */
START_TEST(rows_below_are_not_read)
{
    struct pcr_buffer photo = { 0 }, file = { 0 };
    struct pcri_coded packed;
    ck_assert_int_eq(pcr_gen_photo(3, 61, 99, 95, PCR_GEN_444, &photo), 0);
    ck_assert_int_eq(pcr_ladder_create("bitplane", &ladder, &e), 0);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, ladder, NULL, NULL, &coder, &e), 0);
    ck_assert_int_eq(pcri_coder_encode(coder, NULL, photo.data, photo.nbytes, &packed, &e), 0);
    join_all(&packed, &file);
    memset(file.data + file.nbytes - 42, 0, 40); /* the end of the last scan */
    for (uint32_t kept = 1; kept < 14; kept += 12) {
        ck_assert_int_eq(pcri_prefix_open(&steps, file.data, file.nbytes, &limits, &e), 0);
        for (uint32_t c = 0; c < 3; c++)
            pcri_prefix_keep(&steps, c, 0, kept);
        ck_assert_int_eq(run_all(), kept == 1 ? 0 : PCR_ERR_CORRUPT);
    }
    pcri_coded_free(&packed);
    pcr_buffer_free(&photo);
    pcr_buffer_free(&file);
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&ladder);
}
END_TEST

/* A legal progression of another ladder, and one that leaves a scan out. */
START_TEST(not_the_ladder)
{
    struct pcr_buffer photo = { 0 }, file = { 0 };
    struct pcri_coded packed;
    struct pcr_ladder *other;
    ck_assert_int_eq(pcr_gen_photo(3, 61, 45, 85, PCR_GEN_420, &photo), 0);
    ck_assert_int_eq(pcr_ladder_create("classic", &ladder, &e), 0);
    ck_assert_int_eq(pcr_ladder_create("bitplane", &other, &e), 0);
    ck_assert_int_eq(pcri_coder_create(&pcri_coding_scans, ladder, NULL, NULL, &coder, &e), 0);
    ck_assert_int_eq(pcri_coder_encode(coder, NULL, photo.data, photo.nbytes, &packed, &e), 0);
    join_all(&packed, &file);
    ck_assert_int_eq(pcri_prefix_open(&steps, file.data, file.nbytes, &limits, &e), 0);
    steps.ladder = ladder;
    ck_assert_int_eq(run_all(), 0);
    ck_assert_int_eq(pcri_prefix_open(&steps, file.data, file.nbytes, &limits, &e), 0);
    steps.ladder = other;
    ck_assert_int_eq(run_all(), PCR_ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(e.message, "ladder"));
    ck_assert_uint_ne(e.offset, PCR_NO_OFFSET);
    pcri_coded_free(&packed);
    pcr_buffer_free(&photo);
    pcr_buffer_free(&file);
    pcri_coder_destroy(&coder);
    pcr_ladder_destroy(&ladder);
    pcr_ladder_destroy(&other);
}
END_TEST

START_TEST(bad_pieces)
{
    static const uint8_t text[] = "no JPEG", entropy[] = { 0xFF, 0xD8, 1, 2, 3 };
    pcri_prefix_begin(&steps);
    ck_assert_int_eq(add(text, sizeof(text)), PCR_ERR_FORMAT);
    pcri_prefix_begin(&steps);
    ck_assert_int_eq(add(entropy, sizeof(entropy)), PCR_ERR_FORMAT);
    pcri_prefix_begin(&steps);
    ck_assert_int_eq(add(entropy, 2), 0);
    ck_assert_int_eq(add(entropy + 2, 3), PCR_ERR_CORRUPT); /* data without a scan */
    ck_assert_uint_eq(e.offset, 2);
    pcri_prefix_begin(&steps);
    ck_assert_int_eq(add(entropy, 2), 0);
    ck_assert_int_eq(add("\xFF\xDA\0\x08\1\1\0\0\0\0", 10), PCR_ERR_CORRUPT); /* no SOF */
    pcri_prefix_begin(&steps);
    ck_assert_int_eq(add(entropy, 2), 0);
    ck_assert_int_eq(add("\xFF\xC2\0\x0B\x08\0\1\0\1\1\1\x11\0", 13), 0);
    ck_assert_int_eq(add("\xFF\xDA\0\x08\1\1\0\0\0\0", 10), PCR_ERR_CORRUPT); /* no DQT */
    ck_assert_ptr_nonnull(strstr(e.message, "quantisation"));
}
END_TEST

int main(void)
{
    pcri_limits_fill(&limits);
    TCase *t = tests_case("prefix_steps");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, pieces, 0, 2);
    tcase_add_test(t, rows_of_sources);
    tcase_add_test(t, rows);
    tcase_add_test(t, rows_below_are_not_read);
    tcase_add_test(t, not_the_ladder);
    tcase_add_test(t, bad_pieces);
    int failed = tests_run();
    pcri_prefix_free(&whole);
    pcri_prefix_free(&steps);
    return failed;
}
