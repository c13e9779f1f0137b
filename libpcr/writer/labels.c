/* SPDX-License-Identifier: BSD-2-Clause */
/* The labels of a conversion: each is checked, and the schema follows from all. If one sample
 * has floats, all labels are floats. Single integers that together are 0 to n - 1 are classes,
 * as nearly everybody who writes such labels intends; n small compared to the number of
 * samples tells them from running numbers. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "write.h"

enum {
    /* So many integers are classes however few samples each has; more need two on average. */
    FEW_CLASSES = 1000,
    MOST_CLASSES = 1 << 20,
    NUMBER_NBYTES = 16,
};

int pcri_label_survey_create(struct pcri_label_survey *v, uint64_t sample_count,
                             struct pcr_error *err)
{
    uint64_t most = sample_count < MOST_CLASSES ? sample_count : MOST_CLASSES;
    *v = (struct pcri_label_survey) { .singles = true, .most = most };
    v->seen = pcri_calloc(most, 1, err);
    return v->seen ? 0 : PCR_ERR_NOMEM;
}

void pcri_label_survey_free(struct pcri_label_survey *v)
{
    free(v->seen);
    free(v->inexact_key);
    *v = (struct pcri_label_survey) { 0 };
}

static int bad(struct pcr_error *err, uint64_t index, const char *key, const char *what)
{
    if (index == UINT64_MAX)
        return pcri_fail(err, PCR_ERR_INVAL, "sample '%.200s': %s", key, what);
    return pcri_fail(err, PCR_ERR_INVAL, "sample %" PRIu64 " of the source ('%.200s'): %s",
                     index, key, what);
}

static bool is_exact(int64_t v)
{
    const int64_t most = INT64_C(1) << 53;
    if (v >= -most && v <= most)
        return true;
    double d = (double) v;
    return d < 0x1p63 && (int64_t) d == v;
}

static int check_floats(const struct pcr_source *source, uint64_t index,
                        const struct pcr_source_sample *s, struct pcr_error *err)
{
    if (s->labels)
        return bad(err, index, s->key, "both labels and float_labels");
    if (source->class_count && s->label_count)
        return bad(err, index, s->key, "a float label, but the source has classes");
    for (uint32_t k = 0; k < s->label_count; k++)
        if (!isfinite(s->float_labels[k]))
            return bad(err, index, s->key, "a label that is a NaN or infinite");
    return 0;
}

static int check_integers(const struct pcr_source *source, uint64_t index,
                          const struct pcr_source_sample *s, struct pcr_error *err)
{
    if (s->label_count && !s->labels)
        return bad(err, index, s->key, "labels is NULL");
    if (source->class_count && s->label_count &&
        (s->labels[0] < 0 || s->labels[0] >= source->class_count)) {
        char what[80];
        snprintf(what, sizeof(what), "class %" PRId64 ", but there are %" PRIu32 " classes",
                 s->labels[0], source->class_count);
        return bad(err, index, s->key, what);
    }
    return 0;
}

static int check_blobs(const struct pcr_source *source, uint64_t index,
                       const struct pcr_source_sample *s, struct pcr_error *err)
{
    if (s->blob_count && !s->blobs)
        return bad(err, index, s->key, "blobs is NULL");
    for (uint32_t i = 0; i < s->blob_count; i++) {
        const struct pcr_source_blob *b = &s->blobs[i];
        if (!pcri_blob_name_ok(b->name))
            return bad(err, index, s->key, "a blob's name is empty or not UTF-8");
        if (!b->data && b->nbytes && !source->load_blob)
            return bad(err, index, s->key, "a blob has no data, and the source no load_blob");
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(s->blobs[k].name, b->name))
                return bad(err, index, s->key, "two blobs of the same name");
    }
    return 0;
}

int pcri_source_check(const struct pcr_source *source, uint64_t index,
                      const struct pcr_source_sample *s, struct pcr_error *err)
{
    uint32_t split_count = source->split_names ? source->split_count : 1;
    char what[80];
    if (!s->key || !*s->key)
        return index == UINT64_MAX
                   ? pcri_fail(err, PCR_ERR_INVAL, "a sample without a key")
                   : pcri_fail(err, PCR_ERR_INVAL,
                               "sample %" PRIu64 " of the source has no key", index);
    if (s->split >= split_count) {
        snprintf(what, sizeof(what), "split %" PRIu32 ", but there are %" PRIu32, s->split,
                 split_count);
        return bad(err, index, s->key, what);
    }
    if (s->file.known & ~(uint32_t) (PCR_FILE_MODE | PCR_FILE_TIME) || s->file.mode > 0777 ||
        s->file.mtime_ns < PCRI_FILE_TIME_LEAST)
        return bad(err, index, s->key, "a mode or a time of its file that is none");
    int rc = check_blobs(source, index, s, err);
    if (rc)
        return rc;
    return s->float_labels ? check_floats(source, index, s, err)
                           : check_integers(source, index, s, err);
}

