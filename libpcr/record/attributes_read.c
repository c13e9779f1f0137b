/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading columns of attributes. Safe on any bytes: every count is compared with the bytes of its
 * column before memory is allocated. */
#include <math.h>
#include <stdlib.h>

#include "../base/utf8.h"
#include "attributes.h"

const double pcri_powers_of_ten[PCRI_MOST_DECIMALS + 1] = {
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
};

static int corrupt(struct pcr_error *err, const char *what)
{
    return pcri_fail(err, PCR_ERR_CORRUPT, "head: column attributes: %s", what);
}

/* --- the table --- */

/* `count` texts, each with a NUL after it in *out; at[i] is where text i begins. */
static int get_texts(struct pcri_cursor *c, uint64_t count, struct pcr_buffer *out, size_t *at,
                     struct pcr_error *err)
{
    struct pcri_cursor lengths = *c;
    int rc = 0;
    for (uint64_t i = 0; i < count; i++)
        pcri_get_varint(c);
    for (uint64_t i = 0; i < count && !rc; i++) {
        uint64_t n = pcri_get_varint(&lengths);
        const uint8_t *p = pcri_get_bytes(c, n);
        if (!p || c->bad)
            return corrupt(err, "ends too early");
        if ((n && memchr(p, 0, (size_t) n)) || !pcri_utf8_valid(p, (size_t) n))
            return corrupt(err, "a text with a NUL, or that is not UTF-8");
        at[i] = out->nbytes;
        rc = pcri_buffer_append(out, p, (size_t) n, err);
        if (!rc)
            rc = pcri_buffer_append(out, "", 1, err);
    }
    return rc;
}

static int parse_table(struct pcri_cursor *c, struct pcri_attributes *a, size_t *names,
                       size_t *types, struct pcr_error *err)
{
    struct pcr_buffer texts = { 0 };
    int rc = get_texts(c, a->count, &a->names, names, err);
    if (!rc)
        rc = get_texts(c, a->count, &texts, types, err);
    for (uint32_t i = 0; i < a->count && !rc; i++) {
        struct pcri_attribute *col = &a->columns[i];
        col->name = (const char *) a->names.data + names[i];
        if (i && strcmp(col[-1].name, col->name) >= 0)
            rc = corrupt(err, "names that are not in rising order");
        else if (!pcri_type_parse((const char *) texts.data + types[i], &col->type))
            rc = corrupt(err, "an unknown type");
    }
    pcr_buffer_free(&texts);
    return rc;
}

static int parse_columns(struct pcri_cursor *c, struct pcri_attributes *a,
                         struct pcr_error *err)
{
    struct pcri_cursor sizes = *c;
    for (uint32_t i = 0; i < a->count; i++)
        pcri_get_varint(c);
    size_t left = pcri_left(c);
    if (c->bad)
        return corrupt(err, "ends too early");
    if (!(a->bytes = pcri_malloc(left ? left : 1, 1, err)))
        return PCR_ERR_NOMEM;
    if (left)
        memcpy(a->bytes, c->p, left);
    c->p = c->end;
    struct pcri_cursor rest = { a->bytes, a->bytes + left, false };
    for (uint32_t i = 0; i < a->count; i++) {
        struct pcri_attribute *col = &a->columns[i];
        const uint8_t *p = pcri_get_bytes(&rest, pcri_get_varint(&sizes));
        col->packed = (struct pcri_cursor) { p, rest.p, false };
        col->states = p ? pcri_get_bytes(&col->packed, a->sample_count) : NULL;
        if (!col->states)
            return corrupt(err, "ends too early");
    }
    return rest.p == rest.end ? 0 : corrupt(err, "has bytes after its end");
}

