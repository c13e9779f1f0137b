/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of a source's samples: what is kept stays right, wherever it lies, and the process holds
 * a part of it. Marks are sorted. */
#include "base/marks.h"
#include "base/random.h"
#include "folder.h"
#include "io/tape.h"
#include "suite.h"

enum { MIB = 1 << 20, TEXTS = 120 * 1000, TEXT_NBYTES = 500 }; /* 60 MB */

static struct test_folder folder;
static struct pcri_arena arena;
static char **texts;

static void set_up(void)
{
    test_folder_make(&folder);
    arena = (struct pcri_arena) { .folder = folder.path };
    texts = calloc(TEXTS, sizeof(*texts));
    ck_assert_ptr_nonnull(texts);
}

static void tear_down(void)
{
    pcri_arena_free(&arena);
    free(texts);
    test_folder_free(&folder);
}

static void render(char out[TEXT_NBYTES], size_t i)
{
    snprintf(out, TEXT_NBYTES, "%0499zu", (i * 2654435761u) % (TEXTS * UINT64_C(1000)));
}

static void fill(void)
{
    char text[TEXT_NBYTES];
    for (size_t i = 0; i < TEXTS; i++) {
        render(text, i);
        texts[i] = pcri_arena_strndup(&arena, text, TEXT_NBYTES - 1, NULL);
        if (!texts[i]) /* ck_assert costs a write() each time */
            ck_abort_msg("no memory");
    }
}

static void check_text(size_t i)
{
    char text[TEXT_NBYTES];
    render(text, i);
    pcri_arena_touch(&arena, texts[i]);
    if (strcmp(texts[i], text) != 0)
        ck_abort_msg("text %zu is %s", i, texts[i]);
}

/* MiB of files and shared memory that the process holds; all of the program's own, too. */
static long held(void)
{
    char line[256];
    long sum = 0, n;
    FILE *f = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "RssFile: %ld", &n) == 1 || sscanf(line, "RssShmem: %ld", &n) == 1)
            sum += n;
    fclose(f);
    return sum / 1024;
}

START_TEST(kept)
{
    const long before = held();
    fill();
    ck_assert_ptr_nonnull(arena.shelf);
    ck_assert(!arena.has_no_shelf);
    ck_assert_uint_le(arena.held_nbytes, 17 * MIB);
    ck_assert_int_le(held() - before, 48);
    for (size_t i = 0; i < TEXTS; i++)
        check_text(i);
    ck_assert_int_le(held() - before, 48);
    for (size_t i = 0; i < TEXTS / 8; i++)
        check_text(pcri_permute(1, TEXTS, i));
    ck_assert_int_le(held() - before, 48);
}
END_TEST

START_TEST(without_a_folder)
{
    arena.folder = NULL;
    fill();
    ck_assert_ptr_null(arena.shelf);
    ck_assert_uint_gt(arena.held_nbytes, 57 * MIB);
    for (size_t i = 0; i < TEXTS; i++)
        check_text(i);
}
END_TEST

START_TEST(without_a_file)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/there/is/none", folder.path);
    arena.folder = path;
    fill();
    ck_assert(arena.has_no_shelf);
    ck_assert_uint_gt(arena.held_nbytes, 57 * MIB);
    check_text(0);
    check_text(TEXTS - 1);
}
END_TEST

START_TEST(aligned)
{
    static const size_t sizes[] = { 1, 7, 64 * 1024, 9 * MIB, 3, 20 * MIB, 5 };
    uint8_t *last = NULL;
    fill();
    for (size_t i = 0; i < 7; i++) {
        uint8_t *p = pcri_arena_alloc(&arena, sizes[i], 16, NULL);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t) p % 16, 0);
        ck_assert(!last || *last == 1);
        memset(p, 1, sizes[i]);
        last = p + sizes[i] - 1;
    }
    struct pcr_error err;
    ck_assert_ptr_null(pcri_arena_alloc(&arena, SIZE_MAX - 100, 1, &err));
    ck_assert_int_eq(err.code, PCR_ERR_NOMEM);
    check_text(TEXTS - 1);
    pcri_arena_free(&arena);
    ck_assert_ptr_eq(arena.folder, folder.path);
    ck_assert_ptr_nonnull(pcri_arena_strndup(&arena, "again", 5, NULL));
}
END_TEST

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int compare_ends(const void *a, const void *b)
{
    return strcmp((const char *) a + TEXT_NBYTES - 3, (const char *) b + TEXT_NBYTES - 3);
}

