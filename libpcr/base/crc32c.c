/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC-32C (Castagnoli's polynomial, reflected), as the CPU does it best. */
#include "base.h"

#define POLYNOMIAL 0x82f63b78u
enum { SLICES = 8 };

static uint32_t tables[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* tables[k][b]: what byte b, with k zero bytes after it, makes of a CRC of 0. */
static void make_tables(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][b] = crc;
    }
    for (int k = 1; k < SLICES; k++)
        for (int b = 0; b < 256; b++)
            tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 255];
}

static uint32_t portable(uint32_t crc, const uint8_t *p, size_t nbytes)
{
    pthread_once(&once, make_tables);
    for (; nbytes >= SLICES; p += SLICES, nbytes -= SLICES) {
        uint32_t low = crc ^ pcri_load32(p), high = pcri_load32(p + 4);
        crc = 0;
        for (int i = 0; i < 4; i++)
            crc ^= tables[7 - i][low >> 8 * i & 255] ^ tables[3 - i][high >> 8 * i & 255];
    }
    for (; nbytes; nbytes--)
        crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 255];
    return crc;
}

#if defined(__x86_64__) && !defined(PCR_PORTABLE)
#include <nmmintrin.h>

#define HAVE_INSTRUCTION 1
#ifdef __clang__ /* calls it by itself since version 14; older GCCs do not know the name */
#define TARGET __attribute__((target("sse4.2,crc32")))
#else
#define TARGET __attribute__((target("sse4.2")))
#endif
#define STEP_8(crc, word) ((uint32_t) _mm_crc32_u64(crc, word))
#define STEP_1(crc, byte) _mm_crc32_u8(crc, byte)
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(PCR_PORTABLE)
#define HAVE_INSTRUCTION 1
#ifdef __clang__
#define TARGET __attribute__((target("crc")))
#define STEP_8(crc, word) __builtin_arm_crc32cd(crc, word)
#define STEP_1(crc, byte) __builtin_arm_crc32cb(crc, byte)
#else
#define TARGET __attribute__((target("+crc")))
#define STEP_8(crc, word) __builtin_aarch64_crc32cx(crc, word)
#define STEP_1(crc, byte) __builtin_aarch64_crc32cb(crc, byte)
#endif
#endif

#ifdef HAVE_INSTRUCTION
TARGET static uint32_t by_instruction(uint32_t crc, const uint8_t *p, size_t nbytes)
{
    for (; nbytes >= 8; p += 8, nbytes -= 8)
        crc = STEP_8(crc, pcri_load64(p));
    for (; nbytes; nbytes--)
        crc = STEP_1(crc, *p++);
    return crc;
}
#endif

uint32_t pcri_crc32c(const void *p, size_t nbytes)
{
#ifdef HAVE_INSTRUCTION
    if (pcri_cpu_features() & PCRI_CPU_CRC32C)
        return ~by_instruction(UINT32_MAX, p, nbytes);
#endif
    return ~portable(UINT32_MAX, p, nbytes);
}
