/* SPDX-License-Identifier: BSD-2-Clause */
/* Freeing sources. */
#include <pcr/writer.h>

void pcr_source_destroy(struct pcr_source *source)
{
    if (source && source->destroy)
        source->destroy(source->opaque);
}
