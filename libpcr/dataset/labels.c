/* SPDX-License-Identifier: BSD-2-Clause */
/* The labels of many samples at once. */
#include <math.h>

#include "dataset.h"

static void copy(const struct pcri_head *h, uint32_t from, uint32_t end, int64_t *ints,
                 double *floats)
{
    const uint32_t *first = floats ? h->float_label_first : h->label_first;
    for (uint32_t i = from; i < end; i++) {
        bool has = first && first[i] < first[i + 1];
        if (floats)
            *floats++ = has ? h->float_labels[first[i]] : NAN;
        else
            *ints++ = has ? h->labels[first[i]] : -1;
    }
}

static int check(const struct pcr_dataset *ds, uint64_t first, uint64_t count,
                 const int64_t *labels, const double *float_labels, struct pcr_error *err)
{
    uint64_t all = ds->first_samples[ds->record_count];
    uint32_t kind = ds->manifest.label_kind;
    if (first > all || count > all - first)
        return pcri_fail(err, PCR_ERR_INVAL, "labels of %llu samples from %llu on, of %llu",
                         (unsigned long long) count, (unsigned long long) first,
                         (unsigned long long) all);
    if (!labels == !float_labels)
        return pcri_fail(err, PCR_ERR_INVAL, "labels: one array is needed, of two kinds");
    if (kind != PCR_LABEL_NONE && (kind == PCR_LABEL_FLOATS) != !labels)
        return pcri_fail(err, PCR_ERR_INVAL, "the dataset's labels are %s",
                         labels ? "floats" : "integers");
    return 0;
}

int pcr_dataset_labels(struct pcr_dataset *ds, uint64_t first, uint64_t count,
                       int64_t *labels_out, double *float_labels_out, struct pcr_error *err)
{
    int rc = check(ds, first, count, labels_out, float_labels_out, err);
    uint64_t end = first + count, at = first;
    for (uint64_t r = !rc && count ? pcri_record_of(ds, first) : 0; !rc && at < end; r++) {
        uint64_t begin = ds->first_samples[r], stop = ds->first_samples[r + 1];
        struct pcri_held *held;
        stop = stop < end ? stop : end;
        rc = pcri_hold(ds, r, &held, err);
        if (rc)
            break;
        copy(held->record->head, (uint32_t) (at - begin), (uint32_t) (stop - begin),
             labels_out ? labels_out + (at - first) : NULL,
             float_labels_out ? float_labels_out + (at - first) : NULL);
        pcri_let_go(ds, held);
        at = stop;
    }
    return rc;
}
