/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON's text of values. */
#include "json.h"

/* A failure lasts: what jansson prints after one would not be the object. */
struct printing {
    struct pcr_buffer *out;
    struct pcr_error *err;
    int rc;
};

static int append(const char *text, size_t nbytes, void *context)
{
    struct printing *p = context;
    if (!p->rc)
        p->rc = pcri_buffer_append(p->out, text, nbytes, p->err);
    return p->rc;
}

int pcri_json_append(const json_t *value, struct pcr_buffer *out, struct pcr_error *err)
{
    struct printing p = { out, err, 0 };
    if (json_dump_callback(value, append, &p,
                           JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) &&
        !p.rc)
        p.rc = pcri_fail(err, PCR_ERR_NOMEM, "no memory for JSON text");
    return p.rc;
}

int pcri_json_text(const json_t *object, char **out, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    int rc = pcri_json_append(object, &text, err);
    if (!rc)
        rc = pcri_buffer_append(&text, "", 1, err);
    if (rc)
        pcr_buffer_free(&text);
    *out = (char *) text.data;
    return rc;
}
