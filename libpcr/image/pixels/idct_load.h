/* SPDX-License-Identifier: BSD-2-Clause */
/* From zigzag order to what idct_body.h wants, for CPUs that shuffle bytes within the parts of a
 * vector. The including file defines load_parts(), and PICK(), which takes 16-bit lanes of each
 * part; lane _ is 0. */

/* Zigzag order to idct_body.h's pairs of rows. parts: 4 where coefficients beyond zigzag
 * index 31 are zero, else 8. */
INLINE void load_pairs(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                       bool offsets, int parts, vec p[2][4])
{
    vec z[8];
    load_parts(coef, q, offsets, parts, z);
    p[0][0] = OR(OR(PICK(z[0], 5, _, _, _, _, _, 1, _), PICK(z[2], _, 7, _, _, _, _, _, 3)),
                 PICK(z[3], _, _, 3, _, 4, _, _, _));
    p[0][1] = PICK(z[1], 4, _, _, _, _, _, 0, _);
    p[0][2] = OR(PICK(z[0], _, 7, _, _, _, _, _, 4), PICK(z[3], _, _, _, 5, _, _, _, _));
    p[0][3] = OR(PICK(z[1], _, _, _, _, _, _, 3, _), PICK(z[2], 2, _, _, _, _, _, _, 6));
    p[1][0] = OR(PICK(z[0], 6, _, _, _, 0, _, _, _), PICK(z[1], _, _, 7, _, _, 2, 6, _));
    p[1][1] = OR(OR(PICK(z[0], _, _, _, _, 3, _, _, _), PICK(z[2], 1, _, _, _, _, 5, _, _)),
                 PICK(z[3], _, _, 6, _, _, _, 1, _));
    p[1][2] = OR(OR(PICK(z[0], _, _, _, _, _, 2, _, _), PICK(z[1], _, 5, _, _, _, _, _, _)),
                 OR(PICK(z[2], _, _, _, _, _, _, _, 0), PICK(z[3], _, _, _, 2, _, _, _, _)));
    p[1][3] = OR(OR(PICK(z[1], _, _, _, _, 1, _, _, _), PICK(z[2], _, _, _, _, _, 4, _, _)),
                 PICK(z[3], 0, _, _, _, _, _, 7, _));
    if (parts == 4)
        return;
    p[0][0] = OR(p[0][0], PICK(z[6], _, _, _, 4, _, 6, _, _));
    p[0][1] = OR(p[0][1],
                 OR(OR(PICK(z[4], _, 5, _, _, _, _, _, 2), PICK(z[5], _, _, 1, _, 3, _, _, _)),
                    PICK(z[7], _, _, _, 3, _, 5, _, _)));
    p[0][2] = OR(
        p[0][2],
        OR(OR(PICK(z[4], _, _, _, _, _, _, 4, _), PICK(z[5], _, _, _, _, _, 2, _, _)),
           OR(PICK(z[6], 0, _, _, _, _, _, _, _), PICK(z[7], _, _, 6, _, 7, _, _, _))));
    p[0][3] = OR(
        p[0][3],
        OR(OR(PICK(z[4], _, 1, _, _, _, _, _, _), PICK(z[5], _, _, 4, _, _, _, _, _)),
           OR(PICK(z[6], _, _, _, 7, 5, _, _, _), PICK(z[7], _, _, _, _, _, 4, _, _))));
    p[1][0] = OR(p[1][0],
                 OR(PICK(z[4], _, 0, _, _, _, _, _, 7), PICK(z[5], _, _, _, 5, _, _, _, _)));
    p[1][1] = OR(p[1][1],
                 OR(OR(PICK(z[5], _, 7, _, _, _, _, _, _), PICK(z[6], _, _, _, _, _, _, _, 2)),
                    PICK(z[7], _, _, _, 0, _, _, _, _)));
    p[1][2] = OR(p[1][2],
                 OR(OR(PICK(z[4], _, _, _, _, 3, _, _, _), PICK(z[6], 1, _, _, _, _, _, _, _)),
                    PICK(z[7], _, _, 2, _, _, _, 1, _)));
    p[1][3] = OR(p[1][3],
                 OR(OR(PICK(z[4], _, 6, _, _, _, _, _, _), PICK(z[5], _, _, 0, _, _, _, _, 6)),
                    PICK(z[6], _, _, _, 3, _, _, _, _)));
}

/* Rows 0 and 2, 1 and 3 interleaved, columns 0 2 1 3. */
INLINE void load_corner(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                        bool offsets, vec *p02, vec *p13)
{
    vec z[8];
    load_parts(coef, q, offsets, 4, z);
    *p02 = OR(OR(PICK(z[0], 0, 3, 5, _, 1, _, 6, _), PICK(z[1], _, _, _, 4, _, 0, _, _)),
              PICK(z[2], _, _, _, _, _, _, _, 1));
    *p13 = OR(OR(PICK(z[0], 2, _, 7, _, 4, _, _, _), PICK(z[1], _, 1, _, _, _, 3, 5, _)),
              OR(PICK(z[2], _, _, _, 2, _, _, _, _), PICK(z[3], _, _, _, _, _, _, _, 0)));
}

/* The first four numbers of the first row or column, in all lanes: pairs (0, 2) and (1, 3). */
INLINE void load_line(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                      bool offsets, bool row, vec *even, vec *odd)
{
    vec z[8];
    load_parts(coef, q, offsets, 2, z);
    if (row) {
        *even = PICK(z[0], 0, 5, 0, 5, 0, 5, 0, 5);
        *odd = PICK(z[0], 1, 6, 1, 6, 1, 6, 1, 6);
    } else {
        *even = PICK(z[0], 0, 3, 0, 3, 0, 3, 0, 3);
        *odd = OR(PICK(z[0], 2, _, 2, _, 2, _, 2, _), PICK(z[1], _, 1, _, 1, _, 1, _, 1));
    }
}
