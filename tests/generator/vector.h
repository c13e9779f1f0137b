/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the generator: vectors of three doubles, and noise at a point of space. */
#ifndef PCR_GENERATOR_VECTOR_H
#define PCR_GENERATOR_VECTOR_H

#include <math.h>
#include <stdint.h>

#include "base/random.h"

typedef struct {
    double x, y, z;
} vector;

static inline vector vec(double x, double y, double z)
{
    return (vector) { x, y, z };
}

static inline vector add(vector a, vector b, double scale)
{
    return vec(a.x + b.x * scale, a.y + b.y * scale, a.z + b.z * scale);
}

static inline vector scaled(vector a, double scale)
{
    return vec(a.x * scale, a.y * scale, a.z * scale);
}

static inline vector times(vector a, vector b)
{
    return vec(a.x * b.x, a.y * b.y, a.z * b.z);
}

static inline double dot(vector a, vector b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline vector cross(vector a, vector b)
{
    return vec(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

static inline vector unit(vector a)
{
    return scaled(a, 1 / sqrt(dot(a, a)));
}

static inline double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* 0 to 1 smoothly while v goes from low to high. */
static inline double step(double low, double high, double v)
{
    double t = clamp((v - low) / (high - low), 0, 1);
    return t * t * (3 - 2 * t);
}

static inline vector mix(vector a, vector b, double t)
{
    return add(scaled(a, 1 - t), b, t);
}

/* Value noise, 0 to 1. */
static inline double noise(vector p)
{
    int64_t x = (int64_t) floor(p.x), y = (int64_t) floor(p.y), z = (int64_t) floor(p.z);
    double fx = step(0, 1, p.x - (double) x), fy = step(0, 1, p.y - (double) y);
    double fz = step(0, 1, p.z - (double) z), sum = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t key = (uint64_t) (x + (i & 1)) * 0x9E3779B1u ^
                       (uint64_t) (y + (i >> 1 & 1)) * 0x85EBCA77u << 16 ^
                       (uint64_t) (z + (i >> 2)) * 0xC2B2AE3Du << 8;
        double w = (i & 1 ? fx : 1 - fx) * (i & 2 ? fy : 1 - fy) * (i & 4 ? fz : 1 - fz);
        sum += w * pcri_unit(key);
    }
    return sum;
}

/* Noise in octaves, each of half the size and strength; 0 to 1. */
static inline double turbulence(vector p, int octaves)
{
    double sum = 0, strength = 0.5;
    for (int i = 0; i < octaves; i++, strength /= 2, p = scaled(p, 2.03))
        sum += strength * noise(p);
    return sum;
}

#endif
