/* SPDX-License-Identifier: BSD-2-Clause */
/* Inputs that were left out: their JSON objects, and errors.jsonl made of them. */
#include <jansson.h>
#include <stdlib.h>
#include <stdio.h>

#include "../manifest/notes.h"
#include "write.h"

int pcri_skip_render(const struct pcr_source_sample *s, const char *format,
                     const struct pcr_error *why, char **out, struct pcr_error *err)
{
    json_t *object = json_object();
    int rc = pcri_json_set_text(object, "path", s->path ? s->path : s->key);
    rc |= pcri_json_set_text(object, "key", s->key);
    rc |= pcri_json_set_text(object, "code", pcr_code_name(why->code));
    rc |= pcri_json_set_text(object, "message", why->message);
    if (format)
        rc |= pcri_json_set_text(object, "format", format);
    if (why->offset != PCR_NO_OFFSET)
        rc |= json_object_set_new(object, "offset", json_integer((json_int_t) why->offset));
    *out = NULL;
    rc = rc ? pcri_fail(err, PCR_ERR_NOMEM, "no memory to describe a bad input")
            : pcri_json_text(object, out, err);
    json_decref(object);
    return rc;
}

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

/* What the source itself has left out. */
static int write_left_out(struct pcri_put *p, const struct pcr_left_out *one,
                          struct pcr_error *err)
{
    const struct pcr_source_sample s = { .key = one->key, .path = one->path };
    struct pcr_error why = { .code = PCR_ERR_INVAL, .offset = PCR_NO_OFFSET };
    char *text = NULL;
    snprintf(why.message, sizeof(why.message), "left out: %s", one->reason);
    int rc = pcri_skip_render(&s, NULL, &why, &text, err);
    if (!rc)
        rc = pcri_put_write(p, text, strlen(text), err);
    if (!rc)
        rc = pcri_put_write(p, "\n", 1, err);
    free(text);
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

int pcri_skips_publish(const struct pcri_write *w, struct pcr_error *err)
{
    if (w->recode)
        return copy_errors(w, err);
    /* An existing file is about the inputs of another dataset. */
    if (!w->progress.samples_bad && !w->source.left_out_count)
        return pcri_storage_remove(w->storage, w->dir, PCRI_ERRORS_NAME, err);
    struct pcri_put *p = NULL;
    int rc = pcri_put_begin(w->storage, w->dir, PCRI_ERRORS_NAME, &p, err);
    for (uint64_t r = 0; r < w->plan.record_count && !rc; r++)
        rc = write_lines(p, &w->outcomes[r], err);
    for (uint64_t i = 0; i < w->source.left_out_count && !rc; i++)
        rc = write_left_out(p, &w->source.left_out[i], err);
    return pcri_put_end(&p, rc, err);
}
