/* SPDX-License-Identifier: BSD-2-Clause */
/* Archives that scenarios import. */
#ifndef FAULT_ARCHIVES_H
#define FAULT_ARCHIVES_H

#include "base/base.h"

/* Adds one to `out`. kind: "%tar", with labels; "%gzip", the same compressed; "%damaged", with a
 * header that is wrong; "%folders", without labels; "%zip". */
void put_archive(const char *kind, const struct pcr_buffer *photo,
                 const struct pcr_buffer *png, struct pcr_buffer *out);

#endif
