/* SPDX-License-Identifier: BSD-2-Clause */
/* Calling libjpeg: an error manager that returns, and takes warnings for errors. */
#ifndef PCRI_TURBO_H
#define PCRI_TURBO_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "../base/base.h"

/* Put it first in use: `cinfo.err = pcri_turbo_errors(&t, data, nbytes, err)`, then
 * setjmp(t.jump): on a failure libjpeg's call does not return, setjmp does, and t.code and
 * *err are set. data: what jpeg_mem_src() reads, for the error's offset; NULL: none. */
struct pcri_turbo {
    struct jpeg_error_mgr mgr;
    jmp_buf jump;
    const uint8_t *data;
    size_t nbytes;
    struct pcr_error *err;
    int code;
};

struct jpeg_error_mgr *pcri_turbo_errors(struct pcri_turbo *t, const void *data,
                                         size_t nbytes, struct pcr_error *err);

/* The code of the error or warning that libjpeg has just raised. */
int pcri_turbo_code(const struct jpeg_error_mgr *e);

#endif
