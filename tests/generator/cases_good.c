/* SPDX-License-Identifier: BSD-2-Clause */
/* Intact JPEG files that libjpeg writes and JPEG scans can hold. */
#include "cases.h"
#include "compose.h"

static int make_composed(const struct pcr_gen_case *c, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    return gen_compose(c->spec, out, err);
}

/* The tables below are of literals, one line a case. */
#define SPEC(...) &(const struct compose) { __VA_ARGS__ }
#define GOOD(name_, ...) { name_, PCR_GEN_GOOD_JPEG, 1, make_composed, SPEC(__VA_ARGS__) }

static const struct pcr_gen_case cases[] = {
    GOOD("baseline", .width = 100, .height = 75, .seed = 1),
};

const struct case_table gen_good_cases = { cases, sizeof(cases) / sizeof(cases[0]) };
