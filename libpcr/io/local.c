/* SPDX-License-Identifier: BSD-2-Clause */
/* The local file system as a storage: names are paths. */
#include "storage.h"

static int local_read(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                      struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = pcri_read_regular(name, max_nbytes, out, err);
    return rc ? pcri_prefix(err, rc, "%s", name) : 0;
}

static const struct pcri_storage_kind local = {
    .name = "local",
    .uses_descriptors = true,
    .read = local_read,
};

static const struct pcri_storage by_mmap = { &local, &pcri_io_mmap, false },
                                 by_uring = { &local, &pcri_io_uring, false },
                                 by_direct = { &local, &pcri_io_direct, false };
const struct pcri_storage pcri_files = { &local, &pcri_io_pread, false };

const struct pcri_storage *pcri_storage_local(uint32_t io_backend)
{
    const struct pcri_storage *all[] = { &pcri_files, &by_mmap, &by_uring, &by_direct };
    const struct pcri_io_backend *b = pcri_io_find(io_backend);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (b == all[i]->backend)
            return all[i];
    return NULL;
}
