/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes that are a list in some samples are a list in all. */
#include "shapes.h"

enum { SINGLE = 1, SEVERAL = 2 };

int pcri_shapes_count(json_t **shapes, const char *name, size_t length, struct pcr_error *err)
{
    int shape = length == 1 ? SINGLE : SEVERAL;
    if (!*shapes && !(*shapes = json_object()))
        return pcri_fail_nomem(err, 64);
    json_int_t before = json_integer_value(json_object_get(*shapes, name));
    if ((before | shape) == before)
        return 0;
    if (json_object_set_new(*shapes, name, json_integer(before | shape)))
        return pcri_fail_nomem(err, 64);
    return 0;
}

static int wrap(json_t *object, const char *name, json_t *value, struct pcr_error *err)
{
    json_t *array = json_array();
    int rc = 0;
    if (!array || json_array_append(array, value) || json_object_set(object, name, array))
        rc = pcri_fail_nomem(err, 64);
    json_decref(array);
    return rc;
}

static int settle_row(json_t *shapes, struct pcri_list *l, struct pcri_list_row *row,
                      struct pcr_error *err)
{
    json_t *object, *shape;
    const char *name;
    bool changed = false;
    int rc = pcri_json_parse(row->attributes, strlen(row->attributes), 0, &object, NULL, err);
    json_object_foreach (shapes, name, shape) {
        json_t *value = json_object_get(object, name);
        if (rc || json_integer_value(shape) != (SINGLE | SEVERAL) || !value ||
            json_is_array(value))
            continue;
        rc = wrap(object, name, value, err);
        changed = true;
    }
    if (!rc && changed)
        rc = pcri_row_attributes(l, row, object, err);
    json_decref(object);
    return rc;
}

int pcri_shapes_settle(json_t *shapes, struct pcri_list *l, struct pcr_error *err)
{
    const char *name;
    json_t *shape;
    bool mixed = false;
    int rc = 0;
    json_object_foreach (shapes, name, shape)
        mixed |= json_integer_value(shape) == (SINGLE | SEVERAL);
    for (size_t i = 0; mixed && i < l->count && !rc; i++)
        if (pcri_list_at(l, i)->attributes)
            rc = settle_row(shapes, l, pcri_list_at(l, i), err);
    return rc;
}
