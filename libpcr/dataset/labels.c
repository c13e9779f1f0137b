/* SPDX-License-Identifier: BSD-2-Clause */
/* The labels of many samples at once. */
#include <math.h>

#include "dataset.h"

/* Where a call's results go. */
struct wanted {
    int64_t *ints; /* the first label of each, or */
    double *floats;
    uint64_t *offsets; /* all labels of each: where they begin in `all`, and where the last
                        * ones end */
    struct pcr_buffer *all;
    uint64_t done; /* samples */
};

static void copy_first(const struct pcri_head *h, uint32_t from, uint32_t end,
                       struct wanted *w)
{
    const uint32_t *first = w->floats ? h->float_label_first : h->label_first;
    for (uint32_t i = from; i < end; i++, w->done++) {
        bool has = first && first[i] < first[i + 1];
        if (w->floats)
            w->floats[w->done] = has ? h->float_labels[first[i]] : NAN;
        else
            w->ints[w->done] = has ? h->labels[first[i]] : -1;
    }
}

static int copy_all(const struct pcri_head *h, uint32_t from, uint32_t end, bool floats,
                    struct wanted *w, struct pcr_error *err)
{
    const uint32_t *first = floats ? h->float_label_first : h->label_first;
    const size_t each = sizeof(int64_t);
    uint64_t at = w->all->nbytes / each;
    for (uint32_t i = from; i < end; i++) {
        at += first ? first[i + 1] - first[i] : 0;
        w->offsets[++w->done] = at;
    }
    if (!first || first[end] == first[from])
        return 0;
    const void *labels = floats ? (const void *) (h->float_labels + first[from])
                                : h->labels + first[from];
    return pcri_buffer_append(w->all, labels, (size_t) (first[end] - first[from]) * each, err);
}

static int check_range(const struct pcr_dataset *ds, uint64_t first, uint64_t count,
                       struct pcr_error *err)
{
    uint64_t all = ds->first_samples[ds->record_count];
    if (first > all || count > all - first)
        return pcri_fail(err, PCR_ERR_INVAL, "labels of %llu samples from %llu, of %llu",
                         (unsigned long long) count, (unsigned long long) first,
                         (unsigned long long) all);
    return 0;
}

/* Goes through the heads of the records that have the samples. */
static int read_labels(struct pcr_dataset *ds, uint64_t first, uint64_t count,
                       struct wanted *w, struct pcr_error *err)
{
    bool floats = ds->manifest.label_kind == PCR_LABEL_FLOATS;
    int rc = 0;
    uint64_t end = first + count, at = first;
    for (uint64_t r = count ? pcri_record_of(ds, first) : 0; !rc && at < end; r++) {
        uint64_t begin = ds->first_samples[r], stop = ds->first_samples[r + 1];
        struct pcri_held *held;
        stop = stop < end ? stop : end;
        rc = pcri_hold(ds, r, &held, err);
        if (rc)
            break;
        const struct pcri_head *head = held->record->head;
        if (w->offsets)
            rc = copy_all(head, (uint32_t) (at - begin), (uint32_t) (stop - begin), floats, w,
                          err);
        else
            copy_first(head, (uint32_t) (at - begin), (uint32_t) (stop - begin), w);
        pcri_let_go(ds, held);
        at = stop;
    }
    return rc;
}

int pcr_dataset_labels(struct pcr_dataset *ds, uint64_t first, uint64_t count,
                       int64_t *labels_out, double *float_labels_out, struct pcr_error *err)
{
    struct wanted w = { .ints = labels_out, .floats = float_labels_out };
    uint32_t kind = ds->manifest.label_kind;
    int rc = check_range(ds, first, count, err);
    if (rc)
        return rc;
    if (!labels_out == !float_labels_out)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "labels: exactly one of the two arrays must be given");
    if (kind != PCR_LABEL_NONE && (kind == PCR_LABEL_FLOATS) != !labels_out)
        return pcri_fail(err, PCR_ERR_INVAL, "the dataset's labels are %s",
                         labels_out ? "floats" : "integers");
    return read_labels(ds, first, count, &w, err);
}

int pcr_dataset_all_labels(struct pcr_dataset *ds, uint64_t first, uint64_t count,
                           uint64_t *offsets_out, struct pcr_buffer *labels_out,
                           struct pcr_error *err)
{
    struct wanted w = { .offsets = offsets_out, .all = labels_out };
    if (!offsets_out || !labels_out)
        return pcri_fail(err, PCR_ERR_INVAL, "labels_out or offsets_out is NULL");
    int rc = check_range(ds, first, count, err);
    if (rc)
        return rc;
    labels_out->nbytes = 0;
    offsets_out[0] = 0;
    return read_labels(ds, first, count, &w, err);
}
