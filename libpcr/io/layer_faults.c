/* SPDX-License-Identifier: BSD-2-Clause */
/* Fails some reads, to see what a program makes of that. */
#include <errno.h>

#include "layer.h"

static int faults_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                       struct pcr_error *err)
{
    struct pcri_layers *all = pcri_layers_of(f);
    pthread_mutex_lock(&all->mutex);
    bool fails = ++all->fault_number % all->options.fault_interval == 0;
    pthread_mutex_unlock(&all->mutex);
    if (!fails)
        return pcri_file_read(pcri_file_below(f), ranges, count, err);
    pcri_count(&all->counts.fault_count, 1);
    return pcri_fail_sys(err, EIO, "%s: an injected fault", f->path);
}

const struct pcri_io_backend pcri_layer_faults = {
    .name = "faults",
    .open = pcri_layer_open,
    .read = faults_read,
    .close = pcri_layer_close,
    .identify = pcri_layer_identify,
};
