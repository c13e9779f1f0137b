/* SPDX-License-Identifier: BSD-2-Clause */
/* What is the same for all kinds of storage. */
#include <stdio.h>
#include <stdlib.h>

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
    return pcri_hand_on(err, rc, &e);
}

int pcri_storage_find(const struct pcri_storage *s, const char *folder, const char *name,
                      struct pcri_found *out, struct pcr_error *err)
{
    char *path = pcri_join(folder, name, err);
    int rc = path ? s->kind->find(s, path, out, err) : PCR_ERR_NOMEM;
    free(path);
    return rc;
}

int pcri_storage_list(const struct pcri_storage *s, const char *folder, pcri_list_fn *each,
                      void *context, struct pcr_error *err)
{
    return s->kind->list(s, folder, each, context, err);
}

int pcri_storage_remove(const struct pcri_storage *s, const char *folder, const char *name,
                        struct pcr_error *err)
{
    char *path = pcri_join(folder, name, err);
    int rc = path ? s->kind->remove(s, path, err) : PCR_ERR_NOMEM;
    free(path);
    return rc;
}

int pcri_storage_make_folder(const struct pcri_storage *s, const char *folder, bool *made,
                             struct pcr_error *err)
{
    return s->kind->make_folder(s, folder, made, err);
}

int pcri_storage_tidy(const struct pcri_storage *s, const char *folder, struct pcr_error *err)
{
    return s->kind->tidy(s, folder, err);
}

int pcri_put_begin(const struct pcri_storage *s, const char *folder, const char *name,
                   struct pcri_put **out, struct pcr_error *err)
{
    int rc = s->kind->put_begin(s, folder, name, out, err);
    if (rc)
        *out = NULL;
    else
        (*out)->storage = s;
    return rc;
}

int pcri_put_write(struct pcri_put *p, const void *data, size_t nbytes, struct pcr_error *err)
{
    return p->storage->kind->put_write(p, data, nbytes, err);
}

int pcri_put_end(struct pcri_put **put, int rc, struct pcr_error *err)
{
    struct pcri_put *p = *put;
    *put = NULL;
    if (!p)
        return rc;
    int ended = p->storage->kind->put_end(p, !rc, rc ? NULL : err);
    return rc ? rc : ended;
}

int pcri_storage_put(const struct pcri_storage *s, const char *folder, const char *name,
                     const void *data, size_t nbytes, struct pcr_error *err)
{
    struct pcri_put *p = NULL;
    int rc = pcri_put_begin(s, folder, name, &p, err);
    if (!rc)
        rc = pcri_put_write(p, data, nbytes, err);
    return pcri_put_end(&p, rc, err);
}

int pcri_claim_begin(const struct pcri_storage *s, const char *folder, const char *name,
                     struct pcri_claim **out, struct pcr_error *err)
{
    int rc = s->kind->claim(s, folder, name, out, err);
    if (rc)
        *out = NULL;
    else
        (*out)->storage = s;
    return rc;
}

int pcri_claim_write(struct pcri_claim *c, const char *text, struct pcr_error *err)
{
    return c->storage->kind->claim_write(c, text, err);
}

int pcri_claim_end(struct pcri_claim **claim, bool remove, struct pcr_error *err)
{
    struct pcri_claim *c = *claim;
    *claim = NULL;
    return c ? c->storage->kind->claim_end(c, remove, err) : 0;
}

bool pcri_is_absent(int code, const struct pcr_error *err)
{
    return code == PCR_ERR_IO && (err->sys_errno == ENOENT || err->sys_errno == ENOTDIR);
}

char *pcri_join(const char *folder, const char *name, struct pcr_error *err)
{
    size_t n = strlen(folder), nbytes = n + strlen(name) + 2;
    char *path = pcri_malloc(nbytes, 1, err);
    if (path)
        snprintf(path, nbytes, "%s%s%s", folder, n && folder[n - 1] != '/' ? "/" : "", name);
    return path;
}

char *pcri_parent(const char *path, struct pcr_error *err)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n ? pcri_strndup(path, n, err) : pcri_strndup(".", 1, err);
}
