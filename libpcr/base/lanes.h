/* SPDX-License-Identifier: BSD-2-Clause */
/* Lanes of two vectors in GNU C, of which Clang and GCC have different built-in functions. */
#ifndef PCRI_LANES_H
#define PCRI_LANES_H

/* The numbered lanes of a, then b, both taken for vectors of `type`; as a `vec`, the includer's. */
#if defined(__clang__)
#define LANES(type, a, b, ...) \
    ((vec) __builtin_shufflevector((type) (a), (type) (b), __VA_ARGS__))
#else
#define LANES(type, a, b, ...) \
    ((vec) __builtin_shuffle((type) (a), (type) (b), (type) { __VA_ARGS__ }))
#endif

#endif
