/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of backends, and what they share. */
#include <pcr/dataset.h>

#include "io.h"

const struct pcri_io_backend *const pcri_io_backends[] = { &pcri_io_pread, &pcri_io_mmap,
                                                           NULL };

const struct pcri_io_backend *pcri_io_find(uint32_t id)
{
    switch (id) {
    case PCR_IO_AUTO:
    case PCR_IO_PREAD: return &pcri_io_pread;
    case PCR_IO_MMAP: return &pcri_io_mmap;
    default: return NULL;
    }
}

int pcri_fail_past_end(const struct pcri_file *f, uint64_t offset, size_t nbytes,
                       uint64_t file_nbytes, struct pcr_error *err)
{
    int rc = pcri_fail_at(err, PCR_ERR_TRUNCATED, offset,
                          "expected %zu more bytes, but the file ends at byte %llu", nbytes,
                          (unsigned long long) file_nbytes);
    return pcri_prefix(err, rc, "%s", f->path);
}
