/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's table of codings with a line more. */
#include "coding/codings.h"
#include "packed/coding.h"
#include "toy.h"

const struct pcri_coding *const pcri_codings[] = {
    &pcri_coding_toy,
    &pcri_coding_packed,
    &pcri_coding_scans,
    NULL,
};
