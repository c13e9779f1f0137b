/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporting: chunks prepared by threads, and written in order by one. */
#ifndef PCRI_EXPORT_QUEUE_H
#define PCRI_EXPORT_QUEUE_H

#include "exporter.h"

/* Called from the calling thread. A failure ends the run. */
typedef int pcri_export_write(void *context, struct pcri_export_chunk *c,
                              struct pcr_error *err);
typedef int pcri_export_tick(void *context, struct pcr_error *err);

/* Prepares all chunks of the export by its threads, and calls take() for each, in order, and
 * tick() at least every 200 ms. Returns the first failure in the order of the chunks. */
int pcri_export_run(const struct pcri_export *x, pcri_export_write *take,
                    pcri_export_tick *tick, void *context, struct pcr_error *err);

#endif
