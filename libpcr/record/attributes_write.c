/* SPDX-License-Identifier: BSD-2-Clause */
/* Putting samples' attributes into columns. */
#include <math.h>
#include <stdlib.h>

#include "attributes.h"

/* A column as it is made. */
struct column_made {
    const struct pcri_schema_column *is;
    uint8_t *states;
    struct pcr_buffer counts, elements, texts; /* counts, and lengths of texts, as varints;
                                                * floats as double */
    uint64_t element_count;
    bool any;
};

struct maker {
    struct column_made *columns;
    uint32_t column_count, sample_count;
    struct pcr_error *err;
};

/* --- values --- */

static int put_text(struct column_made *m, const json_t *v, struct pcr_error *err)
{
    size_t before = m->texts.nbytes;
    int rc = m->is->type.element == PCR_ELEMENT_JSON
                 ? pcri_json_append(v, &m->texts, err)
                 : pcri_buffer_append(&m->texts, json_string_value(v), json_string_length(v),
                                      err);
    return rc ? rc : pcri_buffer_append_varint(&m->elements, m->texts.nbytes - before, err);
}

static int put_element(struct column_made *m, const json_t *v, struct pcr_error *err)
{
    uint8_t truth = json_is_true(v);
    double number;
    m->element_count++;
    switch (m->is->type.element) {
    case PCR_ELEMENT_BOOL:
        return pcri_buffer_append(&m->elements, &truth, 1, err);
    case PCR_ELEMENT_INT64:
        return pcri_buffer_append_varint(&m->elements, pcri_zigzag(json_integer_value(v)),
                                         err);
    case PCR_ELEMENT_FLOAT64:
        number = json_number_value(v);
        return pcri_buffer_append(&m->elements, &number, sizeof(number), err);
    default:
        return put_text(m, v, err);
    }
}

static int put_value(struct column_made *m, const json_t *v, struct pcr_error *err)
{
    const struct pcri_type *t = &m->is->type;
    if (!t->rank)
        return put_element(m, v, err);
    int rc = t->length ? 0 : pcri_buffer_append_varint(&m->counts, json_array_size(v), err);
    for (size_t i = 0; i < json_array_size(v) && !rc; i++) {
        const json_t *item = json_array_get(v, i);
        if (t->rank == 1)
            rc = put_element(m, item, err);
        for (size_t k = 0; t->rank == 2 && k < t->width && !rc; k++)
            rc = put_element(m, json_array_get(item, k), err);
    }
    return rc;
}

static int put_member(struct maker *k, const struct pcri_schema *schema, uint32_t i,
                      const struct pcri_attribute_row *row, const char *name,
                      const json_t *value)
{
    uint32_t c = pcri_schema_find(schema, name);
    if (c == schema->count ||
        (!json_is_null(value) && !pcri_type_holds(&schema->columns[c].type, value)))
        return pcri_fail(k->err, PCR_ERR_INVAL, "'%.200s': attribute '%.100s' is %s", row->key,
                         name,
                         c == schema->count ? "not one of the schema"
                                            : "of another type than the schema says");
    struct column_made *m = &k->columns[c];
    m->is = &schema->columns[c];
    m->any = true;
    if (!m->states && !(m->states = pcri_calloc(k->sample_count, 1, k->err)))
        return PCR_ERR_NOMEM;
    m->states[i] = json_is_null(value) ? PCRI_ATTRIBUTE_NULL : PCRI_ATTRIBUTE_VALUE;
    return json_is_null(value) ? 0 : put_value(m, value, k->err);
}

static int put_object(struct maker *k, const struct pcri_schema *schema, uint32_t i,
                      const struct pcri_attribute_row *row)
{
    const char *name;
    json_t *object, *value;
    int rc = pcri_json_parse(row->object, strlen(row->object), 0, &object, NULL, k->err);
    if (rc > 0 || (!rc && !json_is_object(object)))
        rc = pcri_fail(k->err, PCR_ERR_INVAL, "'%.200s': its attributes are no JSON object",
                       row->key);
    if (!rc)
        json_object_foreach (object, name, value)
            if (!rc)
                rc = put_member(k, schema, i, row, name, value);
    json_decref(object);
    return rc;
}

/* --- columns --- */

/* v as a whole multiple of 10^-decimals; false if it is none. */
static bool scale(double v, unsigned decimals, int64_t *out)
{
    double scaled = rint(v * pcri_powers_of_ten[decimals]);
    if (!(fabs(scaled) <= (double) PCRI_MOST_WHOLE) || (!scaled && signbit(v)))
        return false;
    *out = (int64_t) scaled;
    return scaled / pcri_powers_of_ten[decimals] == v;
}

