/* SPDX-License-Identifier: BSD-2-Clause */
/* Types of attributes: their texts, the type of a JSON value, and the least general type that
 * holds all values of a name. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema.h"

static const char *const element_names[] = {
    "", "bool", "int64", "float64", "string", "json"
};

/* --- texts --- */

static void print_type(struct pcri_schema_column *c)
{
    const struct pcri_type *t = &c->type;
    char length[16] = "";
    int n = snprintf(c->text, sizeof(c->text), "%s", element_names[t->element]);
    if (t->length)
        snprintf(length, sizeof(length), "%" PRIu32, t->length);
    if (t->rank)
        n += snprintf(c->text + n, sizeof(c->text) - (size_t) n, "[%s]", length);
    if (t->rank == 2)
        snprintf(c->text + n, sizeof(c->text) - (size_t) n, "[%" PRIu32 "]", t->width);
}

/* A number from 1 and "]". */
static bool parse_dimension(const char **text, uint32_t *out)
{
    uint64_t v = 0;
    const char *p = *text;
    if (*p < '1' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9' && v <= UINT32_MAX; p++)
        v = v * 10 + (uint64_t) (*p - '0');
    *out = (uint32_t) v;
    *text = p + 1;
    return v <= UINT32_MAX && *p == ']';
}

bool pcri_type_parse(const char *text, struct pcri_type *out)
{
    size_t n = strcspn(text, "[");
    *out = (struct pcri_type) { .width = 1 };
    for (uint32_t e = PCR_ELEMENT_BOOL; e <= PCR_ELEMENT_JSON; e++)
        if (strlen(element_names[e]) == n && !memcmp(text, element_names[e], n))
            out->element = e;
    text += n;
    if (!out->element || !*text || out->element == PCR_ELEMENT_JSON)
        return out->element && !*text;
    out->rank = 1;
    text++;
    if (*text == ']')
        text++;
    else if (!parse_dimension(&text, &out->length))
        return false;
    if (!*text)
        return true;
    out->rank = 2;
    return *text++ == '[' && parse_dimension(&text, &out->width) && !*text;
}

/* --- the type of a value --- */

static const struct pcri_type any_json = { PCR_ELEMENT_JSON, 0, 0, 1 };

static bool is_exact(json_int_t v)
{
    const json_int_t most = (json_int_t) 1 << 53;
    double d = (double) v;
    return (v >= -most && v <= most) || (d < 0x1p63 && (json_int_t) d == v);
}

static uint32_t wider(uint32_t a, uint32_t b)
{
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    if (!low || low == high)
        return high;
    return low == PCR_ELEMENT_INT64 && high == PCR_ELEMENT_FLOAT64 ? high : PCR_ELEMENT_JSON;
}

/* The least general type that holds the values of both. A list without items is one of any
 * elements and any width. */
static struct pcri_type widen(const struct pcri_type *a, const struct pcri_type *b)
{
    struct pcri_type t = { wider(a->element, b->element), a->rank, a->length, a->width };
    if (!a->element && !a->rank)
        return *b;
    if (!b->element && !b->rank)
        return *a;
    if ((!a->element && b->rank) || (!b->element && a->rank)) {
        t = a->element ? *a : *b;
        t.length = 0;
        return t;
    }
    if (a->rank != b->rank || a->width != b->width || t.element == PCR_ELEMENT_JSON)
        return any_json;
    if (a->length != b->length)
        t.length = 0;
    return t;
}

static struct pcri_type scalar_type(const json_t *v, bool *inexact)
{
    struct pcri_type t = { .width = 1 };
    switch (json_typeof(v)) {
    case JSON_TRUE:
    case JSON_FALSE:
        t.element = PCR_ELEMENT_BOOL;
        break;
    case JSON_INTEGER:
        t.element = PCR_ELEMENT_INT64;
        *inexact |= !is_exact(json_integer_value(v));
        break;
    case JSON_REAL:
        t.element = PCR_ELEMENT_FLOAT64;
        break;
    case JSON_STRING:
        t.element = PCR_ELEMENT_STRING;
        break;
    default:
        t.element = PCR_ELEMENT_JSON;
    }
    return t;
}

/* A row: a list of elements that is not empty. */
static struct pcri_type row_type(const json_t *v, bool *inexact)
{
    size_t n = json_array_size(v);
    struct pcri_type t = { .width = 1 };
    for (size_t i = 0; i < n && t.element != PCR_ELEMENT_JSON; i++) {
        struct pcri_type one = scalar_type(json_array_get(v, i), inexact);
        t.element = wider(t.element, one.element);
    }
    t.width = (uint32_t) n;
    return t.element && t.element != PCR_ELEMENT_JSON && n <= UINT32_MAX ? t : any_json;
}

static struct pcri_type type_of(const json_t *v, bool *inexact)
{
    size_t n = json_array_size(v);
    if (!json_is_array(v))
        return scalar_type(v, inexact);
    struct pcri_type t = { .rank = 1, .length = (uint32_t) n, .width = 1 };
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(v, i);
        const bool row = json_is_array(item);
        struct pcri_type one = row ? row_type(item, inexact) : scalar_type(item, inexact);
        if (i && (t.rank != 1u + row || t.width != one.width))
            return any_json;
        t.rank = 1u + row;
        t.width = one.width;
        t.element = wider(t.element, one.element);
        if (t.element == PCR_ELEMENT_JSON)
            return any_json;
    }
    return n <= UINT32_MAX ? t : any_json;
}

