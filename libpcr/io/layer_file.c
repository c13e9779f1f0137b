/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of a layer, on the file below. */
#include <stdlib.h>

#include "layer.h"

int pcri_layer_open(const struct pcri_io_backend *self, const char *path,
                    struct pcri_file **out, struct pcr_error *err)
{
    return pcri_layer_open_larger(self, path, sizeof(struct pcri_layer_file), out, err);
}

int pcri_layer_open_larger(const struct pcri_io_backend *self, const char *path,
                           size_t file_nbytes, struct pcri_file **out, struct pcr_error *err)
{
    const struct pcri_layer *layer = (const struct pcri_layer *) self;
    struct pcri_layer_file *f = pcri_calloc(1, file_nbytes, err);
    if (!f)
        return PCR_ERR_NOMEM;
    int rc = pcri_file_open(layer->below, path, &f->below, err);
    if (rc) {
        free(f);
        return rc;
    }
    f->base = (struct pcri_file) { self, f->below->nbytes, f->below->version, f->below->path };
    *out = &f->base;
    return 0;
}

bool pcri_layer_identify(const struct pcri_file *f, uint64_t *out)
{
    return pcri_file_identify(pcri_file_below(f), out);
}

void pcri_layer_close(struct pcri_file *base)
{
    struct pcri_layer_file *f = (struct pcri_layer_file *) base;
    pcri_file_close(&f->below);
    free(f);
}
