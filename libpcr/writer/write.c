/* SPDX-License-Identifier: BSD-2-Clause */
/* pcr_dataset_write(): from a source of images to a dataset. */
#include <stdlib.h>

#include "../dataset/dataset.h"
#include "../image/profile.h"
#include "../jpeg/ladder.h"
#include "write.h"

/* --- options --- */

enum {
    DEFAULT_QUALITY = 90, /* of the JPEGs that are made */
};

static const uint64_t DEFAULT_MEMORY_NBYTES = UINT64_C(2) << 30;

static bool makes_jpegs(const struct pcr_write_options *o)
{
    return o->max_side || o->target_nbytes || o->pictures == PCR_PICTURES_JPEG;
}

static bool uses_quality(const struct pcr_write_options *o)
{
    return makes_jpegs(o) || o->pictures == PCR_PICTURES_PROGRESSIVE;
}

static int check_jpegs(const struct pcr_write_options *o, struct pcr_error *err)
{
    if (o->originals == PCR_ORIGINALS_ON && makes_jpegs(o))
        return pcri_fail(err, PCR_ERR_INVAL, "originals cannot be kept of images that %s",
                         o->max_side        ? "max_side reduces"
                         : o->target_nbytes ? "target_nbytes reduces"
                                            : "PCR_PICTURES_JPEG encodes");
    if (o->max_side > PCRI_JPEG_MOST_SIDE)
        return pcri_fail(err, PCR_ERR_INVAL, "max_side is %u, expected at most %u",
                         (unsigned) o->max_side, (unsigned) PCRI_JPEG_MOST_SIDE);
    if (o->quality > 100 || (o->quality && !uses_quality(o)))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "quality is %u, expected 1 to 100, and only with max_side, "
                         "target_nbytes, PCR_PICTURES_JPEG or PCR_PICTURES_PROGRESSIVE",
                         (unsigned) o->quality);
    return 0;
}

static int check_flags(const struct pcr_write_options *o, struct pcr_error *err)
{
    uint32_t known = PCR_WRITE_NO_SHUFFLE | PCR_WRITE_DRY_RUN | PCR_WRITE_NO_CLASSES |
                     PCR_WRITE_DEDUPE;
    int rc = pcri_flags_check("pcr_write_options", o->flags, known, err);
    if (rc)
        return rc;
    if (o->bad_policy > PCR_BAD_SALVAGE)
        return pcri_fail(err, PCR_ERR_INVAL, "bad_policy is %u, expected 0 to %u",
                         (unsigned) o->bad_policy, (unsigned) PCR_BAD_SALVAGE);
    if (o->opaque_policy > PCR_OPAQUE_REFUSE)
        return pcri_fail(err, PCR_ERR_INVAL, "opaque_policy is %u, expected 0 to %u",
                         (unsigned) o->opaque_policy, (unsigned) PCR_OPAQUE_REFUSE);
    if (o->originals > PCR_ORIGINALS_OFF)
        return pcri_fail(err, PCR_ERR_INVAL, "originals is %u, expected 0 to %u",
                         (unsigned) o->originals, (unsigned) PCR_ORIGINALS_OFF);
    if (o->pictures > PCR_PICTURES_PROGRESSIVE)
        return pcri_fail(err, PCR_ERR_INVAL, "pictures is %u, expected 0 to %u",
                         (unsigned) o->pictures, (unsigned) PCR_PICTURES_PROGRESSIVE);
    if (o->record_samples > o->limits->max_samples)
        return pcri_fail(err, PCR_ERR_LIMIT, "record_samples is %u, the limit is %u",
                         (unsigned) o->record_samples, (unsigned) o->limits->max_samples);
    return check_jpegs(o, err);
}

/* Packed, unless it cannot use the ladder. */
static uint32_t default_coding(const struct pcr_ladder *ladder)
{
    const struct pcri_coding *packed = pcri_coding_numbered(PCR_CODING_PACKED);
    return ladder && pcri_coding_check(packed, ladder, NULL) ? PCR_CODING_SCANS
                                                             : PCR_CODING_PACKED;
}

static int check_coding(const struct pcr_write_options *o, struct pcr_error *err)
{
    const struct pcri_coding *coding = pcri_coding_numbered(o->coding);
    if (!coding)
        return pcri_fail(err, PCR_ERR_INVAL, "coding is %u, which cannot be written",
                         (unsigned) o->coding);
    return o->ladder ? pcri_coding_check(coding, o->ladder, err) : 0;
}

