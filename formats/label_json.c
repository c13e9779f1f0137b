/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels that are JSON values. */
#include <stdlib.h>

#include "label.h"

static const char *type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

static int set_numbers(struct pcri_list *l, struct pcri_list_row *row, const json_t *array,
                       struct pcr_error *err)
{
    size_t count = json_is_array(array) ? json_array_size(array) : 1;
    int64_t *ints = pcri_calloc(count, sizeof(*ints), err);
    double *floats = pcri_calloc(count, sizeof(*floats), err);
    bool *is_float = pcri_calloc(count, sizeof(*is_float), err);
    int rc = ints && floats && is_float ? 0 : PCR_ERR_NOMEM;
    for (size_t i = 0; i < count && !rc; i++) {
        const json_t *v = json_is_array(array) ? json_array_get(array, i) : array;
        is_float[i] = json_is_real(v);
        ints[i] = json_integer_value(v);
        floats[i] = json_real_value(v);
        if (!json_is_number(v))
            rc = pcri_row_fail(err, row,
                               "%s %s, expected a number, an array of numbers, or a "
                               "class's name",
                               array == v ? "the label is" : "among the labels is",
                               type_name(v));
    }
    if (!rc)
        rc = pcri_row_take(l, row, is_float, ints, floats, (uint32_t) count, err);
    free(ints);
    free(floats);
    free(is_float);
    return rc;
}

int pcri_row_json_label(struct pcri_list *l, struct pcri_list_row *row, const json_t *v,
                        struct pcr_error *err)
{
    if (!json_is_string(v))
        return set_numbers(l, row, v, err);
    if (!json_string_length(v))
        return pcri_row_fail(err, row, "the label is an empty string");
    row->class_name = pcri_list_text(l, json_string_value(v), json_string_length(v), err);
    return row->class_name ? 0 : PCR_ERR_NOMEM;
}
