/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether source files are kept restorable: as the options say, or if it costs little. What it
 * costs is seen at the survey's images, so that the decision depends only on the plan. */
#include <stdlib.h>

#include "../dataset/dataset.h"
#include "../record/file_infos.h"
#include "write.h"

/* What restoring an image of the survey takes. */
struct pcri_original_cost {
    struct pcr_buffer program;
    uint64_t source_nbytes, whole_nbytes; /* whole: it would be kept so */
};

enum { CHECK_NBYTES = 4, MOST_PART = 100 /* of the source: a hundredth */ };

static bool is_open(const struct pcri_write *w)
{
    return !w->recode && w->opts.originals == PCR_ORIGINALS_DEFAULT && !w->opts.max_side &&
           !w->opts.target_nbytes && w->opts.pictures <= PCR_PICTURES_OPAQUE &&
           w->opts.opaque_policy != PCR_OPAQUE_REFUSE;
}

void pcri_originals_settle(struct pcri_write *w)
{
    w->originals = w->recode ? w->recode->dataset->manifest.originals
                             : w->opts.originals == PCR_ORIGINALS_ON ||
                                   (is_open(w) && (w->kept_restorable || !w->kept_coded));
}

int pcri_originals_begin(struct pcri_write *w, struct pcr_error *err)
{
    if (!is_open(w))
        return 0;
    w->originals = true; /* to find out */
    w->costs = pcri_calloc(w->survey_count, sizeof(*w->costs), err);
    return w->costs ? 0 : PCR_ERR_NOMEM;
}

int pcri_originals_look(struct pcri_worker *t, uint64_t i, struct pcr_error *err)
{
    struct pcri_write *w = t->write;
    struct pcri_coded coded = { 0 };
    if (!w->costs)
        return 0;
    int rc = pcri_coder_restore(t->coder, &coded, err);
    struct pcri_original_cost *c = &w->costs[i];
    c->source_nbytes = t->file.nbytes;
    c->whole_nbytes = rc ? t->file.nbytes : 0;
    c->program = coded.restore;
    coded.restore = (struct pcr_buffer) { 0 };
    pcri_coded_free(&coded);
    return rc == PCR_ERR_UNSUPPORTED ? 0 : rc;
}

/* What the source knows of the images' files. NOMEM, and the source's errors. */
static int add_infos(const struct pcri_write *w, struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_file_info *infos = pcri_calloc(w->survey_count, sizeof(*infos), err);
    int rc = infos ? 0 : PCR_ERR_NOMEM;
    for (uint64_t i = 0; i < w->survey_count && !rc; i++) {
        struct pcr_source_sample s;
        rc = pcri_source_describe(&w->source, pcri_survey_index(w, i), &s, err);
        infos[i] = s.file;
    }
    if (!rc)
        rc = pcri_file_infos_render(infos, (uint32_t) w->survey_count, out, err);
    free(infos);
    return rc;
}

/* As the tail of a record would hold them. */
static int add_up(const struct pcri_write *w, uint64_t *cost_out, uint64_t *source_out,
                  struct pcr_error *err)
{
    struct pcr_buffer programs = { 0 }, packed = { 0 };
    int rc = 0;
    *cost_out = *source_out = 0;
    for (uint64_t i = 0; i < w->survey_count && !rc; i++) {
        const struct pcri_original_cost *c = &w->costs[i];
        *source_out += c->source_nbytes;
        *cost_out += c->whole_nbytes + (c->program.nbytes ? CHECK_NBYTES : 0);
        rc = pcri_buffer_append(&programs, c->program.data, c->program.nbytes, err);
    }
    if (!rc)
        rc = add_infos(w, &programs, err);
    if (!rc)
        rc = pcri_zstd_pack(programs.data, programs.nbytes, 19, &packed, err);
    *cost_out += programs.nbytes ? packed.nbytes : 0;
    pcr_buffer_free(&programs);
    pcr_buffer_free(&packed);
    return rc;
}

int pcri_originals_decide(struct pcri_write *w, struct pcr_error *err)
{
    uint64_t cost, source;
    int rc = w->costs ? add_up(w, &cost, &source, err) : 0;
    if (!rc && w->costs)
        w->originals = cost <= source / MOST_PART;
    pcri_originals_free(w);
    return rc;
}

void pcri_originals_free(struct pcri_write *w)
{
    for (uint64_t i = 0; w->costs && i < w->survey_count; i++)
        pcr_buffer_free(&w->costs[i].program);
    free(w->costs);
    w->costs = NULL;
}
