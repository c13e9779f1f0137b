/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporting: the blobs of a sample, read and judged by their names. */
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/io/tree.h"
#include "exporter.h"

static int leave_out(struct pcri_export_chunk *c, struct pcri_export_item *item,
                     const char *name, const char *why, struct pcr_error *err)
{
    char text[PCR_MESSAGE_NBYTES];
    if (item->lost_blobs++)
        return 0;
    int n = snprintf(text, sizeof(text), "blob '%.100s' is left out: %s", name, why);
    item->blob_what = c->texts.nbytes;
    n = n < (int) sizeof(text) ? n : (int) sizeof(text) - 1;
    return pcri_buffer_append(&c->texts, text, (size_t) n + 1, err);
}

/* Room for one more; earlier samples' buffers are used again. */
static int make_room(struct pcri_export_tools *t, struct pcr_error *err)
{
    const uint32_t wanted = t->blob_capacity ? 2 * t->blob_capacity : 4;
    if (t->blob_count < t->blob_capacity)
        return 0;
    struct pcri_export_blob *wider = pcri_calloc(wanted, sizeof(*wider), err);
    if (!wider)
        return PCR_ERR_NOMEM;
    if (t->blob_count)
        memcpy(wider, t->blobs, t->blob_count * sizeof(*wider));
    free(t->blobs);
    t->blobs = wider;
    t->blob_capacity = wanted;
    return 0;
}

int pcri_export_read_blobs(const struct pcri_export *x, struct pcri_export_tools *t,
                           const struct pcr_sample *s, struct pcri_export_chunk *c,
                           struct pcri_export_item *item, struct pcr_error *err)
{
    const char *name;
    int rc = 0;
    t->blob_count = 0;
    item->lost_blobs = 0;
    for (uint32_t i = 0; x->blobs && !rc && (name = pcr_dataset_blob_name(x->ds, i)); i++) {
        rc = make_room(t, err);
        if (rc)
            break;
        struct pcri_export_blob *blob = &t->blobs[t->blob_count];
        struct pcr_error why;
        blob->name = name;
        rc = pcr_sample_blob(s, name, &blob->bytes, &why);
        const bool damaged = rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED;
        t->blob_count += !rc;
        if (damaged && x->o.damage != PCR_EXPORT_DAMAGE_FAIL)
            rc = leave_out(c, item, name, "it is damaged", err);
        else if (rc == PCR_END)
            rc = 0;
        else if (rc)
            rc = pcri_hand_on(err, rc, &why);
    }
    return rc;
}

int pcri_export_blob_path(const struct pcr_sample_info *info,
                          const struct pcri_export_blob *blob, struct pcr_buffer *out,
                          struct pcr_error *err)
{
    out->nbytes = 0;
    int rc = pcri_buffer_append(out, info->key, info->key_nbytes, err);
    if (!rc)
        rc = pcri_print(out, err, ".%s", blob->name);
    return rc;
}

const char *pcri_export_refuse_name(const struct pcri_export_sample *s,
                                    const struct pcri_export_blob *blob)
{
    const char *slash = strrchr(s->info->key, '/');
    const char *last = slash ? slash + 1 : s->info->key;
    if (strchr(blob->name, '/'))
        return "its name has a slash";
    return strlen(last) + strlen(blob->name) > 254 ? "the name would be too long" : NULL;
}

/* The hash of KEY.NAME. */
static int add_hash(struct pcri_export_tools *t, struct pcri_export_chunk *c,
                    const struct pcri_export_sample *s, const struct pcri_export_blob *blob,
                    struct pcr_error *err)
{
    uint8_t bytes[8];
    int rc = pcri_export_blob_path(s->info, blob, &t->name, err);
    pcri_store64(bytes,
                 rc ? 0 : pcri_siphash(&s->export->hash_key, t->name.data, t->name.nbytes));
    return rc ? rc : pcri_buffer_append(&c->texts, bytes, sizeof(bytes), err);
}

int pcri_export_settle_blobs(struct pcri_export_tools *t, struct pcri_export_chunk *c,
                             struct pcri_export_item *item, struct pcri_export_sample *s,
                             struct pcr_error *err)
{
    const struct pcri_exporter *e = s->export->exporter;
    int rc = 0;
    for (uint32_t i = 0; i < t->blob_count && !rc; i++) {
        const char *why = e->refuse(s, &t->blobs[i]);
        const struct pcri_export_blob kept = t->blobs[i];
        if (why) {
            rc = leave_out(c, item, kept.name, why, err);
            continue;
        }
        t->blobs[i] = t->blobs[s->blob_count];
        t->blobs[s->blob_count++] = kept;
    }
    s->blobs = t->blobs;
    item->hashes = c->texts.nbytes;
    item->hash_count = e->abilities & PCRI_EXPORT_BESIDE ? s->blob_count : 0;
    for (uint32_t i = 0; i < item->hash_count && !rc; i++)
        rc = add_hash(t, c, s, &t->blobs[i], err);
    return rc;
}

void pcri_export_free_blobs(struct pcri_export_tools *t)
{
    for (uint32_t i = 0; i < t->blob_capacity; i++)
        pcr_buffer_free(&t->blobs[i].bytes);
    free(t->blobs);
}
