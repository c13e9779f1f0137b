/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads again after errors that may pass: of a network file system, or a tired disk. */
#include <errno.h>

#include "layer.h"

enum { FIRST_WAIT_MS = 5, LAST_WAIT_MS = 1000 };

static bool may_pass(int rc, const struct pcr_error *err)
{
    if (rc != PCR_ERR_IO)
        return false;
    switch (err->sys_errno) {
    case EIO:
    case EAGAIN:
    case EINTR:
    case ETIMEDOUT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ECONNRESET:
    case ESTALE:
        return true;
    default:
        return false;
    }
}

/* Counts an attempt and waits before the next, each time twice as long. */
static void wait_for(struct pcri_layers *all, uint32_t attempt)
{
    uint64_t ms = FIRST_WAIT_MS;
    for (uint32_t i = 0; i < attempt && ms < LAST_WAIT_MS; i++)
        ms *= 2;
    pcri_count(&all->counts.retry_count, 1);
    pcri_sleep_until(pcri_clock_ns() + (ms < LAST_WAIT_MS ? ms : LAST_WAIT_MS) * 1000000);
}

static int retry_open(const struct pcri_io_backend *self, const char *path,
                      struct pcri_file **out, struct pcr_error *err)
{
    struct pcri_layers *all = ((const struct pcri_layer *) self)->all;
    struct pcr_error e;
    int rc;
    for (uint32_t i = 0;; i++) {
        rc = pcri_layer_open(self, path, sizeof(struct pcri_layer_file), out, &e);
        if (i == all->options.retry_count || !may_pass(rc, &e))
            break;
        wait_for(all, i);
    }
    if (rc && err)
        *err = e;
    return rc;
}

static int retry_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                      struct pcr_error *err)
{
    struct pcri_layers *all = pcri_layers_of(f);
    struct pcr_error e;
    int rc;
    for (uint32_t i = 0;; i++) {
        rc = pcri_file_read(pcri_file_below(f), ranges, count, &e);
        if (i == all->options.retry_count || !may_pass(rc, &e))
            break;
        wait_for(all, i);
    }
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
