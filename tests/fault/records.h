/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of record formats that scenarios import. */
#ifndef FAULT_RECORDS_H
#define FAULT_RECORDS_H

#include "base/base.h"

/* Adds one to `out`. kind: "=tfrecord", "=gzip" (the same compressed), "=mds", "=litdata" (shards),
 * "=beton", "=release", "=lmdb". */
void put_records(const char *kind, const struct pcr_buffer *photo, struct pcr_buffer *out);

/* What stands beside the shards of two samples. */
extern const char mds_index[], litdata_index[];

#endif
