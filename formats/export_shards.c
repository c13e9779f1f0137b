/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporters whose files are written from the beginning to the end. */
#include <stdlib.h>

#include "../libpcr/io/storage.h"
#include "export_shards.h"

enum { PENDING_NBYTES = 1 << 20 }; /* written at once */

struct shards {
    struct pcri_shard_names names;
    struct pcri_put *put; /* the file that is being written; NULL: none, or a stream */
    bool is_open;
    uint64_t number;        /* of the next file */
    uint64_t nbytes, count; /* bytes and samples of the open one */
    struct pcr_buffer pending;
};

/* --- the open file --- */

static int send(struct pcri_export *x, const void *data, size_t nbytes, struct pcr_error *err)
{
    struct shards *s = x->state;
    if (!nbytes)
        return 0;
    if (!x->o.write)
        return pcri_put_write(s->put, data, nbytes, err);
    struct pcr_error why = { .offset = PCR_NO_OFFSET };
    int rc = x->o.write(x->o.context, data, nbytes, &why);
    return rc ? pcri_hand_on(err, pcri_settle(&why, rc, "write()"), &why) : 0;
}

static int flush(struct pcri_export *x, struct pcr_error *err)
{
    struct shards *s = x->state;
    int rc = send(x, s->pending.data, s->pending.nbytes, err);
    s->pending.nbytes = 0;
    return rc;
}

static int write_bytes(struct pcri_export *x, const void *data, size_t nbytes,
                       struct pcr_error *err)
{
    struct shards *s = x->state;
    int rc = s->pending.nbytes + nbytes > PENDING_NBYTES ? flush(x, err) : 0;
    if (!rc)
        rc = nbytes > PENDING_NBYTES / 4 && !s->pending.nbytes
                 ? send(x, data, nbytes, err)
                 : pcri_buffer_append(&s->pending, data, nbytes, err);
    s->nbytes += nbytes;
    x->report.written_nbytes += nbytes;
    return rc;
}

static int write_piece(void *context, const void *data, size_t nbytes, struct pcr_error *err)
{
    return write_bytes(context, data, nbytes, err);
}

static int begin_file(struct pcri_export *x, struct pcr_error *err)
{
    struct shards *s = x->state;
    s->nbytes = s->count = 0;
    s->is_open = true;
    if (x->o.write)
        return 0;
    char *name = pcri_name_shard(&s->names, s->number++, err);
    int rc = name ? pcri_put_begin(&pcri_files, s->names.folder, name, &s->put, err)
                  : PCR_ERR_NOMEM;
    free(name);
    return rc;
}

static int end_file(struct pcri_export *x, struct pcr_error *err)
{
    struct shards *s = x->state;
    struct pcr_buffer end = { 0 };
    const uint64_t offset = s->nbytes;
    int rc = pcri_tape_play(&x->index, write_piece, x, err);
    if (!rc && x->exporter->end)
        rc = x->exporter->end(x, offset, &end, err);
    pcri_tape_free(&x->index);
    x->index_count = 0;
    if (!rc)
        rc = write_bytes(x, end.data, end.nbytes, err);
    if (!rc)
        rc = flush(x, err);
    pcr_buffer_free(&end);
    s->is_open = false;
    x->report.file_count += !rc && s->put;
    return pcri_put_end(&s->put, rc, err);
}

/* --- the exporter's functions --- */

/* The folder and the beginning of the names. */
static int split_path(const struct pcri_export *x, struct pcri_shard_names *n,
                      struct pcr_error *err)
{
    const char *slash = strrchr(x->path, '/'), *name = slash ? slash + 1 : x->path;
    bool numbered = x->o.shard_nbytes || x->o.shard_samples;
    size_t nbytes = strlen(name), ending = strlen(x->exporter->ending);
    bool ends = nbytes > ending && !strcmp(name + nbytes - ending, x->exporter->ending);
    if (!nbytes)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: not the name of a file", x->path);
    n->ending = ends || numbered ? x->exporter->ending : "";
    n->digits = numbered ? 6 : 0;
    n->folder = pcri_parent(x->path, err);
    n->stem = pcri_malloc(nbytes + 2, 1, err);
    if (!n->folder || !n->stem)
        return PCR_ERR_NOMEM;
    nbytes -= ends ? ending : 0;
    memcpy(n->stem, name, nbytes);
    memcpy(n->stem + nbytes, numbered ? "-" : "", 2 - !numbered);
    return 0;
}

int pcri_shards_open(struct pcri_export *x, struct pcr_error *err)
{
    struct shards *s = pcri_calloc(1, sizeof(*s), err);
    x->state = s;
    int rc = s ? 0 : PCR_ERR_NOMEM;
    if (!rc && !x->o.write)
        rc = split_path(x, &s->names, err);
    if (!rc && !x->o.write)
        rc = pcri_shard_names_claim(&s->names, NULL, x->o.flags & PCR_EXPORT_REPLACE, err);
    return rc ? rc : begin_file(x, err);
}

/* Whether the open file is full before `nbytes` more. */
static bool is_full(const struct pcri_export *x, const struct shards *s, size_t nbytes)
{
    return s->count && ((x->o.shard_samples && s->count >= x->o.shard_samples) ||
                        (x->o.shard_nbytes && s->nbytes + nbytes > x->o.shard_nbytes));
}

int pcri_shards_add(struct pcri_export *x, const struct pcri_export_chunk *c,
                    const struct pcri_export_item *item, struct pcr_error *err)
{
    struct shards *s = x->state;
    const uint8_t *bytes = c->bytes.data + item->offset;
    int rc = 0;
    if (is_full(x, s, item->nbytes) && !(rc = end_file(x, err)))
        rc = begin_file(x, err);
    if (!rc && x->exporter->added)
        rc = x->exporter->added(x, bytes, item->nbytes, s->nbytes, err);
    if (!rc)
        rc = write_bytes(x, bytes, item->nbytes, err);
    s->count++;
    return rc;
}

int pcri_shards_append(struct pcri_export *x, const void *head, size_t head_nbytes,
                       const struct pcri_tape *bytes, struct pcr_error *err)
{
    const struct shards *s = x->state;
    int rc = x->exporter->added ? x->exporter->added(x, head, head_nbytes, s->nbytes, err) : 0;
    if (!rc)
        rc = write_bytes(x, head, head_nbytes, err);
    return rc ? rc : pcri_tape_play(bytes, write_piece, x, err);
}

int pcri_shards_finish(struct pcri_export *x, struct pcr_error *err)
{
    struct shards *s = x->state;
    int rc = end_file(x, err);
    return rc ? rc : pcri_shard_names_end(&s->names, err);
}

void pcri_shards_close(struct pcri_export *x)
{
    struct shards *s = x->state;
    if (!s)
        return;
    int rc = pcri_put_end(&s->put, PCR_ERR_CANCELLED, NULL);
    (void) rc; /* what failed before is told */
    rc = pcri_shard_names_end(&s->names, NULL);
    (void) rc;
    pcr_buffer_free(&s->pending);
    free(s);
}