int pcri_attributes_parse(struct pcri_cursor *c, uint32_t sample_count,
                          struct pcri_attributes **out, struct pcr_error *err)
{
    uint64_t count = pcri_get_varint(c);
    if (c->bad || count > PCRI_SCHEMA_COLUMNS || count > pcri_left(c))
        return corrupt(err, "a bad number of columns");
    struct pcri_attributes *a = pcri_calloc(1, sizeof(*a), err);
    size_t *at = pcri_calloc(2 * count, sizeof(*at), err);
    int rc = a && at ? 0 : PCR_ERR_NOMEM;
    if (!rc) {
        a->sample_count = sample_count;
        a->columns = pcri_calloc(count, sizeof(*a->columns), err);
        rc = a->columns ? 0 : PCR_ERR_NOMEM;
        a->count = rc ? 0 : (uint32_t) count;
    }
    if (!rc)
        rc = parse_table(c, a, at, at + count, err);
    if (!rc)
        rc = parse_columns(c, a, err);
    free(at);
    if (rc)
        pcri_attributes_free(&a);
    *out = a;
    return rc;
}

static void free_values(struct pcri_values *v)
{
    if (!v)
        return;
    free(v->first);
    free(v->elements);
    free(v->texts);
    free(v);
}

void pcri_attributes_free(struct pcri_attributes **attributes)
{
    struct pcri_attributes *a = *attributes;
    if (!a)
        return;
    for (uint32_t i = 0; i < a->count; i++)
        free_values(atomic_load(&a->columns[i].values));
    free(a->columns);
    free(a->bytes);
    pcr_buffer_free(&a->names);
    free(a);
    *attributes = NULL;
}

uint32_t pcri_attributes_find(const struct pcri_attributes *a, const char *name)
{
    if (!a)
        return 0;
    uint32_t i = (uint32_t) PCRI_FIRST(k, 0, a->count, strcmp(a->columns[k].name, name) >= 0);
    return i < a->count && !strcmp(a->columns[i].name, name) ? i : a->count;
}

bool pcri_attributes_match(const struct pcri_attributes *a, const struct pcri_schema *schema)
{
    bool match = true;
    for (uint32_t c = 0; a && c < a->count && match; c++) {
        uint32_t i = pcri_schema_find(schema, a->columns[c].name);
        match = i < schema->count &&
                pcri_type_equal(&schema->columns[i].type, &a->columns[c].type);
    }
    return match;
}

/* --- values --- */

/* One column being unpacked. */
struct unpacking {
    const struct pcri_attribute *is;
    struct pcri_cursor c;
    struct pcri_values *v;
    uint64_t element_count;
    struct pcr_error *err;
};

static int bad(const struct unpacking *u, const char *what)
{
    return pcri_fail(u->err, PCR_ERR_CORRUPT, "attribute %.100s: %s", u->is->name, what);
}

/* Each element takes a byte at least, so the column bounds their number. */
static int get_counts(struct unpacking *u, uint32_t sample_count)
{
    const struct pcri_type *t = &u->is->type;
    uint64_t items = 0;
    if (!(u->v->first = pcri_calloc((uint64_t) sample_count + 1, sizeof(uint32_t), u->err)))
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < sample_count; i++) {
        uint8_t state = u->is->states[i];
        if (state > PCRI_ATTRIBUTE_NULL)
            return bad(u, "a sample that neither has nor lacks it");
        if (state == PCRI_ATTRIBUTE_VALUE)
            items += pcri_type_varies(t) ? pcri_get_varint(&u->c) : t->rank ? t->length : 1;
        if (items > pcri_left(&u->c))
            return bad(u, "ends too early");
        u->v->first[i + 1] = (uint32_t) items;
    }
    u->element_count = items * t->width;
    if (u->c.bad || items > UINT32_MAX || u->element_count > pcri_left(&u->c))
        return bad(u, "ends too early");
    return 0;
}

static int get_bools(struct unpacking *u)
{
    uint8_t *out = u->v->elements;
    const uint8_t *p = pcri_get_bytes(&u->c, u->element_count);
    for (uint64_t i = 0; i < u->element_count; i++) {
        if (p[i] > 1)
            return bad(u, "a boolean that is neither true nor false");
        out[i] = p[i];
    }
    return 0;
}

