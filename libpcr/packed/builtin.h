/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables that are built in. */
#ifndef PCRI_PK_BUILTIN_H
#define PCRI_PK_BUILTIN_H

#include "tables.h"

/* For pcri_pk_tables_open(). */
extern const uint8_t pcri_pk_builtin_tables[];
extern const size_t pcri_pk_builtin_nbytes;

#endif
