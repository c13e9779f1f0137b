/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on rows for 64-bit ARM with NEON, which all such CPUs have. */
#include "rows.h"

#ifdef PCRI_PK_HAVE_NEON
#include <arm_neon.h>

#define TARGET
#define V8(v) vreinterpretq_u8_u64(v)
#define FROM8(v) ((vec) vreinterpretq_u64_u8(v))
#define SHUFFLE(v, i) FROM8(vqtbl1q_u8(V8(v), V8(i)))
#define COUNT_BITS(v) FROM8(vcntq_u8(V8(v)))
#define SUM_BYTES(v) ((vec) vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(V8(v)))))
#define MIN8(a, b) FROM8(vminq_u8(V8(a), V8(b)))
#define HALF8(v) FROM8(vrshrq_n_u8(V8(v), 1))
#define ADDS_U16(a, b) ((vec) vqaddq_u16((uint16x8_t) (a), (uint16x8_t) (b)))
#define SUBS_U16(a, b) ((vec) vqsubq_u16((uint16x8_t) (a), (uint16x8_t) (b)))
#define SUBS_S16(a, b) ((vec) vqsubq_s16((int16x8_t) (a), (int16x8_t) (b)))
#define LOWER8(a, b) FROM8(vuzp1q_u8(V8(a), V8(b)))
#define LOW8(a, b) FROM8(vzip1q_u8(V8(a), V8(b)))
#define HIGH8(a, b) FROM8(vzip2q_u8(V8(a), V8(b)))
typedef int16x8_t dc_vec;
#define DC_ADD vqaddq_s16
#define DC_MAX vmaxq_s16
#define DC_MIN vminq_s16
#include "rows_128.h"

const struct pcri_pk_kernels pcri_pk_neon = ROWS_128("NEON", pcri_tans_read_portable);
#endif
