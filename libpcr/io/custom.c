/* SPDX-License-Identifier: BSD-2-Clause */
/* A storage of the program's own: what it brings in a struct pcr_storage as a kind of storage. */
#include <stdlib.h>

#include "custom.h"

struct custom_file {
    struct pcri_file base;
    void *object; /* theirs */
};

static const struct pcri_custom *storage_of(const struct pcri_io_backend *backend)
{
    return (const struct pcri_custom *) (const void *) ((const char *) backend -
                                                        offsetof(struct pcri_custom, backend));
}

static int custom_open(const struct pcri_io_backend *self, const char *name,
                       struct pcri_file **out, struct pcr_error *err)
{
    const struct pcr_storage *theirs = &storage_of(self)->theirs;
    struct pcr_object_info info = { .size = sizeof(info) };
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    struct custom_file *f = pcri_calloc(1, sizeof(*f), err);
    if (!f)
        return PCR_ERR_NOMEM;
    int rc = 0;
    f->base.path = pcri_strndup(name, strlen(name), err);
    if (!f->base.path) {
        rc = PCR_ERR_NOMEM;
        goto fail;
    }
    rc = theirs->open(theirs->context, name, &f->object, &info, &why);
    if (rc) {
        why.offset = PCR_NO_OFFSET;
        rc = pcri_settle(&why, rc, "the storage");
        pcri_prefix(err, pcri_hand_on(err, rc, &why), "%s", name);
        goto fail;
    }
    f->base.backend = self;
    f->base.nbytes = info.nbytes;
    f->base.version = info.version;
    *out = &f->base;
    return 0;
fail:
    free(f->base.path);
    free(f);
    return rc;
}

static void custom_submit(struct pcri_file *base, const struct pcri_range *range,
                          struct pcr_storage_request *request)
{
    const struct pcr_storage *theirs = &storage_of(base->backend)->theirs;
    theirs->read(theirs->context, ((struct custom_file *) base)->object, range->offset,
                 range->dst, range->nbytes, request);
}

static void custom_cancel(struct pcri_file *base, struct pcr_storage_request *request)
{
    const struct pcr_storage *theirs = &storage_of(base->backend)->theirs;
    if (theirs->cancel)
        theirs->cancel(theirs->context, ((struct custom_file *) base)->object, request);
}

static void custom_close(struct pcri_file *base)
{
    const struct pcr_storage *theirs = &storage_of(base->backend)->theirs;
    theirs->close(theirs->context, ((struct custom_file *) base)->object);
    free(base->path);
    free(base);
}

static bool custom_identify(const struct pcri_file *f, uint64_t *out)
{
    const uint64_t parts[] = { storage_of(f->backend)->identity,
                               pcri_xxh3(f->path, strlen(f->path)), f->nbytes, f->version };
    *out = pcri_xxh3(parts, sizeof(parts));
    return true;
}

static int custom_read(const struct pcri_storage *s, const char *name, uint64_t max_nbytes,
                       struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcri_file *f = NULL;
    out->nbytes = 0;
    int rc = pcri_file_open(s->backend, name, &f, err);
    if (rc)
        return rc;
    if (f->nbytes > max_nbytes || f->nbytes >= SIZE_MAX)
        rc = pcri_fail(err, PCR_ERR_LIMIT, "%s: %llu bytes, the limit is %llu", name,
                       (unsigned long long) f->nbytes, (unsigned long long) max_nbytes);
    else
        rc = pcri_buffer_reserve(out, (size_t) f->nbytes + 1, err);
    if (!rc)
        rc = pcri_file_read_at(f, 0, out->data, (size_t) f->nbytes, err);
    if (!rc)
        out->nbytes = (size_t) f->nbytes;
    pcri_file_close(&f);
    return rc;
}

static void custom_destroy(struct pcri_storage *s)
{
    free(s);
}

static const struct pcri_storage_kind kind = {
    .name = "custom",
    .read = custom_read,
    .destroy = custom_destroy,
    .find = pcri_custom_find,
    .list = pcri_custom_list,
    .remove = pcri_custom_remove,
    .make_folder = pcri_custom_make_folder,
    .tidy = pcri_custom_tidy,
    .put_begin = pcri_custom_put_begin,
    .put_write = pcri_custom_put_write,
    .put_end = pcri_custom_put_end,
    .claim = pcri_custom_claim,
    .claim_write = pcri_custom_claim_write,
    .claim_end = pcri_custom_claim_end,
};
static const struct pcri_io_backend backend = {
    .name = "custom",
    .open = custom_open,
    .submit = custom_submit,
    .cancel = custom_cancel,
    .close = custom_close,
    .identify = custom_identify,
};

/* All callbacks for writing, or none of them. */
static int check_writing(const struct pcr_storage *t, bool *may_write, struct pcr_error *err)
{
    int count = !!t->put_begin + !!t->put_write + !!t->put_end + !!t->list + !!t->remove;
    *may_write = count == 5;
    if (count && count < 5)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "a storage that is written to needs put_begin, "
                         "put_write, put_end, list and remove");
    return 0;
}

int pcri_storage_custom(const struct pcr_storage *theirs, const struct pcri_storage **out,
                        struct pcr_error *err)
{
    bool may_write = false;
    struct pcri_custom *s = pcri_calloc(1, sizeof(*s), err);
    if (!s)
        return PCR_ERR_NOMEM;
    int rc = pcri_options_copy(&s->theirs, sizeof(s->theirs), theirs, "pcr_storage", err);
    if (!rc)
        rc = pcri_flags_check("pcr_storage", s->theirs.flags, 0, err);
    if (!rc && (!s->theirs.open || !s->theirs.read || !s->theirs.close))
        rc = pcri_fail(err, PCR_ERR_INVAL, "a storage needs open, read and close");
    if (!rc)
        rc = check_writing(&s->theirs, &may_write, err);
    if (rc) {
        free(s);
        return rc;
    }
    const char *identity = s->theirs.identity;
    s->identity = identity ? pcri_xxh3(identity, strlen(identity)) : 0;
    s->base = (struct pcri_storage) { &kind, &s->backend, !identity, may_write };
    s->backend = backend;
    *out = &s->base;
    return 0;
}