static int get_ints(struct unpacking *u)
{
    int64_t *out = u->v->elements;
    for (uint64_t i = 0; i < u->element_count; i++)
        out[i] = pcri_unzigzag(pcri_get_varint(&u->c));
    return 0;
}

static int get_planes(struct unpacking *u)
{
    double *out = u->v->elements;
    uint64_t count = u->element_count;
    const uint8_t *p = count <= pcri_left(&u->c) / 8 ? pcri_get_bytes(&u->c, 8 * count) : NULL;
    if (!p)
        return bad(u, "ends too early");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        for (unsigned k = 0; k < 8; k++)
            bits |= (uint64_t) p[k * count + i] << 8 * k;
        memcpy(&out[i], &bits, sizeof(bits));
        if (!isfinite(out[i]))
            return bad(u, "a number that is not finite");
    }
    return 0;
}

static int get_floats(struct unpacking *u)
{
    double *out = u->v->elements;
    const uint8_t *decimals = pcri_get_bytes(&u->c, 1);
    if (decimals && *decimals == PCRI_NO_DECIMALS)
        return get_planes(u);
    if (!decimals || *decimals > PCRI_MOST_DECIMALS)
        return bad(u, "an unknown form of numbers");
    for (uint64_t i = 0; i < u->element_count; i++) {
        int64_t whole = pcri_unzigzag(pcri_get_varint(&u->c));
        if (whole > PCRI_MOST_WHOLE || whole < -PCRI_MOST_WHOLE)
            return bad(u, "a number above 2^53");
        out[i] = (double) whole / pcri_powers_of_ten[*decimals];
    }
    return 0;
}

static int get_strings(struct unpacking *u)
{
    uint64_t *at = u->v->elements, total = 0;
    struct pcri_cursor lengths = u->c;
    for (uint64_t i = 0; i < u->element_count; i++) {
        total += pcri_get_varint(&u->c);
        if (total > pcri_left(&u->c))
            return bad(u, "ends too early");
    }
    if (!(u->v->texts = pcri_malloc(total + u->element_count + 1, 1, u->err)))
        return PCR_ERR_NOMEM;
    uint64_t to = 0;
    for (uint64_t i = 0; i < u->element_count; i++) {
        uint64_t n = pcri_get_varint(&lengths);
        const uint8_t *p = pcri_get_bytes(&u->c, n);
        if (!p)
            return bad(u, "ends too early");
        if ((n && memchr(p, 0, (size_t) n)) || !pcri_utf8_valid(p, (size_t) n))
            return bad(u, "a text with a NUL, or that is not UTF-8");
        at[i] = to;
        if (n)
            memcpy(u->v->texts + to, p, (size_t) n);
        to += n;
        u->v->texts[to++] = '\0';
    }
    at[u->element_count] = to;
    return 0;
}

static int unpack(struct unpacking *u, uint32_t sample_count)
{
    const struct pcri_type *t = &u->is->type;
    int rc = get_counts(u, sample_count);
    if (rc)
        return rc;
    u->v->elements = pcri_calloc(u->element_count + 1, t->element == PCR_ELEMENT_BOOL ? 1 : 8,
                                 u->err);
    if (!u->v->elements)
        return PCR_ERR_NOMEM;
    rc = t->element == PCR_ELEMENT_BOOL      ? get_bools(u)
         : t->element == PCR_ELEMENT_INT64   ? get_ints(u)
         : t->element == PCR_ELEMENT_FLOAT64 ? get_floats(u)
                                             : get_strings(u);
    if (!rc && u->c.bad)
        rc = bad(u, "ends too early, or holds a bad number");
    if (!rc && u->c.p != u->c.end)
        rc = bad(u, "has bytes after its end");
    return rc;
}

