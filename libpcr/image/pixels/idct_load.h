/* SPDX-License-Identifier: BSD-2-Clause */
/* From zigzag order to what idct_body.h wants, for CPUs that shuffle bytes within the parts of a
 * vector. The including file defines load_parts(), and PICK(), which takes 16-bit lanes of each
 * part; lane _ is 0. */

/* Zigzag order to idct_body.h's pairs of rows: what comes from two vectors is first brought into
 * one, where four lanes of each have it. parts: 4 where coefficients beyond zigzag index 31 are
 * zero, else 8. */
INLINE void load_pairs(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                       bool offsets, int parts, vec p[2][4])
{
    vec z[8];
    load_parts(coef, q, offsets, parts, z);
    if (parts == 4) {
        p[0][0] = OR(PICK(z[0], 5, _, _, _, _, _, 1, _),
                     PICK(SHUFFLE32(z[2], z[3], 0x9D), _, 3, 5, _, 6, _, _, 1));
        p[0][1] = PICK(z[1], 4, _, _, _, _, _, 0, _);
        p[0][2] = PICK(SHUFFLE32(z[0], z[3], 0xAE), _, 3, _, 5, _, _, _, 0);
        p[0][3] = PICK(SHUFFLE32(z[1], z[2], 0xD5), 4, _, _, _, _, _, 1, 6);
        p[1][0] = PICK(SHUFFLE32(z[0], z[1], 0xDC), 2, _, 7, _, 0, 4, 6, _);
        p[1][1] = OR(PICK(z[0], _, _, _, _, 3, _, _, _),
                     PICK(SHUFFLE32(z[2], z[3], 0xC8), 1, _, 6, _, _, 3, 5, _));
        p[1][2] = OR(PICK(SHUFFLE32(z[0], z[1], 0xA5), _, 5, _, _, _, 0, _, _),
                     PICK(SHUFFLE32(z[2], z[3], 0x50), _, _, _, 4, _, _, _, 0));
        p[1][3] = OR(PICK(z[1], _, _, _, _, 1, _, _, _),
                     PICK(SHUFFLE32(z[2], z[3], 0xCA), 4, _, _, _, _, 0, 7, _));
        return;
    }
    p[0][0] = OR(PICK(SHUFFLE32(z[0], z[2], 0xD8), 3, 7, _, _, _, _, 1, 5),
                 PICK(SHUFFLE32(z[3], z[6], 0xE9), _, _, 1, 4, 2, 6, _, _));
    p[0][1] = OR(PICK(SHUFFLE32(z[1], z[4], 0x98), 2, 7, _, _, _, _, 0, 4),
                 PICK(SHUFFLE32(z[5], z[7], 0x94), _, _, 1, 5, 3, 7, _, _));
    p[0][2] = OR(OR(PICK(SHUFFLE32(z[0], z[3], 0xAE), _, 3, _, 5, _, _, _, 0),
                    PICK(SHUFFLE32(z[4], z[5], 0x5A), _, _, _, _, _, 4, 0, _)),
                 PICK(SHUFFLE32(z[6], z[7], 0xF0), 0, _, 4, _, 5, _, _, _));
    p[0][3] = OR(OR(PICK(SHUFFLE32(z[1], z[2], 0xD5), 4, _, _, _, _, _, 1, 6),
                    PICK(SHUFFLE32(z[4], z[5], 0xA0), _, 1, 4, _, _, _, _, _)),
                 PICK(SHUFFLE32(z[6], z[7], 0xAE), _, _, _, 3, 1, 4, _, _));
    p[1][0] = OR(PICK(SHUFFLE32(z[0], z[1], 0xDC), 2, _, 7, _, 0, 4, 6, _),
                 PICK(SHUFFLE32(z[4], z[5], 0xAC), _, 0, _, 5, _, _, _, 3));
    p[1][1] = OR(OR(PICK(SHUFFLE32(z[0], z[2], 0x85), 5, _, _, _, 1, 7, _, _),
                    PICK(SHUFFLE32(z[3], z[5], 0xFC), _, 5, 2, _, _, _, 1, _)),
                 PICK(SHUFFLE32(z[6], z[7], 0x05), _, _, _, 4, _, _, _, 0));
    p[1][2] = OR(OR(OR(PICK(z[0], _, _, _, _, _, 2, _, _),
                       PICK(SHUFFLE32(z[1], z[2], 0x0A), _, 1, _, _, _, _, _, 4)),
                    PICK(SHUFFLE32(z[3], z[4], 0x55), _, _, _, 0, 5, _, _, _)),
                 PICK(SHUFFLE32(z[6], z[7], 0x40), 1, _, 6, _, _, _, 5, _));
    p[1][3] = OR(OR(PICK(SHUFFLE32(z[1], z[2], 0xA0), _, _, _, _, 1, 4, _, _),
                    PICK(SHUFFLE32(z[3], z[4], 0xFC), 0, 4, _, _, _, _, 3, _)),
                 PICK(SHUFFLE32(z[5], z[6], 0x5C), _, _, 0, 5, _, _, _, 2));
}

/* Rows 0 and 2, 1 and 3 interleaved, columns 0 2 1 3. */
INLINE void load_corner(const int16_t *const coef[BLOCKS], const struct pcri_dequant *q,
                        bool offsets, vec *p02, vec *p13)
{
    vec z[8];
    load_parts(coef, q, offsets, 4, z);
    *p02 = OR(PICK(z[0], 0, 3, 5, _, 1, _, 6, _),
              PICK(SHUFFLE32(z[1], z[2], 0x08), _, _, _, 2, _, 0, _, 5));
    *p13 = OR(OR(PICK(z[0], 2, _, 7, _, 4, _, _, _), PICK(z[1], _, 1, _, _, _, 3, 5, _)),
              PICK(SHUFFLE32(z[2], z[3], 0x05), _, _, _, 0, _, _, _, 4));
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
