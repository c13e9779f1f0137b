/* SPDX-License-Identifier: BSD-2-Clause */
/* One sample's way from its bytes to its pixels in a batch. */
#include <math.h>
#include <stdlib.h>

#include "sample.h"
#include "crop.h"

int pcri_maker_init(struct pcri_maker *m, struct pcr_error *err)
{
    *m = (struct pcri_maker) { 0 };
    pcri_augmenter_init(&m->augmenter);
    return pcr_decoder_create(&m->decoder, err);
}

void pcri_maker_free(struct pcri_maker *m)
{
    pcr_decoder_destroy(&m->decoder);
    pcr_spans_free(&m->spans);
    pcr_buffer_free(&m->written);
    pcri_augmenter_free(&m->augmenter);
    free(m->pictures);
    free(m->decoded);
    pcr_buffer_free(&m->bytes);
    pcr_buffer_free(&m->planes);
}

/* Says what there is to do about a file that was kept whole, and does not decode. */
static void advise(struct pcr_error *err)
{
    static const char advice[] = " (it was kept whole: bad_sample \"skip\" skips such "
                                 "samples, and converting with --on-bad skip leaves them out)";
    size_t n = err ? strlen(err->message) : 0;
    if (err && n + sizeof(advice) <= sizeof(err->message))
        memcpy(err->message + n, advice, sizeof(advice));
}

static int keep_labels(const struct pcr_sample_info *sample, struct pcri_made *out,
                       struct pcr_error *err)
{
    const void *labels = sample->float_labels ? (const void *) sample->float_labels
                                              : sample->labels;
    out->label_count = sample->label_count;
    if (sample->label_count < 2)
        return 0;
    out->labels = pcri_malloc(sample->label_count, sizeof(int64_t), err);
    if (!out->labels)
        return PCR_ERR_NOMEM;
    memcpy(out->labels, labels, sample->label_count * sizeof(int64_t));
    return 0;
}

/* Writes what m->spans are of a coded sample as a baseline JPEG, which they become. */
static int make_baseline(struct pcri_maker *m, const struct pcri_request *q,
                         const struct pcr_sample_info *sample, struct pcr_error *err)
{
    const struct pcr_baseline_options o = {
        .size = sizeof(o),
        .limits = &q->dataset->limits,
        .ladder = sample->coding == PCR_CODING_SCANS ? q->dataset->ladder : NULL,
    };
    int rc = pcr_decoder_baseline(m->decoder, &m->spans, &o, &m->written, err);
    m->spans.count = 0;
    return rc ? rc : pcri_spans_add(&m->spans, m->written.data, m->written.nbytes, err);
}

static bool wants_file(const struct pcri_request *q)
{
    return q->options->flags & PCR_LOADER_RAW;
}

/* Whether to write the sample's file as baseline JPEG. */
static bool wants_baseline(const struct pcri_request *q, const struct pcr_sample_info *sample,
                           uint32_t fidelity)
{
    const bool exact = sample->exact && fidelity == q->dataset->info.group_count;
    return wants_file(q) && q->options->flags & PCR_LOADER_BASELINE &&
           sample->coding != PCR_CODING_OPAQUE && !exact;
}

/* After the bytes were read: pixels, label, and the sample's name before an error. */
static int finish(struct pcri_maker *m, const struct pcri_request *q,
                  const struct pcr_sample_info *sample, uint32_t fidelity, int rc,
                  struct pcri_made *out, struct pcr_error *err)
{
    uint64_t start = pcri_clock_ns();
    if (!rc && wants_baseline(q, sample, fidelity))
        rc = make_baseline(m, q, sample, err);
    if (!rc && wants_file(q))
        rc = pcri_batch_append(q->batch, &m->spans, err);
    else if (!rc && (rc = pcri_make_pictures(m, q, sample, err)) &&
             sample->coding == PCR_CODING_OPAQUE && pcri_is_of_data(rc, err))
        advise(err);
    out->profile_use = wants_file(q) ? PCR_PROFILE_NONE : pcr_decoder_profile(m->decoder);
    out->decode_ns += pcri_clock_ns() - start;
    if (rc) {
        struct pcr_record_info record = { .size = sizeof(record) };
        if (pcr_dataset_record(q->dataset->ds, sample->record, &record, NULL))
            record.path = "record";
        return pcri_prefix(err, rc, "%s: sample %u (%.200s), fidelity %u", record.path,
                           (unsigned) sample->record_index, sample->key, (unsigned) fidelity);
    }
    if ((rc = keep_labels(sample, out, err)))
        return rc;
    out->filled = true;
    out->plain = q->plain;
    out->dataset = q->dataset;
    out->index = q->index;
    out->fidelity = fidelity;
    out->label = sample->label_count && sample->labels ? sample->labels[0] : -1;
    out->float_label = sample->float_labels ? sample->float_labels[0] : NAN;
    return 0;
}

