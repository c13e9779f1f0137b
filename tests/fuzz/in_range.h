/* SPDX-License-Identifier: BSD-2-Clause */
/* Which images two decoders must agree on. */
#ifndef PCR_FUZZ_IN_RANGE_H
#define PCR_FUZZ_IN_RANGE_H

#include <stdbool.h>
#include <stddef.h>

/* True for a file whose coefficients are as 8-bit samples can make them. Beyond
 * that decoders overflow, each in its own way (libjpeg-turbo's SIMD code otherwise than its
 * C code), and no picture is right. */
bool fuzz_in_range(const void *data, size_t nbytes);

#endif
