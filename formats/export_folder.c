/* SPDX-License-Identifier: BSD-2-Clause */
/* The exporter `folder`: each sample is a file under its key. */
#include <stdlib.h>

#include "../libpcr/io/storage.h"
#include "../libpcr/io/tree.h"
#include "exporter.h"

struct folder {
    struct pcri_claim *claim;
    struct pcri_file_tree tree;
};

static int encode(const struct pcri_export_sample *s, struct pcr_buffer *out,
                  struct pcr_buffer *name, struct pcr_error *err)
{
    return pcri_export_append_file(s, out, err);
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

static int write_file(struct pcri_export *x, const char *key, const void *data, size_t nbytes,
                      struct pcr_error *err)
{
    struct folder *f = x->state;
    int rc = pcri_tree_write(&f->tree, key, data, nbytes, x->o.flags & PCR_EXPORT_REPLACE,
                             err);
    if (rc)
        return rc;
    x->report.file_count++;
    x->report.written_nbytes += nbytes;
    return 0;
}

static int add(struct pcri_export *x, const struct pcri_export_chunk *c,
               const struct pcri_export_item *item, struct pcr_error *err)
{
    return write_file(x, (const char *) c->texts.data + item->key,
                      c->bytes.data + item->offset, item->nbytes, err);
}

static int put(struct pcri_export *x, const char *name, const struct pcr_buffer *bytes,
               struct pcr_error *err)
{
    return write_file(x, name, bytes->data, bytes->nbytes, err);
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
    .abilities = PCRI_EXPORT_NAMES | PCRI_EXPORT_LISTS,
    .encode = encode,
    .open = open_folder,
    .add = add,
    .finish = finish,
    .close = close_folder,
    .put = put,
};
