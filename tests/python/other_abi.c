/* SPDX-License-Identifier: BSD-2-Clause */
/* A library with another binary interface, which the package must refuse. */
#include <pcr/base.h>

const char *pcr_version(void)
{
    return "999.0.0";
}

uint32_t pcr_abi_version(void)
{
    return 999;
}
