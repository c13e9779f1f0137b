/* SPDX-License-Identifier: BSD-2-Clause */
/* What this library's own exports say of a sample. */
#include "exported.h"
#include "label.h"

static const char *text_of(struct pcri_container *s, const json_t *value,
                           struct pcr_error *err)
{
    return pcri_list_text(s->rows, json_string_value(value), json_string_length(value), err);
}

int pcri_exported_take(struct pcri_container *s, struct pcri_list_row *row, json_t *object,
                       struct pcr_error *err)
{
    const json_t *key = json_object_get(object, "__key__");
    const json_t *label = json_object_get(object, "__label__");
    const json_t *split = json_object_get(object, "__split__");
    int rc = 0;
    if (!key || !(json_is_string(key) || json_is_null(key)))
        return 0;
    if (json_string_length(key) && !s->opts->key_field)
        rc = (row->key = pcri_arena_strndup(&s->e->arena, json_string_value(key),
                                            json_string_length(key), err))
                 ? 0
                 : PCR_ERR_NOMEM;
    s->has_labels |= row->key != NULL;
    if (!rc && json_string_length(split) && (!row->split || s->split_is_guess))
        rc = (row->split = text_of(s, split, err)) ? 0 : PCR_ERR_NOMEM;
    if (!rc && label && !json_is_null(label) && !s->opts->label_field) {
        row->class_name = NULL;
        row->labels = NULL;
        row->float_labels = NULL;
        row->label_count = 0;
        rc = pcri_row_json_label(s->rows, row, label, err);
    }
    json_object_del(object, "__key__");
    json_object_del(object, "__label__");
    json_object_del(object, "__split__");
    json_object_del(object, "__blobs__");
    return rc;
}

int pcri_exported_parse(const char *text, size_t nbytes, json_t **out, struct pcr_error *err)
{
    int rc = pcri_json_parse(text, nbytes, 0, out, NULL, err);
    if (rc == 1)
        rc = 0;
    if (!rc && !json_object_get(*out, "__key__")) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}