int pcri_attribute_values(const struct pcri_attributes *a, uint32_t column,
                          const struct pcri_values **out, struct pcr_error *err)
{
    struct pcri_attribute *is = &a->columns[column];
    struct pcri_values *v = atomic_load(&is->values), *theirs = NULL;
    *out = v;
    if (v)
        return 0;
    if (!(v = pcri_calloc(1, sizeof(*v), err)))
        return PCR_ERR_NOMEM;
    struct unpacking u = { is, is->packed, v, 0, err };
    int rc = unpack(&u, a->sample_count);
    if (rc || !atomic_compare_exchange_strong(&is->values, &theirs, v)) {
        free_values(v); /* another thread was first */
        v = theirs;
    }
    *out = v;
    return rc;
}

/* --- the object of a sample --- */

/* NULL: no memory, or *rc. */
static json_t *element_value(const struct pcri_attribute *is, const struct pcri_values *v,
                             uint64_t e, int *rc, struct pcr_error *err)
{
    const char *text;
    json_t *value = NULL;
    switch (is->type.element) {
    case PCR_ELEMENT_BOOL:
        return json_boolean(((const uint8_t *) v->elements)[e]);
    case PCR_ELEMENT_INT64:
        return json_integer(((const int64_t *) v->elements)[e]);
    case PCR_ELEMENT_FLOAT64:
        return json_real(((const double *) v->elements)[e]);
    default:
        text = v->texts + ((const uint64_t *) v->elements)[e];
    }
    if (is->type.element == PCR_ELEMENT_STRING)
        return json_string_nocheck(text);
    *rc = pcri_json_parse(text, strlen(text), PCRI_JSON_ANY, &value, NULL, err);
    if (*rc > 0)
        *rc = pcri_fail(err, PCR_ERR_CORRUPT, "attribute %.100s: it is not JSON", is->name);
    return value;
}

/* rank: 1, or 2 for a list of rows. */
static json_t *list_value(const struct pcri_attribute *is, const struct pcri_values *v,
                          uint64_t from, uint64_t end, uint32_t rank, int *rc,
                          struct pcr_error *err)
{
    const uint64_t step = rank == 2 ? is->type.width : 1;
    json_t *list = json_array();
    for (; list && from < end; from += step) {
        json_t *item = rank == 2 ? list_value(is, v, from, from + step, 1, rc, err)
                                 : element_value(is, v, from, rc, err);
        if (json_array_append_new(list, item)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static int set_member(const struct pcri_attributes *a, uint32_t column, uint32_t i,
                      json_t *object, struct pcr_error *err)
{
    const struct pcri_attribute *is = &a->columns[column];
    const struct pcri_type *t = &is->type;
    const struct pcri_values *v;
    json_t *value;
    uint8_t state = is->states[i];
    if (state == PCRI_ATTRIBUTE_ABSENT)
        return 0;
    int rc = pcri_attribute_values(a, column, &v, err);
    if (rc)
        return rc;
    uint64_t from = (uint64_t) v->first[i] * t->width;
    if (state == PCRI_ATTRIBUTE_NULL)
        value = json_null();
    else if (!t->rank)
        value = element_value(is, v, from, &rc, err);
    else
        value = list_value(is, v, from, (uint64_t) v->first[i + 1] * t->width, t->rank, &rc,
                           err);
    if (!rc && (!value || json_object_set_new_nocheck(object, is->name, value)))
        rc = pcri_fail(err, PCR_ERR_NOMEM, "no memory for attributes");
    return rc;
}

int pcri_attributes_text(const struct pcri_attributes *a, uint32_t i, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    json_t *object = json_object();
    int rc = object ? 0 : pcri_fail(err, PCR_ERR_NOMEM, "no memory for attributes");
    out->nbytes = 0;
    for (uint32_t c = 0; a && c < a->count && !rc; c++)
        rc = set_member(a, c, i, object, err);
    if (!rc)
        rc = pcri_json_append(object, out, err);
    if (!rc)
        rc = pcri_buffer_append(out, "", 1, err);
    if (!rc)
        out->nbytes--;
    json_decref(object);
    return rc;
}
