/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether one path is below another. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <stdlib.h>

#include "storage.h"

/* realpath(); "" if nothing is there or it cannot be reached. NULL and the error. */
static char *resolve(const char *path, struct pcr_error *err)
{
    char *real = PCRI_UNINTERRUPTED_POINTER(realpath(path, NULL));
    if (real)
        return real;
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP ||
        errno == ENAMETOOLONG)
        return pcri_strndup("", 0, err);
    pcri_fail_sys(err, errno, "%s", path);
    return NULL;
}

/* The real path of a folder or, if it does not exist, of its parent. */
static char *resolve_folder(const char *path, struct pcr_error *err)
{
    char *real = resolve(path, err);
    if (!real || *real)
        return real;
    free(real);
    char *parent = pcri_parent(path, err);
    real = parent ? resolve(parent, err) : NULL;
    free(parent);
    return real;
}

int pcri_is_inside(const char *path, const char *folder, bool *out, struct pcr_error *err)
{
    struct pcr_error why;
    char *outer = resolve(folder, &why), *inner = outer ? resolve_folder(path, &why) : NULL;
    size_t n = outer ? strlen(outer) : 0;
    int rc = outer && inner ? 0 : pcri_hand_on(err, why.code, &why);
    *out = !rc && n && !strncmp(outer, inner, n) &&
           (inner[n] == '/' || inner[n] == '\0' || n == 1);
    free(outer);
    free(inner);
    return rc;
}
