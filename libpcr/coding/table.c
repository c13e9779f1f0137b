/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of codings. A new one is a line here. */
#include "codings.h"

const struct pcri_coding *const pcri_codings[] = {
    &pcri_coding_scans,
    NULL,
};
