/* SPDX-License-Identifier: BSD-2-Clause */
/* Training of the tables that all samples of a dataset may share. The choice of samples
 * depends only on the plan, so that a resumed run gets the same tables. */
#include <stdlib.h>

#include "write.h"

enum { SURVEY_SAMPLES = 256 };

/* Claims the next sample to look at; false if there is none. */
static bool claim(struct pcri_write *w, uint64_t *i, uint64_t *index)
{
    pthread_mutex_lock(&w->lock);
    bool more = !w->stop && w->survey_next < w->survey_count;
    if (more) {
        *i = w->survey_next++;
        *index = pcri_survey_index(w, *i);
    }
    pthread_mutex_unlock(&w->lock);
    return more;
}

int pcri_sample_name(struct pcri_write *w, uint64_t index, int code, struct pcr_error *err)
{
    struct pcr_source_sample s;
    pthread_mutex_lock(&w->lock); /* sources describe for one at a time */
    if (!pcri_source_describe(&w->source, index, &s, NULL))
        code = pcri_sample_prefix(&s, code, err);
    pthread_mutex_unlock(&w->lock);
    return code;
}

/* A bad sample has no statistics: it is judged when its turn comes to be coded. */
static int survey_one(struct pcri_worker *t, uint64_t i, uint64_t index, struct pcr_error *err)
{
    struct pcri_write *w = t->write;
    struct pcri_coder_stats **out = &w->stats[i];
    struct pcr_error why;
    struct pcri_reduction reduction;
    bool lost;
    int rc = pcri_sample_load(t, index, &lost, &why);
    /* The tables shall not depend on what passes, nor records be made with tables that the next
     * run would not make. */
    if (rc && (!lost || w->opts.bad_policy == PCR_BAD_FAIL))
        return pcri_sample_name(w, index, pcri_hand_on(err, rc, &why), err);
    if (lost)
        pcri_lost_add(w, index, &why);
    if (!rc)
        rc = pcri_sample_reduce(t, &reduction, err);
    if (!rc && !reduction.made)
        rc = pcri_exact_to_jpeg(t, err);
    if (!rc)
        rc = pcri_coder_survey(t->coder, t->file.data, t->file.nbytes, out, err);
    if (!rc)
        rc = pcri_originals_look(t, i, err);
    bool fails = pcri_is_ours(rc);
    int given = pcri_worker_rest(t, fails ? NULL : err);
    return fails ? pcri_sample_name(w, index, rc, err) : given;
}

static int survey_worker(struct pcri_worker *t, struct pcr_error *err)
{
    uint64_t i, index;
    while (claim(t->write, &i, &index))
        if (survey_one(t, i, index, err)) {
            pcri_write_fail(t->write, i, err);
            break;
        }
    return 0;
}

int pcri_write_survey(struct pcri_write *w, struct pcr_error *err)
{
    uint64_t n = w->plan.sample_count, found = 0;
    if (!w->coding->encoder->survey)
        return 0;
    w->survey_count = n < SURVEY_SAMPLES ? n : SURVEY_SAMPLES;
    w->stats = pcri_calloc(w->survey_count, sizeof(*w->stats), err);
    w->lost = pcri_calloc(w->survey_count, sizeof(*w->lost), err);
    if (!w->stats || !w->lost)
        return PCR_ERR_NOMEM;
    int rc = pcri_originals_begin(w, err);
    if (!rc)
        rc = pcri_write_parallel(w, survey_worker, err);
    if (!rc)
        rc = pcri_originals_decide(w, err);
    for (uint64_t i = 0; i < w->survey_count; i++)
        found += w->stats[i] != NULL;
    if (!rc && found)
        rc = pcri_coder_train(w->coding, w->ladder, w->stats, (size_t) w->survey_count,
                              &w->tables, err);
    for (uint64_t i = 0; i < w->survey_count; i++)
        pcri_coder_stats_destroy(&w->stats[i]);
    free(w->stats);
    w->stats = NULL;
    return rc;
}
