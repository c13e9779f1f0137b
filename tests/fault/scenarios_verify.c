/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios of verifying datasets: want of memory is no damage, and hides none. */
#include <pcr/dataset.h>

#include "scenarios.h"

static int on_finding(void *context, uint32_t kind, const char *path, uint64_t done,
                      const struct pcr_error *err)
{
    uint64_t *sum = context;
    add_number(sum, kind);
    add_text(sum, path);
    add_number(sum, done);
    if (err) {
        add_number(sum, (uint64_t) err->code);
        add_text(sum, err->message);
    }
    return err && err->code == PCR_ERR_NOMEM; /* no finding: ends the work by CANCELLED */
}

static int verify(const char *path, uint32_t flags, const struct pcr_dataset_options *o,
                  uint64_t *sum, struct pcr_error *err)
{
    struct pcr_verify_report report = { .size = sizeof(report) };
    struct pcr_dataset_info info = { .size = sizeof(info) };
    struct pcr_dataset *ds = NULL;
    int rc = pcr_dataset_open(path, o, &ds, err);
    if (!rc)
        rc = pcr_dataset_describe(ds, &info, err);
    for (uint64_t r = 0; !rc && r < info.record_count; r++)
        rc = pcr_dataset_verify_record(ds, r, flags, &report, on_finding, sum, err);
    pcr_dataset_close(&ds);
    add(sum, &report, sizeof(report));
    return rc;
}

static int verify_shallow(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return verify(what, 0, NULL, sum, err);
}

static int verify_deep(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return verify(what, PCR_VERIFY_DEEP, NULL, sum, err);
}

static int verify_originals(const void *what, uint64_t *sum, struct pcr_error *err)
{
    return verify(what, PCR_VERIFY_ORIGINALS, NULL, sum, err);
}

static int verify_cached(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = { .size = sizeof(o), .cache_nbytes = 1 << 20 };
    return verify(what, 0, &o, sum, err);
}

static int verify_again(const void *what, uint64_t *sum, struct pcr_error *err)
{
    const struct pcr_dataset_options o = { .size = sizeof(o), .fault_interval = 20 };
    return verify(what, 0, &o, sum, err);
}

static const struct scenario list[] = {
    { "verify", verify_shallow, datasets.made.path },
    { "verify --deep", verify_deep, datasets.made.path },
    { "verify --originals", verify_originals, datasets.made.path },
    { "verify one record", verify_shallow, datasets.record },
    { "verify damage", verify_shallow, datasets.damaged.path },
    { "verify --deep damage", verify_deep, datasets.damaged.path },
    { "verify what was cut off", verify_deep, datasets.cut.path },
    { "verify, cached in memory", verify_cached, datasets.damaged.path },
    { "verify, failing at times", verify_again, datasets.made.path },
};
const struct scenarios verify_scenarios = SCENARIOS(list);
