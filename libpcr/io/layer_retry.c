/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads again after errors that may pass: of a network file system, or a tired disk. */
#include "layer.h"

/* Counts an attempt that failed, and waits before the next. *rc becomes CANCELLED if it was
 * stopped meanwhile. */
static bool again(struct pcri_layers *all, uint32_t attempt, int *rc, struct pcr_error *e)
{
    if (attempt == all->options.retry_count || !pcri_may_pass(*rc, e))
        return false;
    pcri_count(&all->counts.retry_count, 1);
    if (pcri_wait_to_retry(attempt))
        return true;
    *rc = pcri_fail_stopped(e);
    return false;
}

static int retry_open(const struct pcri_io_backend *self, const char *path,
                      struct pcri_file **out, struct pcr_error *err)
{
    struct pcri_layers *all = ((const struct pcri_layer *) self)->all;
    struct pcr_error e;
    uint32_t i = 0;
    int rc;
    do
        rc = pcri_layer_open(self, path, sizeof(struct pcri_layer_file), out, &e);
    while (again(all, i++, &rc, &e));
    if (rc && err)
        *err = e;
    return rc;
}

static int retry_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                      struct pcr_error *err)
{
    struct pcri_layers *all = pcri_layers_of(f);
    struct pcr_error e;
    uint32_t i = 0;
    int rc;
    do
        rc = pcri_file_read(pcri_file_below(f), ranges, count, &e);
    while (again(all, i++, &rc, &e));
    if (rc && err)
        *err = e;
    return rc;
}

const struct pcri_io_backend pcri_layer_retry = {
    .name = "retry",
    .open = retry_open,
    .read = retry_read,
    .close = pcri_layer_close,
};