int pcri_write_options_take(struct pcr_write_options *own, struct pcr_limits *limits,
                            const struct pcr_write_options *opts, struct pcr_error *err)
{
    enum { MAX_THREADS = 1024 };
    int rc = pcri_options_copy(own, sizeof(*own), opts, "pcr_write_options", err);
    if (rc || (rc = pcri_limits_take(own->limits, limits, err)))
        return rc;
    pcri_limits_fill(limits);
    own->limits = limits;
    if (!own->bad_policy)
        own->bad_policy = PCR_BAD_FAIL;
    if (!own->coding)
        own->coding = default_coding(own->ladder);
    if (!own->opaque_policy)
        own->opaque_policy = PCR_OPAQUE_KEEP;
    if (!own->pictures)
        own->pictures = PCR_PICTURES_OPAQUE;
    if (!own->thread_count)
        own->thread_count = pcri_cpu_count();
    if (own->thread_count > MAX_THREADS)
        own->thread_count = MAX_THREADS;
    if (!own->max_memory_nbytes)
        own->max_memory_nbytes = DEFAULT_MEMORY_NBYTES;
    rc = check_flags(own, err);
    if (!rc)
        rc = check_coding(own, err);
    if (!rc && uses_quality(own) && !own->quality)
        own->quality = DEFAULT_QUALITY;
    return rc;
}

/* --- manifest --- */

static int add_split(struct pcri_manifest *m, const struct pcri_write *w, uint32_t split,
                     uint64_t *record, struct pcr_error *err)
{
    char name[PCRI_RECORD_NAME_NBYTES];
    int rc = pcri_manifest_add_split(m, w->plan.split_names[split], err);
    for (; !rc && *record < w->plan.record_count; ++*record) {
        const struct pcri_outcome *o = &w->outcomes[*record];
        if (w->plan.records[*record].split != split)
            break;
        pcri_write_plan_name(&w->plan, *record, name);
        pcri_needs_add(&m->needs, &o->needs);
        if (o->header)
            pcri_needs_add_header(&m->needs, o->header);
        if (o->header)
            rc = pcri_manifest_add_record(m, name, o->header, err);
    }
    if (rc)
        return rc;
    m->splits[split].source_nbytes = w->totals[split].source_nbytes;
    for (uint32_t c = 0; c < w->plan.class_count; c++)
        m->splits[split].class_counts[c] = w->totals[split].class_counts[c];
    m->source_nbytes += w->totals[split].source_nbytes;
    return 0;
}

static int fill_schema(struct pcri_manifest *m, const struct pcri_write *w,
                       struct pcr_error *err)
{
    const struct pcri_schema *s = &w->plan.schema;
    const bool salvaged = !w->plan.may_be_salvaged || w->progress.samples_salvaged;
    bool added;
    int rc = 0;
    for (uint32_t i = 0; i < s->count && !rc; i++)
        if (salvaged || strcmp(s->columns[i].name, PCRI_SALVAGED) != 0)
            rc = pcri_schema_add(&m->schema, s->columns[i].name, &s->columns[i].type, &added,
                                 err);
    return rc;
}

static int fill_manifest(struct pcri_manifest *m, const struct pcri_write *w,
                         struct pcr_error *err)
{
    const struct pcri_manifest *from = w->recode ? &w->recode->dataset->manifest : NULL;
    uint64_t record = 0;
    int rc = 0;
    for (uint32_t i = 0; i < w->plan.class_count && !rc; i++)
        rc = pcri_manifest_add_class(m, w->plan.class_names[i], err);
    for (uint32_t i = 0; i < w->plan.split_count && !rc; i++)
        rc = add_split(m, w, i, &record, err);
    if (!rc)
        rc = fill_schema(m, w, err);
    if (!rc)
        rc = pcri_schema_copy(&m->blobs, &w->plan.blobs, err);
    m->label_kind = w->plan.label_kind;
    m->max_side = from ? from->max_side : w->opts.max_side;
    m->target_nbytes = from ? from->target_nbytes : w->opts.target_nbytes;
    m->quality = from ? from->quality : w->opts.quality;
    m->pictures = from ? from->pictures : w->opts.pictures;
    m->originals = w->originals;
    m->coding = w->opts.coding;
    m->codings = w->codings;
    pcri_needs_settle(&m->needs);
    m->skipped_count = from ? from->skipped_count : w->progress.samples_bad;
    m->notes = (struct pcri_note_counts) {
        .undecodable = w->progress.samples_undecodable,
        .salvaged = w->progress.samples_salvaged,
        .unrestorable = w->progress.samples_unrestorable,
        .encoded = w->progress.samples_encoded,
        .dropped = w->progress.samples_dropped,
        .dropped_nbytes = w->progress.dropped_nbytes,
    };
    return rc;
}

/* Nothing can tell a reader in advance that the manifest itself is larger than it allows. */
static int check_manifest(const struct pcr_buffer *text, struct pcr_error *err)
{
    struct pcr_limits readers = { 0 };
    pcri_limits_fill(&readers);
    if (text->nbytes <= readers.max_manifest_nbytes)
        return 0;
    return pcri_fail(err, PCR_ERR_LIMIT,
                     "a manifest of %zu bytes, above readers' limit of %llu: "
                     "make larger records",
                     text->nbytes, (unsigned long long) readers.max_manifest_nbytes);
}

