/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes storage slower, for experiments: a bound on bytes per second for all files together,
 * and a delay for each read, as from far away. */
#include "layer.h"

/* Takes the line's next free time for nbytes; returns when their last has come. Time in which
 * nobody asked for anything is lost, as on a real line. */
static uint64_t take_line(struct pcri_layers *all, uint64_t now, uint64_t nbytes)
{
    uint64_t rate = all->options.throttle_nbytes_s;
    if (!rate)
        return now;
    uint64_t takes = (uint64_t) ((double) nbytes * 1e9 / (double) rate);
    pthread_mutex_lock(&all->mutex);
    if (all->free_at_ns < now)
        all->free_at_ns = now;
    uint64_t end = all->free_at_ns += takes;
    pthread_mutex_unlock(&all->mutex);
    return end;
}

static int throttle_read(struct pcri_file *f, const struct pcri_range *ranges, size_t count,
                         struct pcr_error *err)
{
    struct pcri_layers *all = pcri_layers_of(f);
    uint64_t now = pcri_clock_ns();
    uint64_t end = take_line(all, now, pcri_ranges_nbytes(ranges, count)) +
                   (uint64_t) all->options.delay_us * 1000;
    int rc = pcri_file_read(pcri_file_below(f), ranges, count, err);
    uint64_t read = pcri_clock_ns();
    if (read < end) {
        /* Slow storage is slow even for those who have lost interest: bytes without the wait
         * would not be what was asked for. */
        pcri_sleep_through(end);
        pcri_count(&all->counts.throttle_ns, end - read);
    }
    return rc;
}

const struct pcri_io_backend pcri_layer_throttle = {
    .name = "throttle",
    .open = pcri_layer_open,
    .read = throttle_read,
    .close = pcri_layer_close,
    .identify = pcri_layer_identify,
};
