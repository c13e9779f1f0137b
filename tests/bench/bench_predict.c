/* SPDX-License-Identifier: BSD-2-Clause */
/* What `pcrtool doctor` predicts against what a loader then delivers, from memory and with
 * storage throttled to 50 and 10 MB/s: calls of pread64 come here first and wait their turn, but
 * for the main thread's, which fill the page cache before a measurement.
 *
 * bench_predict [DATASET [SECONDS]]: without a dataset, one of generated photographs is made.
 * Each figure is the median of five measurements, taken in turns; the last column is the
 * median of the prediction over the measurement of the same turn. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <pcr/system.h>

#include "../../pcrtool/measure.h"
#include "../../pcrtool/model.h"
#include "bench.h"

enum { TURNS = 5 };
static const double SLACK_S = 0.01; /* what storage may have saved up */

static struct {
    pthread_mutex_t mutex;
    double rate;    /* bytes a second; 0: no limit */
    double free_at; /* when all that was asked for so far is delivered */
    pthread_t free; /* the thread that does not wait */
} storage = { .mutex = PTHREAD_MUTEX_INITIALIZER };

ssize_t __real_pread64(int fd, void *buf, size_t nbytes, off_t offset);
ssize_t __wrap_pread64(int fd, void *buf, size_t nbytes, off_t offset);

ssize_t __wrap_pread64(int fd, void *buf, size_t nbytes, off_t offset)
{
    ssize_t n = __real_pread64(fd, buf, nbytes, offset);
    pthread_mutex_lock(&storage.mutex);
    double now = bench_wall(), wait = 0;
    if (storage.rate > 0 && n > 0 && !pthread_equal(pthread_self(), storage.free)) {
        if (storage.free_at < now - SLACK_S)
            storage.free_at = now - SLACK_S;
        storage.free_at += (double) n / storage.rate;
        wait = storage.free_at - now;
    }
    pthread_mutex_unlock(&storage.mutex);
    if (wait > 0) {
        const struct timespec t = { (time_t) wait,
                                    (long) ((wait - (double) (time_t) wait) * 1e9) };
        nanosleep(&t, NULL);
    }
    return n;
}

static void set_rate(double rate)
{
    pthread_mutex_lock(&storage.mutex);
    storage.rate = rate;
    storage.free_at = 0;
    pthread_mutex_unlock(&storage.mutex);
}

/* The stages one by one, as doctor measures them, and then all together: images/s. */
static int measure(const struct pcrtool_part *part, struct pcrtool_case c, double rate,
                   double out[3], struct pcr_error *err)
{
    struct pcrtool_rate r;
    set_rate(0);
    int rc = pcrtool_measure_loader(part, &c, &r, err);
    out[0] = pcrtool_rate_images(&r);
    set_rate(rate);
    if (!rc)
        rc = pcrtool_measure_reads(part, &c, &r, err);
    out[1] = pcrtool_rate_images(&r);
    if (!rc)
        rc = pcrtool_measure_loader(part, &c, &r, err);
    out[2] = pcrtool_rate_images(&r);
    return rc;
}

static int compare(const struct pcrtool_part *part, struct pcrtool_case c, double rate,
                   struct pcr_error *err)
{
    double rates[3][TURNS], ratios[TURNS], one[3];
    for (int turn = 0; turn < TURNS; turn++) {
        int rc = measure(part, c, rate, one, err);
        if (rc)
            return rc;
        for (int i = 0; i < 3; i++)
            rates[i][turn] = one[i];
        const struct pcrtool_stages stages = { .decode = one[0], .storage = one[1] };
        ratios[turn] = pcrtool_predict(&stages, NULL) / one[2];
    }
    enum pcrtool_limit limit;
    const struct pcrtool_stages s = { .decode = bench_median(rates[0], TURNS),
                                      .storage = bench_median(rates[1], TURNS) };
    double predicted = pcrtool_predict(&s, &limit);
    double measured = bench_median(rates[2], TURNS);
    printf("%8u %8.0f %10.0f %10.0f %10.0f %10.0f  %-9s %6.2f\n", (unsigned) c.fidelity,
           rate * 1e-6, s.decode, s.storage, predicted, measured, pcrtool_limit_name(limit),
           bench_median(ratios, TURNS));
    fflush(stdout);
    return 0;
}

static int run(const char *path, double seconds, struct pcr_error *err)
{
    static const double rates[] = { 0, 50e6, 10e6 };
    static const struct pcrtool_command command = { .name = "bench_predict" };
    struct pcr_system_info system = { .size = sizeof(system) };
    struct pcrtool_part part = { 0 };
    struct pcrtool_input in;
    if (pcrtool_input_open(&in, &command, path, NULL, NULL, NULL) ||
        pcrtool_part_choose(&part, &in, path, NULL))
        return PCR_ERR_INVAL;
    int rc = pcr_system_describe(&system, err);
    printf("%8s %8s %10s %10s %10s %10s  %-9s %6s\n", "fidelity", "MB/s", "decode", "storage",
           "predicted", "measured", "limit", "ratio");
    for (size_t i = 0; !rc && i < sizeof(rates) / sizeof(rates[0]); i++)
        for (uint32_t g = 2; !rc && g <= in.info.group_count; g += 2) {
            const struct pcrtool_case c = {
                .fidelity = g,
                .threads = system.cpu_count,
                .readers = true,
                .io_backend = PCR_IO_PREAD,
                .seconds = seconds,
            };
            rc = compare(&part, c, rates[i], err);
        }
    pcrtool_part_free(&part);
    pcrtool_input_close(&in);
    return rc;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/pcr-bench-XXXXXX";
    struct pcr_error err = { 0 };
    const char *path = argc > 1 ? argv[1] : NULL;
    storage.free = pthread_self();
    int rc = path ? 0 : bench_dataset_make(folder, &err);
    if (!rc)
        rc = run(path ? path : folder, argc > 2 ? strtod(argv[2], NULL) : 1, &err);
    if (!path)
        bench_dataset_remove(folder);
    if (rc)
        fprintf(stderr, "bench_predict: %s\n", err.message);
    return rc != 0;
}