/* In a dry run the text is made all the same: it may fail. */
static int publish_manifest(const struct pcri_write *w, struct pcr_error *err)
{
    struct pcri_manifest m;
    struct pcr_buffer text = { 0 };
    int rc = pcri_manifest_init(&m, w->group_count, pcr_ladder_text(w->ladder), err);
    if (!rc)
        rc = fill_manifest(&m, w, err);
    if (!rc)
        rc = pcri_manifest_render(&m, &text, err);
    if (!rc)
        rc = check_manifest(&text, err);
    if (!rc && w->dir)
        rc = pcri_storage_put(w->storage, w->dir, PCRI_MANIFEST_NAME, text.data, text.nbytes,
                              err);
    if (!rc && !w->dir && w->opts.manifest_out)
        rc = pcri_buffer_append(w->opts.manifest_out, text.data, text.nbytes, err);
    pcri_manifest_free(&m);
    pcr_buffer_free(&text);
    return rc;
}

/* --- the run --- */

static int make_plan(struct pcri_write *w, struct pcr_error *err)
{
    if (w->recode)
        return pcri_write_plan_copy(&w->plan, w->recode->dataset, &w->opts, w->ladder, err);
    int rc = pcri_write_plan_check(&w->source, err);
    if (!rc && (w->opts.flags & PCR_WRITE_DEDUPE))
        rc = pcri_duplicates_leave_out(w, err);
    if (!rc)
        rc = pcri_write_plan_make(&w->plan, &w->source, &w->opts, w->ladder, &w->ticker, err);
    if (!rc)
        rc = pcri_twins_begin(w, err);
    return rc;
}

static int prepare(struct pcri_write *w, struct pcr_error *err)
{
    w->group_count = pcr_ladder_group_count(w->ladder);
    pcri_ladder_piece_counts(w->ladder, w->piece_counts);
    for (uint32_t g = 0; g < w->group_count; g++)
        w->piece_count += w->piece_counts[g];
    w->progress.sample_count = w->source.sample_count;
    int rc = make_plan(w, err);
    if (rc)
        return rc;
    w->progress.sample_count = w->plan.sample_count;
    w->progress.record_count = w->plan.record_count;
    w->outcomes = pcri_calloc(w->plan.record_count, sizeof(*w->outcomes), err);
    w->totals = pcri_calloc(w->plan.split_count, sizeof(*w->totals), err);
    if (!w->outcomes || !w->totals)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < w->plan.split_count; i++) {
        uint64_t **counts = &w->totals[i].class_counts;
        *counts = pcri_calloc(w->plan.class_count, sizeof(**counts), err);
        if (!*counts)
            return PCR_ERR_NOMEM;
    }
    return 0;
}

static void clean_up(struct pcri_write *w)
{
    for (uint32_t i = 0; w->totals && i < w->plan.split_count; i++)
        free(w->totals[i].class_counts);
    free(w->totals);
    for (uint64_t r = 0; w->outcomes && r < w->plan.record_count; r++) {
        struct pcri_outcome *o = &w->outcomes[r];
        for (uint32_t i = 0; i < o->skip_count; i++)
            free(o->skips[i]);
        free(o->skips);
        free(o->header);
    }
    free(w->outcomes);
    free(w->stats);
    free(w->lost);
    pcri_originals_free(w);
    free(w->identities);
    pcri_duplicates_free(w);
    pcri_coder_tables_destroy(&w->tables);
    pcri_write_plan_free(&w->plan);
    pcri_write_state_close(&w->state);
    pcri_layers_destroy(&w->layers);
    pcri_storage_destroy(&w->storage);
    pcri_write_threads_free(w);
}

/* The last call of progress; the manifest, which is all that is left, can still be stopped. */
static int report_end(const struct pcri_write *w, struct pcr_error *err)
{
    if (w->opts.progress && w->opts.progress(w->opts.context, &w->progress))
        return pcri_fail(err, PCR_ERR_CANCELLED, "the conversion was cancelled");
    return 0;
}

static int convert(struct pcri_write *w, struct pcr_error *err)
{
    const struct pcr_write_progress *p = &w->progress;
    int rc = 0;
    pcri_originals_settle(w);
    if (p->records_done < p->record_count) {
        rc = pcri_write_survey(w, err);
        if (!rc)
            rc = pcri_write_records(w, err);
    }
    if (!rc)
        rc = pcri_twins_tell(w, err);
    if (!rc && w->dir)
        rc = pcri_errors_publish(w, err);
    if (!rc && !p->samples_done)
        rc = pcri_fail(err, PCR_ERR_CORRUPT,
                       "no sample is left: none of the %llu inputs is an intact image",
                       (unsigned long long) p->sample_count);
    if (!rc)
        rc = report_end(w, err);
    return rc ? rc : publish_manifest(w, err);
}

