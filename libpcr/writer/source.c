/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking sources, and closing them. */
#include <errno.h>

#include "write.h"

void pcr_source_close(struct pcr_source **source)
{
    struct pcr_source *s = source ? *source : NULL;
    if (!s)
        return;
    *source = NULL;
    if (s->close)
        s->close(s->context);
}

int pcri_source_describe(const struct pcr_source *source, uint64_t index,
                         struct pcr_source_sample *out, struct pcr_error *err)
{
    *out = (struct pcr_source_sample) { .size = sizeof(*out) };
    int rc = source->describe(source->context, index, out, err);
    if (rc || out->size == sizeof(*out))
        return rc;
    return pcri_fail(
        err, PCR_ERR_INVAL,
        "sample %llu of the source: size became %u, expected %zu: describe() must set "
        "members, not the whole struct",
        (unsigned long long) index, (unsigned) out->size, sizeof(*out));
}

static size_t text_nbytes(const char *text)
{
    return text && *text ? strlen(text) + 1 : 0;
}

size_t pcri_source_text_nbytes(const struct pcr_source_sample *s)
{
    size_t nbytes = (size_t) s->label_count * sizeof(int64_t) +
                    (size_t) s->blob_count * sizeof(*s->blobs) + text_nbytes(s->key) +
                    text_nbytes(s->path) + text_nbytes(s->attributes);
    for (uint32_t i = 0; i < s->blob_count; i++)
        nbytes += text_nbytes(s->blobs[i].name);
    return nbytes;
}

static const char *put_text(char **at, const char *text)
{
    size_t n = text_nbytes(text);
    char *put = n ? memcpy(*at, text, n) : NULL;
    *at += n;
    return put;
}

/* Labels first, for their alignment. */
void pcri_source_copy_text(struct pcr_source_sample *s, void *to)
{
    const size_t label_nbytes = (size_t) s->label_count * sizeof(int64_t);
    char *at = to;
    if (s->label_count && s->float_labels)
        s->float_labels = memcpy(at, s->float_labels, label_nbytes);
    else if (s->label_count && s->labels)
        s->labels = memcpy(at, s->labels, label_nbytes);
    at += label_nbytes;
    struct pcr_source_blob *blobs = (struct pcr_source_blob *) (void *) at;
    at += (size_t) s->blob_count * sizeof(*blobs);
    for (uint32_t i = 0; i < s->blob_count; i++) {
        blobs[i] = s->blobs[i];
        blobs[i].name = put_text(&at, s->blobs[i].name);
    }
    s->blobs = s->blob_count ? blobs : NULL;
    s->key = put_text(&at, s->key);
    s->path = put_text(&at, s->path);
    s->attributes = put_text(&at, s->attributes);
}

bool pcri_source_is_lost(const struct pcr_error *why)
{
    return pcri_is_of_data(why->code, why) || why->code == PCR_ERR_INVAL ||
           (why->code == PCR_ERR_IO &&
            (!why->sys_errno || why->sys_errno == EACCES || why->sys_errno == EPERM ||
             why->sys_errno == ENAMETOOLONG));
}
