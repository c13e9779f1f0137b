/* SPDX-License-Identifier: BSD-2-Clause */
/* What is built in: a ladder for coding 2, and tables for datasets too small to train their
 * own. */
#ifndef PCRI_PK_BUILTIN_H
#define PCRI_PK_BUILTIN_H

#include "tables.h"

/* A ladder's text: DC, then planes. */
extern const char pcri_pk_ladder[];

/* The tables, for pcri_pk_tables_open(). */
extern const uint8_t pcri_pk_builtin_tables[];
extern const size_t pcri_pk_builtin_nbytes;

#endif