/* Everything exists already: reports it. */
static int report_finished(struct pcri_write *w, struct pcr_error *err)
{
    struct pcr_write_progress *p = &w->progress;
    int rc = pcri_write_resume(w, err);
    p->samples_bad = p->sample_count - p->samples_done;
    p->records_kept = p->records_done = p->record_count;
    return rc ? rc : report_end(w, err);
}

static int convert_into_folder(struct pcri_write *w, struct pcr_error *err)
{
    bool finished = false, unfinished = false;
    int rc = pcri_write_state_find(w->storage, w->dir, &unfinished, err);
    if (!rc && !unfinished)
        rc = pcri_write_find_finished(w, &finished, err);
    if (!rc && finished)
        return report_finished(w, err);
    if (!rc)
        rc = pcri_write_state_open(&w->state, w->storage, w->dir, w->plan.fingerprint,
                                   w->opts.bad_policy, err);
    if (rc == PCR_ERR_INVAL && w->dir) { /* another may just have finished it for us */
        struct pcr_error why;
        int found = pcri_write_find_finished(w, &finished, &why);
        if (!found && finished)
            return report_finished(w, err);
    }
    if (!rc)
        rc = pcri_write_resume(w, err);
    if (!rc)
        rc = convert(w, err);
    return rc ? rc : pcri_write_state_finish(&w->state, err);
}

int pcri_write_storage(const struct pcr_write_options *opts, const struct pcri_storage **out,
                       struct pcr_error *err)
{
    *out = &pcri_files;
    if (!opts->storage)
        return 0;
    int rc = pcri_storage_custom(opts->storage, out, err);
    if (!rc && !(*out)->may_write)
        rc = pcri_fail(err, PCR_ERR_INVAL,
                       "this storage cannot be written to: it has no put_begin");
    return rc;
}

static int write_phases(struct pcri_write *w, struct pcr_error *err)
{
    const struct pcri_layer_options layers = { .retry_count = PCRI_TRIES_AGAIN };
    pcri_write_threads_init(w);
    int rc = pcri_write_storage(&w->opts, &w->storage, err);
    if (!rc)
        rc = pcri_layers_create(w->storage->backend, &layers, &w->layers, err);
    if (!rc)
        rc = prepare(w, err);
    return rc ? rc : w->dir ? convert_into_folder(w, err) : convert(w, err);
}

int pcri_write_begin(struct pcri_write *w, const char *path, struct pcr_write_progress *report,
                     struct pcr_error *err)
{
    w->progress.size = sizeof(w->progress);
    int rc = pcri_info_check(report, "pcr_write_progress", err);
    if (rc)
        return rc;
    pcri_info_fill(report, &w->progress, sizeof(w->progress));
    return path && *path ? 0 : pcri_fail(err, PCR_ERR_INVAL, "no path to write a dataset to");
}

int pcri_write_run(struct pcri_write *w, const char *path, struct pcr_write_progress *report,
                   struct pcr_error *err)
{
    struct pcr_ladder *builtin = NULL, *extended = NULL;
    const uint32_t pictures = w->recode ? w->recode->dataset->manifest.pictures
                                        : w->opts.pictures;
    int rc = 0;
    w->dir = w->opts.flags & PCR_WRITE_DRY_RUN ? NULL : path;
    w->coding = pcri_coding_numbered(w->opts.coding);
    w->ladder = w->opts.ladder;
    if (!w->ladder) {
        rc = pcr_ladder_create(w->coding->ladder, &builtin, err);
        w->ladder = builtin;
    }
    if (!rc && pictures == PCR_PICTURES_PROGRESSIVE) {
        rc = pcri_ladder_extend(w->ladder, &extended, err);
        w->ladder = extended;
    }
    if (!rc)
        rc = write_phases(w, err);
    pcri_info_fill(report, &w->progress, sizeof(w->progress));
    clean_up(w);
    pcr_ladder_destroy(&builtin);
    pcr_ladder_destroy(&extended);
    return rc;
}

int pcr_dataset_write(const char *path, const struct pcr_source *source,
                      const struct pcr_write_options *opts, struct pcr_write_progress *report,
                      struct pcr_error *err)
{
    struct pcri_write w = { 0 };
    int rc = pcri_write_begin(&w, path, report, err);
    if (!rc)
        rc = pcri_write_options_take(&w.opts, &w.limits, opts, err);
    if (!rc)
        rc = pcri_options_copy(&w.source, sizeof(w.source), source, "pcr_source", err);
    return rc ? rc : pcri_write_run(&w, path, report, err);
}
