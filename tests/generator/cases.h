/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the generator: the tables of cases. */
#ifndef PCR_GENERATOR_CASES_H
#define PCR_GENERATOR_CASES_H

#include "generator.h"

struct case_table {
    const struct pcr_gen_case *cases;
    size_t count;
};

extern const struct case_table gen_good_cases, gen_metadata_cases, gen_edited_cases,
    gen_passed_cases, gen_bad_cases, gen_assembled_cases, gen_png_cases;

#endif
