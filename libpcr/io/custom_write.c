/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing to a program's own storage. It has no folders, and nothing is left of what was not
 * completed. A claim is an object that says what the conversion is; it keeps nobody out. */
#include <stdlib.h>

#include "custom.h"

static const struct pcr_storage *theirs_of(const struct pcri_storage *s)
{
    return &((const struct pcri_custom *) s)->theirs;
}

/* What a callback has failed with, of the object or prefix of this name. */
static int fail(struct pcr_error *err, int rc, struct pcr_error *why, const char *name)
{
    why->offset = PCR_NO_OFFSET;
    rc = pcri_settle(why, rc, "the storage");
    return pcri_prefix(err, pcri_hand_on(err, rc, why), "%s", name);
}

int pcri_custom_find(const struct pcri_storage *s, const char *name, struct pcri_found *out,
                     struct pcr_error *err)
{
    struct pcri_file *f = NULL;
    struct pcr_error why;
    int rc = pcri_file_open(s->backend, name, &f, &why);
    pcri_file_close(&f);
    *out = (struct pcri_found) { .exists = !rc, .is_file = !rc, .changed_ns = UINT64_MAX };
    if (!rc || pcri_is_absent(rc, &why))
        return 0;
    return pcri_hand_on(err, rc, &why);
}

struct listing {
    size_t prefix_nbytes;
    pcri_list_fn *each;
    void *context;
    struct pcr_error *err;
};

/* Names are passed on without the prefix; what has a slash then is in a folder below. */
static int pass_on(void *context, const char *name)
{
    const struct listing *l = context;
    if (strlen(name) < l->prefix_nbytes || strchr(name + l->prefix_nbytes, '/'))
        return 0;
    return l->each(l->context, name + l->prefix_nbytes, l->err);
}

int pcri_custom_list(const struct pcri_storage *s, const char *folder, pcri_list_fn *each,
                     void *context, struct pcr_error *err)
{
    const struct pcr_storage *theirs = theirs_of(s);
    struct pcr_error why = { .offset = PCR_NO_OFFSET }, own = why;
    char *prefix = pcri_join(folder, "", err);
    if (!prefix)
        return PCR_ERR_NOMEM;
    struct listing l = { strlen(prefix), each, context, &own };
    int rc = theirs->list(theirs->context, prefix, pass_on, &l, &why);
    if (rc && own.code) { /* each()'s own */
        (void) pcri_hand_on(err, rc, &own);
    } else if (rc) {
        rc = fail(err, rc, &why, prefix);
    }
    free(prefix);
    return rc;
}

int pcri_custom_remove(const struct pcri_storage *s, const char *name, struct pcr_error *err)
{
    const struct pcr_storage *theirs = theirs_of(s);
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    int rc = theirs->remove(theirs->context, name, &why);
    return rc ? fail(err, rc, &why, name) : 0;
}

int pcri_custom_make_folder(const struct pcri_storage *s, const char *folder, bool *made,
                            struct pcr_error *err)
{
    *made = false; /* something may be there */
    return 0;
}

int pcri_custom_tidy(const struct pcri_storage *s, const char *folder, struct pcr_error *err)
{
    return 0;
}

struct custom_put {
    struct pcri_put base;
    char *name;
    void *object; /* theirs */
};

int pcri_custom_put_begin(const struct pcri_storage *s, const char *folder, const char *name,
                          struct pcri_put **out, struct pcr_error *err)
{
    const struct pcr_storage *theirs = theirs_of(s);
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    struct custom_put *p = pcri_calloc(1, sizeof(*p), err);
    if (!p)
        return PCR_ERR_NOMEM;
    int rc = PCR_ERR_NOMEM;
    p->name = pcri_join(folder, name, err);
    if (p->name && (rc = theirs->put_begin(theirs->context, p->name, &p->object, &why)))
        rc = fail(err, rc, &why, p->name);
    if (!rc) {
        *out = &p->base;
        return 0;
    }
    free(p->name);
    free(p);
    return rc;
}

int pcri_custom_put_write(struct pcri_put *base, const void *data, size_t nbytes,
                          struct pcr_error *err)
{
    const struct pcr_storage *theirs = theirs_of(base->storage);
    struct custom_put *p = (struct custom_put *) base;
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    int rc = nbytes ? theirs->put_write(theirs->context, p->object, data, nbytes, &why) : 0;
    return rc ? fail(err, rc, &why, p->name) : 0;
}

int pcri_custom_put_end(struct pcri_put *base, bool commit, struct pcr_error *err)
{
    const struct pcr_storage *theirs = theirs_of(base->storage);
    struct custom_put *p = (struct custom_put *) base;
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    int rc = theirs->put_end(theirs->context, p->object, commit, &why);
    if (rc)
        rc = fail(err, rc, &why, p->name);
    free(p->name);
    free(p);
    return rc;
}

struct custom_claim {
    struct pcri_claim base;
    char *folder, *name, *path;
};

static void destroy(struct custom_claim *c)
{
    free(c->folder);
    free(c->name);
    free(c->path);
    free(c);
}

int pcri_custom_claim(const struct pcri_storage *s, const char *folder, const char *name,
                      struct pcri_claim **out, struct pcr_error *err)
{
    struct pcri_found found = { 0 };
    struct custom_claim *c = pcri_calloc(1, sizeof(*c), err);
    if (!c)
        return PCR_ERR_NOMEM;
    c->folder = pcri_strndup(folder, strlen(folder), err);
    c->name = pcri_strndup(name, strlen(name), err);
    c->path = pcri_join(folder, name, err);
    int rc = c->folder && c->name && c->path ? 0 : PCR_ERR_NOMEM;
    if (!rc)
        rc = pcri_custom_find(s, c->path, &found, err);
    if (!rc && !found.exists)
        rc = pcri_storage_put(s, folder, name, "", 0, err);
    if (rc)
        destroy(c);
    else
        *out = &c->base;
    return rc;
}

int pcri_custom_claim_write(struct pcri_claim *base, const char *text, struct pcr_error *err)
{
    const struct custom_claim *c = (const struct custom_claim *) base;
    return pcri_storage_put(base->storage, c->folder, c->name, text, strlen(text), err);
}

int pcri_custom_claim_end(struct pcri_claim *base, bool remove, struct pcr_error *err)
{
    struct custom_claim *c = (struct custom_claim *) base;
    int rc = remove ? pcri_custom_remove(base->storage, c->path, err) : 0;
    destroy(c);
    return rc;
}