START_TEST(sorted)
{
    enum { COUNT = TEXTS / 8 };
    const long before = held();
    fill();
    for (size_t i = 0; i < COUNT; i++) /* of all parts */
        texts[i] = texts[8 * i];
    ck_assert_int_eq(pcri_arena_sort(&arena, texts, COUNT, compare, NULL), 0);
    for (size_t i = 1; i < COUNT; i++)
        if (strcmp(texts[i - 1], texts[i]) > 0)
            ck_abort_msg("%zu: %s after %s", i, texts[i], texts[i - 1]);
    ck_assert_int_eq(pcri_arena_sort(&arena, texts, COUNT, compare_ends, NULL), 0);
    for (size_t i = 1; i < COUNT; i++) { /* the order of equal ones stays */
        const int order = compare_ends(texts[i - 1], texts[i]);
        if (order > 0 || (!order && strcmp(texts[i - 1], texts[i]) > 0))
            ck_abort_msg("%zu: %s after %s", i, texts[i], texts[i - 1]);
    }
    ck_assert_int_eq(pcri_arena_sort(&arena, texts, COUNT, compare, NULL), 0);
    for (size_t n = 0; n < 20; n++) { /* some few, backwards */
        char *few[20] = { 0 };
        for (size_t i = 0; i < n; i++)
            few[i] = texts[COUNT - 1 - i * 5];
        ck_assert_int_eq(pcri_arena_sort(&arena, few, n, compare, NULL), 0);
        for (size_t i = 0; i < n; i++)
            ck_assert_ptr_eq(few[i], texts[COUNT - 1 - (n - 1 - i) * 5]);
    }
    ck_assert_int_le(held() - before, 64);
}
END_TEST

static int compare_bytes(void *context, const void *data, size_t nbytes, struct pcr_error *err)
{
    size_t *at = context;
    const uint8_t *p = data;
    for (size_t i = 0; i < nbytes; i++)
        if (p[i] != (uint8_t) pcri_mix(*at + i))
            ck_abort_msg("byte %zu", *at + i);
    *at += nbytes;
    return *at > 40 * MIB ? pcri_fail(err, PCR_ERR_CANCELLED, "enough") : 0;
}

START_TEST(tape)
{
    enum { STEP = 3000 };
    struct pcri_tape t = { .arena.folder = folder.path };
    const long before = held();
    struct pcr_error err = { 0 };
    uint8_t bytes[STEP];
    size_t at = 0;
    ck_assert_int_eq(pcri_tape_play(&t, compare_bytes, &at, NULL), 0); /* an empty one */
    for (size_t n = 0; n <= 30 * MIB; n += STEP) {
        for (size_t i = 0; i < STEP; i++)
            bytes[i] = (uint8_t) pcri_mix(n + i);
        if (pcri_tape_append(&t, bytes, STEP, NULL))
            ck_abort_msg("no memory");
    }
    ck_assert_int_eq(pcri_tape_play(&t, compare_bytes, &at, NULL), 0);
    ck_assert_uint_eq(at, t.nbytes);
    ck_assert_int_le(held() - before, 48);
    pcri_tape_free(&t);
    ck_assert_uint_eq(t.nbytes, 0);
    ck_assert_int_eq(pcri_tape_append(&t, "again", 5, NULL), 0);
    at = 41 * MIB;
    bytes[0] = (uint8_t) pcri_mix(at);
    pcri_tape_free(&t);
    ck_assert_int_eq(pcri_tape_append(&t, bytes, 1, NULL), 0);
    ck_assert_int_eq(pcri_tape_play(&t, compare_bytes, &at, &err), PCR_ERR_CANCELLED);
    pcri_tape_free(&t);
}
END_TEST

START_TEST(marks)
{
    enum { COUNT = 50 * 1000 };
    struct pcri_mark *m = calloc(COUNT, sizeof(*m));
    bool *seen = calloc(COUNT, sizeof(*seen));
    ck_assert(m && seen);
    for (int small = 0; small < 2; small++) {
        for (size_t i = 0; i < COUNT; i++)
            m[i] = (struct pcri_mark) { pcri_mix(i % 20000) >> (small ? 50 : 0),
                                        pcri_permute(2, COUNT, i) };
        pcri_marks_sort(m, COUNT);
        memset(seen, 0, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            if (i && (m[i - 1].check > m[i].check ||
                      (m[i - 1].check == m[i].check && m[i - 1].index >= m[i].index)))
                ck_abort_msg("%zu is not in its place", i);
            if (seen[m[i].index])
                ck_abort_msg("%zu is there twice", (size_t) m[i].index);
            seen[m[i].index] = true;
        }
    }
    pcri_marks_sort(m, 0);
    free(m);
    free(seen);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("arena");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, kept);
    tcase_add_test(t, without_a_folder);
    tcase_add_test(t, without_a_file);
    tcase_add_test(t, aligned);
    tcase_add_test(t, sorted);
    tcase_add_test(t, tape);
    tcase_add_test(t, marks);
    return tests_run();
}
