/* SPDX-License-Identifier: BSD-2-Clause */
/* Affine maps of places in a picture. Its top left corner is (0, 0), the first pixel's centre
 * (0.5, 0.5); y points down. */
#ifndef PCRI_AFFINE_H
#define PCRI_AFFINE_H

#include <math.h>

/* (x, y) to (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]). */
struct pcri_affine {
    double m[6];
};

/* First `first`, then `second`. */
static inline struct pcri_affine pcri_affine_then(const struct pcri_affine *first,
                                                  const struct pcri_affine *second)
{
    const double *a = first->m, *b = second->m;
    return (struct pcri_affine) { {
        b[0] * a[0] + b[1] * a[3],
        b[0] * a[1] + b[1] * a[4],
        b[0] * a[2] + b[1] * a[5] + b[2],
        b[3] * a[0] + b[4] * a[3],
        b[3] * a[1] + b[4] * a[4],
        b[3] * a[2] + b[4] * a[5] + b[5],
    } };
}

/* The map back; this one's area must not vanish. */
static inline struct pcri_affine pcri_affine_inverse(const struct pcri_affine *of)
{
    const double *a = of->m, area = a[0] * a[4] - a[1] * a[3];
    return (struct pcri_affine) { {
        a[4] / area,
        -a[1] / area,
        (a[1] * a[5] - a[4] * a[2]) / area,
        -a[3] / area,
        a[0] / area,
        (a[3] * a[2] - a[0] * a[5]) / area,
    } };
}

/* A turn anticlockwise, which takes the centre of one picture to that of another. Right angles are
 * exact. */
static inline struct pcri_affine pcri_affine_turn(double degrees, double width, double height,
                                                  double new_width, double new_height)
{
    const double angle = degrees * (3.14159265358979323846 / 180);
    double c = cos(angle), s = sin(angle);
    if (fmod(degrees, 90) == 0) {
        c = rint(c);
        s = rint(s);
    }
    return (struct pcri_affine) { {
        c,
        s,
        new_width / 2 - c * (width / 2) - s * (height / 2),
        -s,
        c,
        new_height / 2 + s * (width / 2) - c * (height / 2),
    } };
}

#endif
