/* SPDX-License-Identifier: BSD-2-Clause */
/* errors.jsonl: the inputs that were left out of a dataset, one in a line. */
#include <stdio.h>
#include <stdlib.h>

#include "write.h"

static int write_lines(struct pcri_put *p, const struct pcri_outcome *o, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < o->skip_count && !rc; i++) {
        rc = pcri_put_write(p, o->skips[i], strlen(o->skips[i]), err);
        if (!rc)
            rc = pcri_put_write(p, "\n", 1, err);
    }
    return rc;
}

static int write_left_out(struct pcri_put *p, const struct pcr_source_sample *s,
                          const char *reason, const char *kept, struct pcr_error *err)
{
    struct pcr_error why = { .code = PCR_ERR_INVAL, .offset = PCR_NO_OFFSET };
    char *text = NULL;
    snprintf(why.message, sizeof(why.message), "left out: %s", reason);
    int rc = pcri_skip_render(s, NULL, kept, &why, &text, err);
    if (!rc)
        rc = pcri_put_write(p, text, strlen(text), err);
    if (!rc)
        rc = pcri_put_write(p, "\n", 1, err);
    free(text);
    return rc;
}

/* What the source itself has left out. */
static int write_of_source(const struct pcri_write *w, struct pcri_put *p,
                           struct pcr_error *err)
{
    int rc = 0;
    for (uint64_t i = 0; i < w->source.left_out_count && !rc; i++) {
        const struct pcr_left_out *one = &w->source.left_out[i];
        const struct pcr_source_sample s = { .key = one->key, .path = one->path };
        rc = write_left_out(p, &s, one->reason, NULL, err);
    }
    return rc;
}

static int write_duplicates(const struct pcri_write *w, struct pcri_put *p,
                            struct pcr_error *err)
{
    struct pcr_source_sample s, kept;
    uint64_t next = 0;
    int rc;
    while ((rc = pcri_duplicates_next(w, &next, &s, &kept, err)) > 0) {
        rc = write_left_out(p, &s, "a duplicate", kept.key, err);
        if (rc)
            break;
    }
    return rc;
}

/* That of the dataset that is recoded. */
static int copy_errors(const struct pcri_write *w, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    int rc = pcri_recode_errors(w, PCRI_ERRORS_NAME, &text, err);
    if (!rc)
        rc = text.nbytes ? pcri_storage_put(w->storage, w->dir, PCRI_ERRORS_NAME, text.data,
                                            text.nbytes, err)
                         : pcri_storage_remove(w->storage, w->dir, PCRI_ERRORS_NAME, err);
    pcr_buffer_free(&text);
    return rc;
}

int pcri_errors_publish(const struct pcri_write *w, struct pcr_error *err)
{
    if (w->recode)
        return copy_errors(w, err);
    /* An existing file is about the inputs of another dataset. */
    if (!w->progress.samples_bad && !w->progress.samples_duplicate &&
        !w->source.left_out_count)
        return pcri_storage_remove(w->storage, w->dir, PCRI_ERRORS_NAME, err);
    struct pcri_put *p = NULL;
    int rc = pcri_put_begin(w->storage, w->dir, PCRI_ERRORS_NAME, &p, err);
    for (uint64_t r = 0; r < w->plan.record_count && !rc; r++)
        rc = write_lines(p, &w->outcomes[r], err);
    if (!rc)
        rc = write_of_source(w, p, err);
    if (!rc)
        rc = write_duplicates(w, p, err);
    return pcri_put_end(&p, rc, err);
}
