/* SPDX-License-Identifier: BSD-2-Clause */
/* Calling libjpeg: an error manager that returns, and what its warnings mean. */
#ifndef PCRI_TURBO_H
#define PCRI_TURBO_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "../base/base.h"

/* First set `cinfo.err = pcri_turbo_errors(&t, data, nbytes, err)`, then call setjmp(t.jump).
 * On a failure (damage is one) libjpeg's call does not return; setjmp does, and t.code and
 * *err are set. The first warning that leaves a doubt sets t.in_doubt. data: what is read, by
 * jpeg_mem_src() or another source; NULL: nothing. */
struct pcri_turbo {
    struct jpeg_error_mgr mgr;
    jmp_buf jump;
    const char *name; /* how messages begin: "libjpeg", or what is set after that call */
    const struct jpeg_source_mgr *source; /* the current place of reading; NULL: libjpeg's
                                           * own */
    const uint8_t *data;
    size_t nbytes;
    struct pcr_error *err;
    int code;
    bool salvage; /* set it after pcri_turbo_errors(): also continue after damage */
    bool in_doubt;
    bool no_end; /* the data has ended, and an EOI was made up */
};

struct jpeg_error_mgr *pcri_turbo_errors(struct pcri_turbo *t, const void *data, size_t nbytes,
                                         struct pcr_error *err);

/* Fails as libjpeg does, after setjmp(). The error's offset needs t->source. */
_Noreturn void pcri_turbo_fail(struct pcri_turbo *t, int code, const char *fmt, ...)
    PCRI_PRINTF(3, 4);

#endif
