/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON objects of inputs that were left out. */
#include <jansson.h>

#include "../manifest/notes.h"
#include "write.h"

int pcri_skip_render(const struct pcr_source_sample *s, const char *format, const char *kept,
                     const struct pcr_error *why, char **out, struct pcr_error *err)
{
    json_t *object = json_object();
    int rc = pcri_json_set_text(object, "path", s->path ? s->path : s->key);
    rc |= pcri_json_set_text(object, "key", s->key);
    rc |= pcri_json_set_text(object, "code", pcr_code_name(why->code));
    rc |= pcri_json_set_text(object, "message", why->message);
    if (format)
        rc |= pcri_json_set_text(object, "format", format);
    if (kept)
        rc |= pcri_json_set_text(object, "duplicate_of", kept);
    if (why->offset != PCR_NO_OFFSET)
        rc |= json_object_set_new(object, "offset", json_integer((json_int_t) why->offset));
    *out = NULL;
    rc = rc ? pcri_fail(err, PCR_ERR_NOMEM, "no memory to describe a bad input")
            : pcri_json_text(object, out, err);
    json_decref(object);
    return rc;
}