bool pcri_type_holds(const struct pcri_type *type, const json_t *value)
{
    bool inexact = false;
    if (type->element == PCR_ELEMENT_JSON)
        return true;
    const struct pcri_type own = type_of(value, &inexact), both = widen(type, &own);
    return pcri_type_equal(&both, type) && !(inexact && type->element == PCR_ELEMENT_FLOAT64);
}

/* --- schemas --- */

void pcri_schema_free(struct pcri_schema *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        free(s->columns[i].name);
    free(s->columns);
    *s = (struct pcri_schema) { 0 };
}

/* The first column whose name is not below this one. */
static uint32_t place_of(const struct pcri_schema *s, const char *name)
{
    return (uint32_t) PCRI_FIRST(i, 0, s->count, strcmp(s->columns[i].name, name) >= 0);
}

uint32_t pcri_schema_find(const struct pcri_schema *s, const char *name)
{
    uint32_t i = place_of(s, name);
    return i < s->count && !strcmp(s->columns[i].name, name) ? i : s->count;
}

int pcri_schema_add(struct pcri_schema *s, const char *name, const struct pcri_type *type,
                    bool *added, struct pcr_error *err)
{
    uint32_t at = place_of(s, name);
    *added = at == s->count || strcmp(s->columns[at].name, name) != 0;
    if (!*added)
        return 0;
    if (s->count == PCRI_SCHEMA_COLUMNS)
        return pcri_fail(err, PCR_ERR_LIMIT,
                         "more than %d different names: what has many names "
                         "belongs into an object under one name",
                         PCRI_SCHEMA_COLUMNS);
    struct pcri_schema_column c = { .type = *type };
    if (PCRI_GROW(s->columns, s->capacity, s->count + 1, err) ||
        !(c.name = pcri_strndup(name, strlen(name), err)))
        return PCR_ERR_NOMEM;
    print_type(&c);
    memmove(s->columns + at + 1, s->columns + at, (s->count - at) * sizeof(c));
    s->columns[at] = c;
    s->count++;
    return 0;
}

int pcri_schema_copy(struct pcri_schema *out, const struct pcri_schema *from,
                     struct pcr_error *err)
{
    bool added;
    int rc = 0;
    *out = (struct pcri_schema) { 0 };
    for (uint32_t i = 0; i < from->count && !rc; i++)
        rc = pcri_schema_add(out, from->columns[i].name, &from->columns[i].type, &added, err);
    return rc;
}

int pcri_schema_widen(struct pcri_schema *s, const char *name, const json_t *value,
                      struct pcr_error *err)
{
    static const struct pcri_type nothing = { .width = 1 };
    bool added;
    int rc = pcri_schema_add(s, name, &nothing, &added, err);
    if (rc || json_is_null(value))
        return rc;
    struct pcri_schema_column *c = &s->columns[place_of(s, name)];
    const struct pcri_type own = type_of(value, &c->inexact);
    c->type = widen(&c->type, &own);
    return 0;
}

int pcri_schema_survey(struct pcri_schema *s, const json_t *object, struct pcr_error *err)
{
    const char *name;
    json_t *value;
    int rc = 0;
    json_object_foreach ((json_t *) object, name, value)
        if (!rc)
            rc = pcri_schema_widen(s, name, value, err);
    return rc;
}

void pcri_schema_settle(struct pcri_schema *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct pcri_schema_column *c = &s->columns[i];
        if (!c->type.element || (c->inexact && c->type.element == PCR_ELEMENT_FLOAT64))
            c->type = any_json;
        print_type(c);
    }
}