static unsigned find_decimals(const double *v, uint64_t count)
{
    unsigned decimals = 0;
    int64_t whole;
    for (uint64_t i = 0; i < count; i++)
        while (!scale(v[i], decimals, &whole))
            if (++decimals > PCRI_MOST_DECIMALS)
                return PCRI_NO_DECIMALS;
    for (uint64_t i = 0; i < count; i++) /* with more decimals an early one may be too large */
        if (!scale(v[i], decimals, &whole))
            return PCRI_NO_DECIMALS;
    return decimals;
}

static int append_floats(const struct column_made *m, struct pcr_buffer *out,
                         struct pcr_error *err)
{
    const double *v = (const double *) (const void *) m->elements.data;
    const uint64_t count = m->element_count;
    const uint8_t decimals = (uint8_t) find_decimals(v, count);
    int64_t whole;
    int rc = pcri_buffer_append(out, &decimals, 1, err);
    for (uint64_t i = 0; i < count && !rc && decimals != PCRI_NO_DECIMALS; i++)
        if (scale(v[i], decimals, &whole))
            rc = pcri_buffer_append_varint(out, pcri_zigzag(whole), err);
    for (unsigned k = 0; k < 8 && decimals == PCRI_NO_DECIMALS; k++)
        for (uint64_t i = 0; i < count && !rc; i++) {
            uint64_t bits;
            memcpy(&bits, &v[i], sizeof(bits));
            const uint8_t byte = (uint8_t) (bits >> 8 * k);
            rc = pcri_buffer_append(out, &byte, 1, err);
        }
    return rc;
}

static int append_column(const struct column_made *m, uint32_t sample_count,
                         struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = pcri_buffer_append(out, m->states, sample_count, err);
    if (!rc)
        rc = pcri_buffer_append(out, m->counts.data, m->counts.nbytes, err);
    if (!rc && m->is->type.element == PCR_ELEMENT_FLOAT64)
        return append_floats(m, out, err);
    if (!rc)
        rc = pcri_buffer_append(out, m->elements.data, m->elements.nbytes, err);
    if (!rc)
        rc = pcri_buffer_append(out, m->texts.data, m->texts.nbytes, err);
    return rc;
}

static int append_texts(const struct maker *k, bool types, struct pcr_buffer *out,
                        struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t c = 0; c < k->column_count && !rc; c++) {
            if (!k->columns[c].any)
                continue;
            const struct pcri_schema_column *is = k->columns[c].is;
            const char *text = types ? is->text : is->name;
            rc = pass ? pcri_buffer_append(out, text, strlen(text), err)
                      : pcri_buffer_append_varint(out, strlen(text), err);
        }
    return rc;
}

static int append_all(const struct maker *k, struct pcr_buffer *out, struct pcr_error *err)
{
    struct pcr_buffer bytes = { 0 };
    uint32_t any = 0;
    for (uint32_t c = 0; c < k->column_count; c++)
        any += k->columns[c].any;
    if (!any)
        return 0;
    int rc = pcri_buffer_append_varint(out, any, err);
    if (!rc)
        rc = append_texts(k, false, out, err);
    if (!rc)
        rc = append_texts(k, true, out, err);
    for (uint32_t c = 0; c < k->column_count && !rc; c++) {
        size_t before = bytes.nbytes;
        if (!k->columns[c].any)
            continue;
        rc = append_column(&k->columns[c], k->sample_count, &bytes, err);
        if (!rc)
            rc = pcri_buffer_append_varint(out, bytes.nbytes - before, err);
    }
    if (!rc)
        rc = pcri_buffer_append(out, bytes.data, bytes.nbytes, err);
    pcr_buffer_free(&bytes);
    return rc;
}

int pcri_attributes_pack(const struct pcri_schema *schema,
                         const struct pcri_attribute_row *rows, uint32_t count,
                         struct pcr_buffer *out, struct pcr_error *err)
{
    static const struct pcri_schema none = { 0 };
    if (!schema)
        schema = &none;
    struct maker k = { .sample_count = count, .column_count = schema->count, .err = err };
    k.columns = pcri_calloc(schema->count, sizeof(*k.columns), err);
    int rc = k.columns ? 0 : PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count && !rc; i++)
        if (rows[i].object)
            rc = put_object(&k, schema, i, &rows[i]);
    if (!rc)
        rc = append_all(&k, out, err);
    for (uint32_t c = 0; k.columns && c < k.column_count; c++) {
        free(k.columns[c].states);
        pcr_buffer_free(&k.columns[c].counts);
        pcr_buffer_free(&k.columns[c].elements);
        pcr_buffer_free(&k.columns[c].texts);
    }
    free(k.columns);
    return rc;
}
