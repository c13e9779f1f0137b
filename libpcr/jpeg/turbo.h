/* SPDX-License-Identifier: BSD-2-Clause */
/* Calling libjpeg: an error manager that returns, and what its warnings mean. */
#ifndef PCRI_TURBO_H
#define PCRI_TURBO_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "../base/base.h"

/* What a warning of libjpeg says of a picture; docs/guide.md has the table, and the reasons. */
enum pcri_doubt {
    PCRI_HARMLESS, /* nothing: all coefficients are what the encoder wrote */
    PCRI_IN_DOUBT, /* bytes were skipped, or the file has no end: the coefficients may be
                       complete or not, which our own decoder can tell (prefix.h) */
    PCRI_DAMAGE,   /* libjpeg goes on with coefficients of its own making */
};
enum pcri_doubt pcri_turbo_doubt(const struct jpeg_error_mgr *e);

/* Put it first in use: `cinfo.err = pcri_turbo_errors(&t, data, nbytes, err)`, then
 * setjmp(t.jump): on a failure, which damage is, libjpeg's call does not return, setjmp does,
 * and t.code and *err are set. Of warnings that leave a doubt the first sets t.in_doubt.
 * data: what jpeg_mem_src() reads, for the error's offset; NULL: none. */
struct pcri_turbo {
    struct jpeg_error_mgr mgr;
    jmp_buf jump;
    const uint8_t *data;
    size_t nbytes;
    struct pcr_error *err;
    int code;
    bool salvage; /* set it after pcri_turbo_errors(): damage is passed over, too */
    bool in_doubt;
    bool no_end; /* libjpeg has come to the end of the data and made up an EOI */
};

struct jpeg_error_mgr *pcri_turbo_errors(struct pcri_turbo *t, const void *data, size_t nbytes,
                                         struct pcr_error *err);

/* The code of the error or warning that libjpeg has just raised. */
int pcri_turbo_code(const struct jpeg_error_mgr *e);

#endif
