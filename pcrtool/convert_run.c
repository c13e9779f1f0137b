/* SPDX-License-Identifier: BSD-2-Clause */
/* A conversion while it runs: its progress, signals, and how it ended. */
#include <inttypes.h>
#include <string.h>

#include "convert.h"
#include "interrupt.h"
#include "measure.h"
#include "output.h"

static void show_progress(struct pcrtool_conversion *v, const struct pcr_write_progress *p)
{
    uint64_t done = p->samples_done + p->samples_bad;
    if (!p->record_count) {
        char line[64];
        snprintf(line, sizeof(line), "%s: planning for %" PRIu64 " images", v->command->name,
                 p->sample_count);
        pcrtool_progress(line);
        return;
    }
    double seconds = pcrtool_now() - v->start;
    if (!v->started) { /* what is kept from an earlier run says nothing about the speed */
        v->started = true;
        v->kept = done;
    }
    double rate = seconds > 0 ? (double) (done - v->kept) / seconds : 0;
    char line[160], eta[32] = "", saved[32] = "", bad[32] = "";
    double seconds_left = rate > 0 ? (double) (p->sample_count - done) / rate : 1e9;
    if (seconds_left < 1e6) { /* beyond that the guess is not worth showing */
        unsigned left = (unsigned) seconds_left;
        snprintf(eta, sizeof(eta), "  ETA %u:%02u:%02u", left / 3600, left / 60 % 60,
                 left % 60);
    }
    if (p->records_source_nbytes)
        snprintf(saved, sizeof(saved), "  saved %.1f%%",
                 100 - pcrtool_percent(p->written_nbytes, p->records_source_nbytes));
    if (p->samples_bad)
        snprintf(bad, sizeof(bad), "  %" PRIu64 " bad", p->samples_bad);
    snprintf(line, sizeof(line), "%s %3.0f%%  %" PRIu64 "/%" PRIu64 " images  %.0f/s%s%s%s",
             v->command->name, pcrtool_percent(done, p->sample_count), done, p->sample_count,
             rate, eta, saved, bad);
    pcrtool_progress(line);
}

int pcrtool_conversion_progress(void *context, const struct pcr_write_progress *p)
{
    struct pcrtool_conversion *v = context;
    if (!v->quiet)
        show_progress(v, p);
    return pcrtool_interrupted();
}

void pcrtool_conversion_begin(struct pcrtool_conversion *v)
{
    pcrtool_catch_signals(); /* up to here a signal leaves nothing behind */
    v->start = pcrtool_now();
    v->report.size = sizeof(v->report);
}

int pcrtool_conversion_end(struct pcrtool_conversion *v, int rc, const struct pcr_error *err)
{
    v->seconds = pcrtool_now() - v->start;
    pcrtool_progress(NULL);
    if (!rc)
        return PCRTOOL_DONE;
    rc = pcrtool_failed(v->command, err);
    if (v->report.records_done && !v->dry_run && !v->quiet)
        fprintf(stderr,
                "pcrtool %s: %" PRIu64 " of %" PRIu64 " records are finished; the "
                "same command goes on from there\n",
                v->command->name, v->report.records_done, v->report.record_count);
    return rc;
}
