/* SPDX-License-Identifier: BSD-2-Clause */
/* The encoder of JPEG scans. */
#ifndef PCRI_PACK_H
#define PCRI_PACK_H

#include "coding.h"

extern const struct pcri_encoder pcri_scans_encoder; /* (pack.c) */

#endif
