/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of backends. */
#include <pcr/dataset.h>

#include "io.h"

const struct pcri_io_backend *const pcri_io_backends[] = { &pcri_io_pread, &pcri_io_mmap,
                                                           &pcri_io_uring, &pcri_io_direct,
                                                           NULL };

const struct pcri_io_backend *pcri_io_find(uint32_t id)
{
    switch (id) {
    case PCR_IO_AUTO:
    case PCR_IO_PREAD:
        return &pcri_io_pread;
    case PCR_IO_MMAP:
        return &pcri_io_mmap;
    case PCR_IO_URING:
        return &pcri_io_uring;
    case PCR_IO_DIRECT:
        return &pcri_io_direct;
    default:
        return NULL;
    }
}