/* How large the sample's window is, where qualities ask for it. */
static double scale_of(const struct pcri_request *q, const struct pcr_sample_info *info)
{
    return info->quality
               ? pcri_scale_of(q->views, q->view_count, q->plain, q->epoch, q->identity, info)
               : 1;
}

/* The fidelity to make a sample at; 0: what its request wishes for. */
static uint32_t choose_fidelity(const struct pcri_request *q,
                                const struct pcr_sample_info *info, double scale,
                                uint32_t fidelity, struct pcri_made *out)
{
    if (fidelity)
        return fidelity;
    out->wanted = pcri_fidelity_for(q->options, info, scale, q->wish,
                                    q->dataset->info.group_count);
    return out->wanted;
}

static int from_slice(struct pcri_maker *m, const struct pcri_request *q,
                      const struct pcr_slice *slice, uint32_t place, uint32_t fidelity,
                      struct pcri_made *out, struct pcr_error *err)
{
    struct pcr_sample_info info = { .size = sizeof(info) };
    int rc = pcr_slice_describe(slice, place, &info, err);
    if (rc)
        return rc;
    const double scale = scale_of(q, &info);
    fidelity = choose_fidelity(q, &info, scale, fidelity, out);
    out->nbytes = pcr_slice_sample_nbytes(slice, place, fidelity);
    out->full_nbytes = pcr_slice_sample_nbytes(slice, place, 0);
    out->quality = info.quality ? pcr_sample_quality(&info, fidelity, scale) : -1;
    rc = pcri_sample_columns(q->options, slice, place, &out->columns, err);
    if (!rc)
        rc = wants_file(q) && !wants_baseline(q, &info, fidelity)
                 ? pcr_slice_file(slice, place, fidelity, &m->spans, &m->written, err)
                 : pcr_slice_spans(slice, place, 0, fidelity, &m->spans, err);
    rc = finish(m, q, &info, fidelity, rc, out, err);
    if (rc)
        pcri_sample_columns_free(&out->columns, q->options->output.column_count);
    return rc;
}

/* The sample by itself: a slice of one. */
static int from_dataset(struct pcri_maker *m, const struct pcri_request *q, uint32_t fidelity,
                        struct pcri_made *out, struct pcr_error *err)
{
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_sample *sample = NULL;
    struct pcr_slice *slice = NULL;
    uint64_t start = pcri_clock_ns();
    int rc = pcr_sample_acquire(q->dataset->ds, q->index, &sample, err);
    if (!rc)
        rc = pcr_sample_describe(sample, &info, err);
    bool known = !rc;
    if (!rc)
        fidelity = choose_fidelity(q, &info, scale_of(q, &info), fidelity, out);
    if (!rc)
        rc = pcr_slice_read(q->dataset->ds, info.record, info.record_index, 1, fidelity,
                            &slice, err);
    out->read_ns += pcri_clock_ns() - start;
    out->read_count++;
    if (!rc) {
        out->read_nbytes += pcr_slice_nbytes(slice);
        rc = from_slice(m, q, slice, 0, fidelity, out, err);
    } else if (known) {
        rc = finish(m, q, &info, fidelity, rc, out, err);
    }
    pcr_slice_release(&slice);
    pcr_sample_release(&sample);
    return rc;
}

int pcri_make_sample(struct pcri_maker *m, const struct pcri_request *q, struct pcri_made *out,
                     struct pcr_error *err)
{
    uint32_t policy = q->options->bad_sample;
    memset(out, 0, offsetof(struct pcri_made, error));
    int rc = q->slice ? from_slice(m, q, q->slice, q->place, 0, out, err)
                      : from_dataset(m, q, 0, out, err);
    if (!rc || !pcri_is_of_data(rc, err) || policy == PCR_SAMPLE_ERROR)
        return rc;
    out->error = *err;
    if (policy == PCR_SAMPLE_DEGRADE)
        for (uint32_t g = out->wanted ? out->wanted - 1 : 0; g >= 1; g--) {
            rc = from_dataset(m, q, g, out, err);
            if (!rc || !pcri_is_of_data(rc, err)) {
                out->degraded = !rc;
                return rc;
            }
        }
    return 0;
}
