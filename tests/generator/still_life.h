/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the generator: a picture that people take for a photograph. */
#ifndef PCR_GENERATOR_STILL_LIFE_H
#define PCR_GENERATOR_STILL_LIFE_H

#include <stdint.h>

/* Ray-traces a still life of 3 to 2 into width * height * 3 bytes; where things lie depends on
 * the seed. Takes some 10 us a pixel. */
void gen_paint_still_life(uint64_t seed, uint32_t width, uint32_t height, uint8_t *rgb_out);

#endif
