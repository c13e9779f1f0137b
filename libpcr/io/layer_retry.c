/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads again after errors that may pass: of a network file system, or a tired disk. A handle that
 * has become stale stays so: its file is opened again. */
#include <stdlib.h>

#include "layer.h"

/* The file below, opened anew. */
struct again {
    struct pcri_file *file;
    struct again *older;
};

struct retried_file {
    struct pcri_layer_file base;
    _Atomic(struct again *)
        newest; /* NULL: the file below is fine. All live until the end, for
                 * others may be reading from them */
};

/* Waits for the next attempt, and counts it. */
static bool again(struct pcri_layers *all, uint32_t attempt, int *rc, struct pcr_error *e)
{
    bool yes = pcri_try_again(attempt, all->options.retry_count, rc, e);
    pcri_count(&all->counts.retry_count, yes);
    return yes;
}

static int retry_open(const struct pcri_io_backend *self, const char *path,
                      struct pcri_file **out, struct pcr_error *err)
{
    struct pcri_layers *all = ((const struct pcri_layer *) self)->all;
    struct pcr_error e;
    uint32_t i = 0;
    int rc;
    do
        rc = pcri_layer_open_larger(self, path, sizeof(struct retried_file), out, &e);
    while (again(all, i++, &rc, &e));
    return pcri_hand_on(err, rc, &e);
}

/* Keeps a file for the reads to come. Without memory it is not kept. */
static void keep(struct retried_file *f, struct pcri_file *file)
{
    struct again *a = pcri_calloc(1, sizeof(*a), NULL);
    if (!a) {
        pcri_file_close(&file);
        return;
    }
    a->file = file;
    a->older = atomic_load(&f->newest);
    while (!atomic_compare_exchange_weak(&f->newest, &a->older, a))
        ;
}

/* Reads from the file as it is opened now, if it is the same. */
static int read_afresh(struct retried_file *f, const struct pcri_range *ranges, size_t count,
                       struct pcr_error *err)
{
    const struct pcri_file *was = &f->base.base;
    struct pcri_file *file = NULL;
    int rc = pcri_file_open(f->base.below->backend, was->path, &file, err);
    if (rc)
        return rc;
    if (file->nbytes != was->nbytes || file->version != was->version)
        rc = pcri_fail(err, PCR_ERR_IO, "%s: was replaced while it was open", was->path);
    else
        rc = pcri_file_read(file, ranges, count, err);
    if (rc)
        pcri_file_close(&file);
    else
        keep(f, file);
    return rc;
}

static int read_once(struct retried_file *f, const struct pcri_range *ranges, size_t count,
                     struct pcr_error *err)
{
    struct again *a = atomic_load(&f->newest);
    int rc = pcri_file_read(a ? a->file : f->base.below, ranges, count, err);
    return rc == PCR_ERR_IO && err->flags & PCR_ERROR_STALE
               ? read_afresh(f, ranges, count, err)
               : rc;
}

static int retry_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                      struct pcr_error *err)
{
    struct pcri_layers *all = pcri_layers_of(f);
    struct pcr_error e;
    uint32_t i = 0;
    int rc;
    do
        rc = read_once((struct retried_file *) f, ranges, count, &e);
    while (again(all, i++, &rc, &e));
    return pcri_hand_on(err, rc, &e);
}

static void retry_close(struct pcri_file *base)
{
    struct retried_file *f = (struct retried_file *) base;
    struct again *a = atomic_load(&f->newest);
    while (a) {
        struct again *older = a->older;
        pcri_file_close(&a->file);
        free(a);
        a = older;
    }
    pcri_layer_close(base);
}

const struct pcri_io_backend pcri_layer_retry = {
    .name = "retry",
    .open = retry_open,
    .read = retry_read,
    .close = retry_close,
    .identify = pcri_layer_identify,
};
