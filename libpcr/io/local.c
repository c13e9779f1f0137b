/* SPDX-License-Identifier: BSD-2-Clause */
/* The local file system as a storage: names are paths. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "local.h"

static int local_read(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                      struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = pcri_read_regular(name, max_nbytes, out, err);
    return rc ? pcri_prefix(err, rc, "%s", name) : 0;
}

static int local_find(const struct pcri_storage *s, const char *name, struct pcri_found *out,
                      struct pcr_error *err)
{
    struct stat st;
    *out = (struct pcri_found) { .exists = !PCRI_UNINTERRUPTED(stat(name, &st)) };
    out->is_file = out->exists && S_ISREG(st.st_mode);
    if (out->exists)
        out->changed_ns = (uint64_t) st.st_mtim.tv_sec * 1000000000 +
                          (uint64_t) st.st_mtim.tv_nsec;
    else if (errno != ENOENT && errno != ENOTDIR)
        return pcri_fail_sys(err, errno, "%s: cannot stat", name);
    return 0;
}

static int local_list(const struct pcri_storage *s, const char *folder, pcri_list_fn *each,
                      void *context, struct pcr_error *err)
{
    DIR *d = PCRI_UNINTERRUPTED_POINTER(opendir(folder));
    if (!d)
        return pcri_fail_sys(err, errno, "%s: cannot open the folder", folder);
    const struct dirent *e;
    int rc = 0;
    while (!rc && (e = PCRI_UNINTERRUPTED_POINTER(readdir(d))))
        rc = each(context, e->d_name, err);
    if (!rc && errno)
        rc = pcri_fail_sys(err, errno, "%s: cannot read the folder", folder);
    closedir(d);
    return rc;
}

static int local_remove(const struct pcri_storage *s, const char *name, struct pcr_error *err)
{
    return PCRI_UNINTERRUPTED(unlink(name)) && errno != ENOENT
               ? pcri_fail_sys(err, errno, "%s: cannot remove", name)
               : 0;
}

static int local_make_folder(const struct pcri_storage *s, const char *folder, bool *made,
                             struct pcr_error *err)
{
    struct stat st;
    *made = !PCRI_UNINTERRUPTED(mkdir(folder, 0777));
    if (*made)
        return 0;
    if (errno != EEXIST)
        return pcri_fail_sys(err, errno, "%s: cannot create the folder", folder);
    if (PCRI_UNINTERRUPTED(stat(folder, &st)))
        return pcri_fail_sys(err, errno, "%s: cannot stat", folder);
    return S_ISDIR(st.st_mode) ? 0 : pcri_fail(err, PCR_ERR_INVAL, "%s: not a folder", folder);
}

/* Removes what is being written by nobody any more. */
static int remove_temp(void *context, const char *name, struct pcr_error *err)
{
    const char *folder = context;
    if (strncmp(name, PCRI_LOCAL_TEMP, sizeof(PCRI_LOCAL_TEMP) - 1) != 0)
        return 0;
    char *path = pcri_join(folder, name, err);
    if (!path)
        return PCR_ERR_NOMEM;
    int rc = local_remove(NULL, path, err);
    free(path);
    return rc;
}

static int local_tidy(const struct pcri_storage *s, const char *folder, struct pcr_error *err)
{
    return local_list(s, folder, remove_temp, (void *) (uintptr_t) folder, err);
}

static const struct pcri_storage_kind local = {
    .name = "local",
    .uses_descriptors = true,
    .read = local_read,
    .find = local_find,
    .list = local_list,
    .remove = local_remove,
    .make_folder = local_make_folder,
    .tidy = local_tidy,
    .put_begin = pcri_local_put_begin,
    .put_write = pcri_local_put_write,
    .put_end = pcri_local_put_end,
    .claim = pcri_local_claim,
    .claim_write = pcri_local_claim_write,
    .claim_end = pcri_local_claim_end,
};

static const struct pcri_storage by_mmap = { &local, &pcri_io_mmap, false, true },
                                 by_uring = { &local, &pcri_io_uring, false, true },
                                 by_direct = { &local, &pcri_io_direct, false, true };
const struct pcri_storage pcri_files = { &local, &pcri_io_pread, false, true };

const struct pcri_storage *pcri_storage_local(uint32_t io_backend)
{
    const struct pcri_storage *all[] = { &pcri_files, &by_mmap, &by_uring, &by_direct };
    const struct pcri_io_backend *b = pcri_io_find(io_backend);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (b == all[i]->backend)
            return all[i];
    return NULL;
}
