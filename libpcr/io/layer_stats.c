/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts what the layers and the backend below are asked for. */
#include "layer.h"

static int stats_open(const struct pcri_io_backend *self, const char *path,
                      struct pcri_file **out, struct pcr_error *err)
{
    int rc = pcri_layer_open(self, path, out, err);
    if (!rc)
        pcri_count(&pcri_layers_of(*out)->counts.open_count, 1);
    return rc;
}

static int stats_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                      struct pcr_error *err)
{
    struct pcri_layer_counts *counts = &pcri_layers_of(f)->counts;
    uint64_t start = pcri_clock_ns();
    int rc = pcri_file_read(pcri_file_below(f), ranges, count, err);
    pcri_count(&counts->read_ns, pcri_clock_ns() - start);
    pcri_count(&counts->read_count, 1);
    pcri_count(&counts->range_count, count);
    if (rc)
        pcri_count(&counts->error_count, 1);
    else
        pcri_count(&counts->read_nbytes, pcri_ranges_nbytes(ranges, count));
    return rc;
}

const struct pcri_io_backend pcri_layer_stats = {
    .name = "stats",
    .open = stats_open,
    .read = stats_read,
    .close = pcri_layer_close,
    .identify = pcri_layer_identify,
};
