/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of all cases. */
#include "cases.h"

#include <string.h>

#include "base/base.h"

static const struct case_table *const tables[] = {
    &gen_good_cases, &gen_metadata_cases,  &gen_edited_cases, &gen_passed_cases,
    &gen_bad_cases,  &gen_assembled_cases, &gen_png_cases,
};

const struct pcr_gen_case *pcr_gen_case(size_t index)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        if (index < tables[t]->count)
            return &tables[t]->cases[index];
        index -= tables[t]->count;
    }
    return NULL;
}

const struct pcr_gen_case *pcr_gen_find(const char *name)
{
    const struct pcr_gen_case *c;
    for (size_t i = 0; (c = pcr_gen_case(i)); i++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

int pcr_gen_make(const struct pcr_gen_case *c, struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = c->make(c, out, err);
    return rc ? pcri_prefix(err, rc, "%s", c->name) : 0;
}

const char *pcr_gen_folder(enum pcr_gen_kind kind)
{
    switch (kind) {
    case PCR_GEN_GOOD_JPEG:
        return "good";
    case PCR_GEN_UNSUPPORTED_JPEG:
        return "unsupported";
    case PCR_GEN_ODD_JPEG:
        return "odd";
    case PCR_GEN_GOOD_PNG:
        return "png";
    default:
        return "bad";
    }
}

const char *pcr_gen_ending(enum pcr_gen_kind kind)
{
    return kind == PCR_GEN_GOOD_PNG || kind == PCR_GEN_BAD_PNG ? "png" : "jpg";
}
