/* SPDX-License-Identifier: BSD-2-Clause */
/* The built-in ladder and tables. */
#include "builtin.h"

const char pcri_pk_ladder[] = "ladder packed\n"
                              "script fine below 95\n"
                              "group\n"
                              "all 0-0 0 0\n"
                              "group\n"
                              "luma 1-63 0 4\n"
                              "chroma 1-63 0 3\n"
                              "group\n"
                              "luma 1-63 4 3\n"
                              "group\n"
                              "luma 1-63 3 2\n"
                              "chroma 1-63 3 2\n"
                              "group\n"
                              "luma 1-63 2 1\n"
                              "group\n"
                              "chroma 1-63 2 1\n"
                              "group\n"
                              "luma 1-63 1 0\n"
                              "group\n"
                              "chroma 1-63 1 0\n"
                              "script coarse\n"
                              "group\n"
                              "all 0-0 0 0\n"
                              "group\n"
                              "luma 1-63 0 3\n"
                              "chroma 1-63 0 2\n"
                              "group\n"
                              "luma 1-63 3 2\n"
                              "group\n"
                              "luma 1-27 2 1\n"
                              "group\n"
                              "luma 28-63 2 1\n"
                              "chroma 1-63 2 1\n"
                              "group\n"
                              "luma 1-27 1 0\n"
                              "group\n"
                              "luma 28-63 1 0\n"
                              "group\n"
                              "chroma 1-63 1 0\n";

int pcri_pk_builtin(bool for_writing, struct pcri_pk_tables **out, struct pcr_error *err)
{
    *out = NULL;
    return pcri_fail(err, PCR_ERR_UNSUPPORTED, "no built-in tables yet");
}
