/* SPDX-License-Identifier: BSD-2-Clause */
/* What is the same for all kinds of storage. */
#include "storage.h"

void pcri_storage_destroy(const struct pcri_storage **s)
{
    if (*s && (*s)->kind->destroy)
        (*s)->kind->destroy((struct pcri_storage *) (uintptr_t) *s);
    *s = NULL;
}

int pcri_storage_read(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                      uint32_t retry_count, struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_error e;
    uint32_t attempt = 0;
    int rc;
    do
        rc = s->kind->read(s, name, max_nbytes, out, &e);
    while (pcri_try_again(attempt++, retry_count, &rc, &e));
    if (rc && err)
        *err = e;
    return rc;
}

bool pcri_is_absent(int code, const struct pcr_error *err)
{
    return code == PCR_ERR_IO && (err->sys_errno == ENOENT || err->sys_errno == ENOTDIR);
}

char *pcri_join(const char *folder, const char *name, struct pcr_error *err)
{
    size_t n = strlen(folder), m = strlen(name);
    bool slash = n && folder[n - 1] != '/';
    char *path = pcri_malloc(n + slash + m + 1, 1, err);
    if (!path)
        return NULL;
    memcpy(path, folder, n);
    if (slash)
        path[n] = '/';
    memcpy(path + n + slash, name, m + 1);
    return path;
}
