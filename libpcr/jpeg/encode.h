/* SPDX-License-Identifier: BSD-2-Clause */
/* The encoder of JPEG scans. */
#ifndef PCRI_JPEG_ENCODE_H
#define PCRI_JPEG_ENCODE_H

#include "coding.h"

extern const struct pcri_encoder pcri_scans_encoder; /* (encode.c) */

#endif
