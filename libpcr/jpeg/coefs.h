/* SPDX-License-Identifier: BSD-2-Clause */
/* An image's quantised coefficients. */
#ifndef PCRI_COEFS_H
#define PCRI_COEFS_H

#include "markers.h"

/* One component's blocks, row after row, without padding. */
struct pcri_plane {
    uint32_t blocks_x, blocks_y;
    int16_t *coef;  /* [block * 64 + k], k in zigzag order; 64-byte aligned */
    uint64_t *mask; /* [level * blocks + block]: bit k set if |coef k| >> level != 0 */
};

struct pcri_coefs {
    uint32_t component_count, level_count;
    struct pcri_plane planes[4];
    uint8_t *memory;
    size_t capacity;
};

enum { PCRI_LEVELS = 11 };

extern const uint8_t pcri_zigzag_order[64]; /* natural position of zigzag index k */

/* Reads the coefficients of a whole file through libjpeg. masks for levels 0..levels-1 are
 * made. Memory is reused. Codes: CORRUPT, TRUNCATED, UNSUPPORTED, NOMEM. */
int pcri_coefs_read(struct pcri_coefs *c, const struct pcri_jpeg_file *f, uint32_t levels,
                    struct pcr_error *err);
void pcri_coefs_free(struct pcri_coefs *c);

/* Decodes `data` (a JPEG file) by libjpeg and compares its geometry, quantisation and every
 * coefficient with those of f and c. CORRUPT with the place of the first difference. */
int pcri_coefs_verify(const struct pcri_coefs *c, const struct pcri_jpeg_file *f,
                      const void *data, size_t nbytes, struct pcr_error *err);

#endif
