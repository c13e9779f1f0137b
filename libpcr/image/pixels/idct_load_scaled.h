/* SPDX-License-Identifier: BSD-2-Clause */
/* From zigzag order to what idct_scaled_body.h wants. The including file defines load_parts() and
 * PICK(), as for idct_load.h. */

/* Pairs of rows (0, 2), (4, 6), (1, 3), (5, 7), of columns 0 2 4 6 and 1 3 5 7. */
INLINE void load_scaled_pairs(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                              vec p[2][4])
{
    vec z[8];
    load_parts(coef, q, true, 8, z);
    p[0][0] = OR(OR(PICK(z[0], 0, 3, 5, _, _, _, _, _), PICK(z[1], _, _, _, 4, 6, _, _, _)),
                 OR(PICK(z[3], _, _, _, _, _, 1, 3, _), PICK(z[5], _, _, _, _, _, _, _, 1)));
    p[0][1] = OR(OR(OR(PICK(z[1], 2, _, _, _, _, _, _, _), PICK(z[2], _, 5, 7, _, _, _, _, _)),
                    PICK(z[4], _, _, _, 5, 7, _, _, _)),
                 OR(PICK(z[6], _, _, _, _, _, 2, 4, _), PICK(z[7], _, _, _, _, _, _, _, 3)));
    p[0][2] = OR(OR(OR(PICK(z[0], 2, _, 7, _, _, _, _, _), PICK(z[1], _, 1, _, _, _, _, _, _)),
                    PICK(z[2], _, _, _, 2, 0, _, _, _)),
                 OR(PICK(z[3], _, _, _, _, _, 7, 5, _), PICK(z[5], _, _, _, _, _, _, _, 4)));
    p[0][3] = OR(OR(OR(PICK(z[2], 4, _, _, _, _, _, _, _), PICK(z[4], _, 3, 1, _, _, _, _, _)),
                    PICK(z[5], _, _, _, _, 6, _, _, _)),
                 OR(PICK(z[6], _, _, _, 0, _, _, 7, _), PICK(z[7], _, _, _, _, _, 1, _, 6)));
    p[1][0] = OR(OR(OR(PICK(z[0], 1, _, 6, _, _, _, _, _), PICK(z[1], _, 0, _, _, 7, _, _, _)),
                    PICK(z[2], _, _, _, 1, _, _, _, _)),
                 OR(PICK(z[3], _, _, _, _, _, 6, 4, _), PICK(z[5], _, _, _, _, _, _, _, 3)));
    p[1][1] = OR(OR(OR(PICK(z[2], 3, _, _, _, _, _, _, _), PICK(z[4], _, 2, 0, _, _, _, _, _)),
                    PICK(z[5], _, _, _, 7, 5, _, _, _)),
                 OR(PICK(z[6], _, _, _, _, _, _, 6, _), PICK(z[7], _, _, _, _, _, 0, _, 5)));
    p[1][2] = OR(OR(OR(PICK(z[0], 4, _, _, _, _, _, _, _), PICK(z[1], _, 3, 5, _, _, _, _, _)),
                    PICK(z[3], _, _, _, 0, 2, _, _, _)),
                 OR(PICK(z[5], _, _, _, _, _, 0, 2, _), PICK(z[6], _, _, _, _, _, _, _, 5)));
    p[1][3] = OR(OR(PICK(z[2], 6, _, _, _, _, _, _, _), PICK(z[4], _, 4, 6, _, _, _, _, _)),
                 OR(PICK(z[6], _, _, _, 1, 3, _, _, _), PICK(z[7], _, _, _, _, _, 2, 4, 7)));
}
