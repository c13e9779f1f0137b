/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables for reading, of which a process has one of each: all decoders of all threads use it. */
#ifndef PCRI_PK_SHARED_TABLES_H
#define PCRI_PK_SHARED_TABLES_H

#include "tables.h"

/* The tables that are built in; they stay. for_writing: those that the encoder needs. Codes:
 * NOMEM. */
int pcri_pk_builtin_shared(bool for_writing, const struct pcri_pk_tables **out,
                           struct pcr_error *err);
/* Those that these bytes store, to be released. Codes: CORRUPT, LIMIT, NOMEM. */
int pcri_pk_tables_acquire(const struct pcr_span *stored, const struct pcri_pk_tables **out,
                           struct pcr_error *err);
/* NULL: nothing happens. Some that nobody uses are kept for the next image. */
void pcri_pk_tables_release(const struct pcri_pk_tables **t);

#endif
