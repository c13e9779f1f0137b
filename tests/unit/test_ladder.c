/* SPDX-License-Identifier: BSD-2-Clause */
/* Ladders: both text forms, the canonical text, and what is refused. */
#include <check.h>

#include <pcr/dataset.h>

#include "jpeg/coding.h"
#include "jpeg/ladder.h"
#include "suite.h"

/* What cjpeg -scans takes for libjpeg's own progression, with group marks. */
static const char cjpeg_text[] = "# group\n0,1,2: 0-0, 0, 1 ;\n"
                                 "# group\n0: 1-5, 0, 2 ;\n"
                                 "# group\n2: 1-63, 0, 1 ;\n"
                                 "# group\n1: 1-63, 0, 1 ;\n"
                                 "# group, luma again\n0: 6-63, 0, 2 ;\n"
                                 "group\n0: 1-63, 2, 1 ;\n"
                                 "group\n0 , 1 2: 0-0, 1, 0 ;\n"
                                 "group\n2: 1-63, 1, 0 ;\n"
                                 "group\n1: 1-63, 1, 0 ;\n"
                                 "group\n0: 1-63, 1, 0 ;\n";

static int parse(const char *text, struct pcr_error *err)
{
    struct pcr_ladder *l;
    int rc = pcr_ladder_parse(text, strlen(text), &l, err);
    pcr_ladder_destroy(&l);
    return rc;
}

