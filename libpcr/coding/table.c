/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of codings. A new one is a line here. */
#include "../packed/coding.h"
#include "codings.h"

const struct pcri_coding *const pcri_codings[] = {
    &pcri_coding_packed, /* its samples begin as a JPEG file does */
    &pcri_coding_scans,
    NULL,
};
