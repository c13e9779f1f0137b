/* SPDX-License-Identifier: BSD-2-Clause */
/* The exporter `folder`: each sample is a file under its key, each blob one beside it. */
#include <stdlib.h>

#include "../libpcr/io/storage.h"
#include "../libpcr/io/tree.h"
#include "exporter.h"

/* Before each file in a chunk: two sizes, mode and time. */
enum { SIZES_NBYTES = 16, HEAD_NBYTES = SIZES_NBYTES + sizeof(struct pcr_file_info) };

struct folder {
    struct pcri_claim *claim;
    struct pcri_file_tree tree;
};

/* Appends a file's path with a NUL, after its head. */
static int begin_file(struct pcr_buffer *out, const void *path, size_t path_nbytes,
                      size_t nbytes, struct pcr_file_info info, struct pcr_error *err)
{
    uint8_t head[HEAD_NBYTES];
    pcri_store64(head, path_nbytes + 1);
    pcri_store64(head + 8, nbytes);
    memcpy(head + SIZES_NBYTES, &info, sizeof(info));
    int rc = pcri_buffer_append(out, head, sizeof(head), err);
    if (!rc)
        rc = pcri_buffer_append(out, path, path_nbytes, err);
    return rc ? rc : pcri_buffer_append(out, "", 1, err);
}

/* The image and the blobs, each after its path. */
static int encode(const struct pcri_export_sample *s, struct pcr_buffer *out,
                  struct pcr_buffer *name, struct pcr_error *err)
{
    const struct pcr_sample_info *info = s->info;
    struct pcr_buffer path = { 0 };
    if (s->taken)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: another file has this name", info->key);
    int rc = pcri_buffer_append(name, info->key, info->key_nbytes, err);
    if (!rc)
        rc = begin_file(out, info->key, info->key_nbytes, s->nbytes, s->file_info, err);
    if (!rc)
        rc = pcri_export_append_file(s, out, err);
    for (uint32_t i = 0; i < s->blob_count && !rc; i++) {
        const struct pcr_buffer *b = &s->blobs[i].bytes;
        rc = pcri_export_blob_path(info, &s->blobs[i], &path, err);
        if (!rc)
            rc = begin_file(out, path.data, path.nbytes, b->nbytes,
                            (struct pcr_file_info) { 0 }, err);
        if (!rc)
            rc = pcri_buffer_append(out, b->data, b->nbytes, err);
    }
    pcr_buffer_free(&path);
    return rc;
}

static int open_folder(struct pcri_export *x, struct pcr_error *err)
{
    struct folder *f = pcri_calloc(1, sizeof(*f), err);
    bool made;
    if (!f)
        return PCR_ERR_NOMEM;
    x->state = f;
    f->tree.fd = -1;
    int rc = pcri_storage_make_folder(&pcri_files, x->path, &made, err);
    if (!rc)
        rc = pcri_claim_begin(&pcri_files, x->path, PCRI_TREE_CLAIM, &f->claim, err);
    return rc ? rc : pcri_tree_open(x->path, &f->tree, err);
}

static int count_file(struct pcri_export *x, uint64_t nbytes)
{
    x->report.file_count++;
    x->report.written_nbytes += nbytes;
    return 0;
}

static int write_file(struct pcri_export *x, const char *key, const void *data, size_t nbytes,
                      const struct pcr_file_info *info, struct pcr_error *err)
{
    struct folder *f = x->state;
    int rc = pcri_tree_write(&f->tree, key, data, nbytes, info,
                             x->o.flags & PCR_EXPORT_REPLACE, err);
    return rc ? rc : count_file(x, nbytes);
}

static int add(struct pcri_export *x, const struct pcri_export_chunk *c,
               const struct pcri_export_item *item, struct pcr_error *err)
{
    const uint8_t *p = c->bytes.data + item->offset, *end = p + item->nbytes;
    int rc = 0;
    while (p < end && !rc) {
        const uint8_t *path = p + HEAD_NBYTES, *bytes = path + pcri_load64(p);
        const size_t nbytes = (size_t) pcri_load64(p + 8);
        struct pcr_file_info info;
        memcpy(&info, p + SIZES_NBYTES, sizeof(info));
        rc = write_file(x, (const char *) path, bytes, nbytes, &info, err);
        p = bytes + nbytes;
    }
    return rc;
}

static int put(struct pcri_export *x, const char *name, const struct pcri_tape *bytes,
               struct pcr_error *err)
{
    struct folder *f = x->state;
    int rc = pcri_tree_put(&f->tree, name, bytes, x->o.flags & PCR_EXPORT_REPLACE, err);
    return rc ? rc : count_file(x, bytes->nbytes);
}

static int finish(struct pcri_export *x, struct pcr_error *err)
{
    struct folder *f = x->state;
    return pcri_claim_end(&f->claim, true, err);
}

static void close_folder(struct pcri_export *x)
{
    struct folder *f = x->state;
    if (!f)
        return;
    pcri_tree_close(&f->tree);
    int rc = pcri_claim_end(&f->claim, true, NULL);
    (void) rc; /* what failed before is told */
    free(f);
}

const struct pcri_exporter pcri_export_folder = {
    .name = "folder",
    .abilities = PCRI_EXPORT_NAMES | PCRI_EXPORT_DIFFER | PCRI_EXPORT_LISTS |
                 PCRI_EXPORT_BESIDE,
    .encode = encode,
    .refuse = pcri_export_refuse_name,
    .open = open_folder,
    .add = add,
    .finish = finish,
    .close = close_folder,
    .put = put,
};