START_TEST(builtins_are_canonical)
{
    struct pcr_error e;
    for (uint32_t i = 0; pcr_ladder_name(i); i++) {
        struct pcr_ladder *a, *b;
        ck_assert_int_eq(pcr_ladder_create(pcr_ladder_name(i), &a, &e), 0);
        const char *text = pcr_ladder_text(a);
        ck_assert_str_eq(text, pcri_ladder_builtin_text(pcr_ladder_name(i)));
        ck_assert_int_eq(pcr_ladder_parse(text, strlen(text), &b, &e), 0);
        ck_assert_str_eq(pcr_ladder_text(b), text);
        pcr_ladder_destroy(&a);
        pcr_ladder_destroy(&b);
    }
    struct pcr_ladder *l;
    ck_assert_int_eq(pcr_ladder_create(NULL, &l, &e), 0);
    ck_assert_str_eq(pcr_ladder_text(l), pcri_ladder_builtin_text("packed"));
    ck_assert_str_eq(pcr_ladder_name(0), "packed");
    pcr_ladder_destroy(&l);
    ck_assert_int_eq(pcr_ladder_create("none", &l, &e), PCR_ERR_INVAL);

    ck_assert_int_eq(pcr_ladder_create("classic", &l, &e), 0);
    ck_assert_int_eq(pcr_ladder_check(l, PCR_CODING_SCANS, &e), 0);
    ck_assert_int_eq(pcr_ladder_check(l, PCR_CODING_PACKED, &e), PCR_ERR_INVAL);
    ck_assert_ptr_nonnull(strstr(e.message, "coding packed cannot use ladder classic"));
    ck_assert_int_eq(pcr_ladder_check(l, 9, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_ladder_check(NULL, PCR_CODING_SCANS, &e), PCR_ERR_INVAL);
    pcr_ladder_destroy(&l);
    ck_assert_ptr_null(l);
}
END_TEST

START_TEST(cjpeg_syntax)
{
    struct pcr_error e;
    struct pcr_ladder *a, *b;
    const char *text = cjpeg_text;
    ck_assert_int_eq(pcr_ladder_create("classic", &a, &e), 0);
    /* The mark "# group, luma again" is a comment like any other. */
    ck_assert_int_eq(pcr_ladder_parse(text, strlen(text), &b, &e), 0);
    ck_assert_uint_eq(pcr_ladder_group_count(b), 9);
    ck_assert_uint_eq(b->scripts[0].scan_count, a->scripts[0].scan_count);
    for (uint32_t i = 0; i < a->scripts[0].scan_count; i++) {
        struct pcri_ladder_scan x = a->scripts[0].scans[i], y = b->scripts[0].scans[i];
        ck_assert(x.part == y.part && x.ss == y.ss && x.se == y.se && x.ah == y.ah &&
                  x.al == y.al);
    }
    pcr_ladder_destroy(&a);
    pcr_ladder_destroy(&b);
    ck_assert_int_eq(parse("group\n0,1,2: 0-0, 0, 0; 0: 1-63, 0, 0; 1,2: 1-63, 0, 0;\n", &e),
                     0);
}
END_TEST

START_TEST(scripts_are_chosen_by_step)
{
    struct pcr_error e;
    struct pcr_ladder *l;
    ck_assert_int_eq(pcr_ladder_create("bitplane", &l, &e), 0);
    ck_assert_uint_eq(pcri_ladder_choose(l, 10), 0);
    ck_assert_uint_eq(pcri_ladder_choose(l, 15), 0);
    ck_assert_uint_eq(pcri_ladder_choose(l, 16), 1);
    ck_assert_uint_eq(pcri_ladder_choose(l, 95), 2);
    ck_assert_uint_eq(pcri_ladder_choose(l, UINT32_MAX), 2);
    uint16_t counts[32];
    pcri_ladder_piece_counts(l, counts);
    ck_assert_uint_eq(counts[0], 4);
    ck_assert_uint_eq(counts[5], 1);
    pcr_ladder_destroy(&l);
}
END_TEST

#define ALL "group\nall 0-0 0 0\nluma 1-63 0 0\nchroma 1-63 0 0\n"

START_TEST(refusals)
{
    static const struct {
        const char *text, *says;
        int code;
    } cases[] = {
        { "", "no groups", PCR_ERR_INVAL },
        { "all 0-0 0 0\n", "before the first", PCR_ERR_INVAL },
        { "group\nall 0-0 0 0\nluma 1-63 0 0\n", "of chroma1 is not sent", PCR_ERR_INVAL },
        { "group\nluma 0-0 0 0\nluma 1-63 0 0\n", "chroma1", PCR_ERR_INVAL },
        { "group\nluma 1-63 0 0\n", "before DC", PCR_ERR_INVAL },
        { "group\nall 0-0 0 1\n", "not sent down to bit 0", PCR_ERR_INVAL },
        { "group\nall 0-0 0 2\nall 0-0 2 0\n", "does not continue", PCR_ERR_INVAL },
        { "group\nall 0-0 0 0\nall 0-0 0 0\n", "does not continue", PCR_ERR_INVAL },
        { "group\nall 0-63 0 0\n", "expected 0-0 or SS-SE", PCR_ERR_INVAL },
        { "group\nluma 5-64 0 0\n", "expected 0-0 or SS-SE", PCR_ERR_INVAL },
        { "group\nluma 1-63 0 11\n", "at most 10", PCR_ERR_INVAL },
        { "group\nall 1-63 0 0\n", "one component", PCR_ERR_INVAL },
        { "group\n0,1: 0-0, 0, 0;\n", "components must be", PCR_ERR_INVAL },
        { "group\n0,3: 0-0, 0, 0;\n", "expected components", PCR_ERR_INVAL },
        { "group\n0,0: 0-0, 0, 0;\n", "expected components", PCR_ERR_INVAL },
        { "group\n0,1,2;\n", "expected components", PCR_ERR_INVAL },
        { "group\nred 1-63 0 0\n", "expected luma", PCR_ERR_INVAL },
        { "rubbish\n", "expected `ladder`", PCR_ERR_INVAL },
        { "ladder\n", "expected", PCR_ERR_INVAL },
        { "ladder a b\n", "expected `ladder NAME`", PCR_ERR_INVAL },
        { "script a below 0\n" ALL, "expected `script NAME`", PCR_ERR_INVAL },
        { "script a/b\n" ALL, "a script's name", PCR_ERR_INVAL },
        { "script a below 5\n" ALL, "the last script", PCR_ERR_INVAL },
        { "script a\n" ALL "script b\n" ALL, "needs `below", PCR_ERR_INVAL },
        { "script a below 5\n" ALL "script b\n" ALL "group\n", "different numbers",
          PCR_ERR_INVAL },
        { "script a below 5\n" ALL "group\nscript b\n" ALL, "different numbers",
          PCR_ERR_INVAL },
        { "group\n" ALL, "group 1 has no scan", PCR_ERR_INVAL },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcr_error e = { .message = "" };
        int rc = parse(cases[i].text, &e);
        ck_assert_msg(rc == cases[i].code && strstr(e.message, cases[i].says),
                      "case %zu: %d, %s", i, rc, e.message);
    }
    struct pcr_error e;
    char text[4000] = "";
    for (int i = 0; i < 33; i++)
        strcat(text, "group\n");
    ck_assert_int_eq(parse(text, &e), PCR_ERR_LIMIT);
    text[0] = '\0';
    memset(text, '#', 300);
    text[300] = '\0';
    ck_assert_int_eq(parse(text, &e), PCR_ERR_INVAL);
    ck_assert_int_eq(pcr_ladder_parse(NULL, 70000, &(struct pcr_ladder *) { NULL }, &e),
                     PCR_ERR_LIMIT);
    ck_assert_int_eq(parse(ALL, &e), 0);
}
END_TEST

int main(void)
{
    TCase *t = tests_case("ladder");
    tcase_add_test(t, builtins_are_canonical);
    tcase_add_test(t, cjpeg_syntax);
    tcase_add_test(t, scripts_are_chosen_by_step);
    tcase_add_test(t, refusals);
    return tests_run();
}