static int note_inexact(struct pcri_label_survey *v, uint64_t index,
                        const struct pcr_source_sample *s, int64_t label,
                        struct pcr_error *err)
{
    if (v->inexact_key)
        return 0;
    v->inexact_index = index;
    v->inexact_label = label;
    v->inexact_key = pcri_strndup(s->key, strlen(s->key), err);
    return v->inexact_key ? 0 : PCR_ERR_NOMEM;
}

int pcri_label_survey_add(struct pcri_label_survey *v, uint64_t index,
                          const struct pcr_source_sample *s, struct pcr_error *err)
{
    int rc = 0;
    if (s->float_labels) {
        v->floats |= s->label_count != 0;
        return 0;
    }
    for (uint32_t k = 0; k < s->label_count && !rc; k++)
        if (!is_exact(s->labels[k]))
            rc = note_inexact(v, index, s, s->labels[k], err);
    v->integers |= s->label_count != 0;
    if (s->label_count == 1 && s->labels[0] >= 0 && (uint64_t) s->labels[0] < v->most) {
        v->distinct += !v->seen[s->labels[0]];
        v->seen[s->labels[0]] = 1;
        if ((uint64_t) s->labels[0] >= v->end)
            v->end = (uint64_t) s->labels[0] + 1;
        v->labelled++;
    } else if (s->label_count) {
        v->singles = false;
    }
    return rc;
}

/* The classes "0", "1" and so on. */
static int make_classes(struct pcri_write_plan *p, uint32_t count, struct pcr_error *err)
{
    p->numbers = pcri_calloc(count, NUMBER_NBYTES, err);
    p->number_names = pcri_calloc(count, sizeof(*p->number_names), err);
    if (!p->numbers || !p->number_names)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        char *name = p->numbers + (size_t) i * NUMBER_NBYTES;
        snprintf(name, NUMBER_NBYTES, "%" PRIu32, i);
        p->number_names[i] = name;
    }
    p->class_names = p->number_names;
    p->class_count = count;
    return 0;
}

int pcri_label_survey_finish(const struct pcri_label_survey *v,
                             const struct pcr_source *source, bool classes,
                             struct pcri_write_plan *p, struct pcr_error *err)
{
    p->class_names = source->class_names;
    p->class_count = source->class_count;
    if (v->floats && v->inexact_key) {
        char what[120];
        snprintf(what, sizeof(what),
                 "label %" PRId64 " is not exact as a float, but other labels are floats",
                 v->inexact_label);
        return bad(err, v->inexact_index, v->inexact_key, what);
    }
    bool numbered = classes && !v->floats && v->integers && v->singles &&
                    v->distinct == v->end &&
                    (v->end <= FEW_CLASSES || v->end <= v->labelled / 2);
    int rc = !p->class_count && numbered ? make_classes(p, (uint32_t) v->end, err) : 0;
    p->label_kind = p->class_count ? PCR_LABEL_CLASS
                    : v->floats    ? PCR_LABEL_FLOATS
                    : v->integers  ? PCR_LABEL_INTS
                                   : PCR_LABEL_NONE;
    return rc;
}

int pcri_label_check(const struct pcri_write_plan *p, const struct pcr_source_sample *s,
                     struct pcr_error *err)
{
    bool fits = !s->label_count || p->label_kind == PCR_LABEL_FLOATS
                    ? !s->label_count || !s->labels != !s->float_labels
                    : s->labels && !s->float_labels;
    if (fits && s->label_count && p->class_count)
        fits = s->labels[0] >= 0 && s->labels[0] < p->class_count;
    return fits ? 0
                : pcri_fail(err, PCR_ERR_INVAL,
                            "'%.200s': other labels than when the source was planned", s->key);
}

double pcri_label_as_float(const struct pcr_source_sample *s, uint32_t k)
{
    return s->float_labels ? s->float_labels[k] : (double) s->labels[k];
}
