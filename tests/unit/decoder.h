/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder of a program's tests. */
#ifndef PCR_TEST_DECODER_H
#define PCR_TEST_DECODER_H

#include <check.h>

#include <pcr/image.h>

static struct pcr_decoder *decoder;

static inline void make_decoder(void)
{
    ck_assert_int_eq(pcr_decoder_create(&decoder, NULL), 0);
}

static inline void drop_decoder(void)
{
    pcr_decoder_destroy(&decoder);
    ck_assert_ptr_null(decoder);
    pcr_decoder_destroy(&decoder);
    pcr_decoder_destroy(NULL);
}

#endif
