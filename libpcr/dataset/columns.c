/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes of many samples, from the columns of records' heads into one array. */
#include <math.h>
#include <stdlib.h>

#include "dataset.h"

struct pcri_dataset_column {
    struct pcr_column view; /* first: what callers have */
    struct pcri_type type;
    char *name;
    struct pcr_buffer states, offsets, elements,
        texts; /* elements of texts: where they begin */
};

int pcr_dataset_column_info(const struct pcr_dataset *ds, uint32_t index,
                            struct pcr_column_info *info_out, struct pcr_error *err)
{
    const struct pcri_schema *s = &ds->manifest.schema;
    if (index >= s->count)
        return pcri_fail(err, PCR_ERR_INVAL, "attribute %u of %u", index, s->count);
    const struct pcri_schema_column *c = &s->columns[index];
    struct pcr_column_info info = {
        .element = c->type.element,
        .is_list = c->type.rank > 0,
        .length = c->type.length,
        .width = c->type.width,
        .name = c->name,
        .type = c->text,
    };
    return pcri_info_copy(info_out, "pcr_column_info", &info, sizeof(info), err);
}

void pcr_column_free(struct pcr_column **column)
{
    struct pcri_dataset_column *c = column ? (struct pcri_dataset_column *) *column : NULL;
    if (!c)
        return;
    pcr_buffer_free(&c->states);
    pcr_buffer_free(&c->offsets);
    pcr_buffer_free(&c->elements);
    pcr_buffer_free(&c->texts);
    free(c->name);
    free(c);
    *column = NULL;
}

static int create(const struct pcri_type *type, const char *name,
                  struct pcri_dataset_column **out, struct pcr_error *err)
{
    const uint64_t zero = 0;
    struct pcri_dataset_column *c = pcri_calloc(1, sizeof(*c), err);
    *out = c;
    if (!c)
        return PCR_ERR_NOMEM;
    c->type = *type;
    if (!(c->name = pcri_strndup(name, strlen(name), err)))
        return PCR_ERR_NOMEM;
    int rc = pcri_buffer_append(&c->offsets, &zero, sizeof(zero), err);
    if (!rc && pcri_type_is_text(&c->type))
        rc = pcri_buffer_append(&c->elements, &zero, sizeof(zero), err);
    return rc;
}

int pcri_column_create(const struct pcr_dataset *ds, const char *name,
                       struct pcri_dataset_column **out, struct pcr_error *err)
{
    const struct pcri_schema *s = &ds->manifest.schema;
    *out = NULL;
    if (!name)
        return pcri_fail(err, PCR_ERR_INVAL, "no name of an attribute");
    uint32_t i = pcri_schema_find(s, name);
    if (i == s->count)
        return pcri_fail(err, PCR_ERR_INVAL, "there is no attribute named '%.100s'", name);
    return create(&s->columns[i].type, name, out, err);
}

/* --- appending --- */

static int append_texts(struct pcri_dataset_column *c, const struct pcri_values *v,
                        uint64_t from, uint64_t end, struct pcr_error *err)
{
    const uint64_t *at = v->elements;
    const uint64_t shift = c->texts.nbytes - at[from];
    int rc = pcri_buffer_append(&c->texts, v->texts + at[from], (size_t) (at[end] - at[from]),
                                err);
    for (uint64_t e = from; e < end && !rc; e++) {
        const uint64_t to = at[e + 1] + shift;
        rc = pcri_buffer_append(&c->elements, &to, sizeof(to), err);
    }
    return rc;
}

/* Elements [from, end) of a record's column. */
static int append_elements(struct pcri_dataset_column *c, const struct pcri_values *v,
                           uint64_t from, uint64_t end, struct pcr_error *err)
{
    const size_t size = c->type.element == PCR_ELEMENT_BOOL ? 1 : 8;
    if (from == end)
        return 0;
    if (pcri_type_is_text(&c->type))
        return append_texts(c, v, from, end, err);
    return pcri_buffer_append(&c->elements, (const uint8_t *) v->elements + from * size,
                              (size_t) (end - from) * size, err);
}

/* What stands for `count` samples without a value. */
static int append_nothing(struct pcri_dataset_column *c, uint64_t count, struct pcr_error *err)
{
    const struct pcri_type *t = &c->type;
    const double nan = NAN;
    const uint64_t zero = 0;
    size_t n = (size_t) count;
    int rc = 0;
    if (pcri_type_varies(t))
        return 0;
    if (!pcri_mul(n, t->rank ? t->length : 1, &n) || !pcri_mul(n, t->width, &n))
        return pcri_fail_nomem(err, SIZE_MAX);
    for (size_t i = 0; i < n && !rc; i++) {
        if (pcri_type_is_text(t)) {
            const uint64_t to = c->texts.nbytes + 1;
            rc = pcri_buffer_append(&c->texts, "", 1, err);
            if (!rc)
                rc = pcri_buffer_append(&c->elements, &to, sizeof(to), err);
        } else {
            const void *one = t->element == PCR_ELEMENT_FLOAT64 ? (const void *) &nan : &zero;
            rc = pcri_buffer_append(&c->elements, one, t->element == PCR_ELEMENT_BOOL ? 1 : 8,
                                    err);
        }
    }
    return rc;
}

static int append_offsets(struct pcri_dataset_column *c, const struct pcri_values *v,
                          uint32_t from, uint32_t end, struct pcr_error *err)
{
    uint64_t at;
    int rc = 0;
    memcpy(&at, c->offsets.data + c->offsets.nbytes - sizeof(at), sizeof(at));
    for (uint32_t i = from; i < end && !rc; i++) {
        at += v ? v->first[i + 1] - v->first[i] : 0;
        rc = pcri_buffer_append(&c->offsets, &at, sizeof(at), err);
    }
    return rc;
}

/* Samples [from, end) that all have values, or that all have none. */
static int append_run(struct pcri_dataset_column *c, const struct pcri_values *v, bool any,
                      uint32_t from, uint32_t end, struct pcr_error *err)
{
    const uint64_t width = c->type.width;
    return any ? append_elements(c, v, v->first[from] * width, v->first[end] * width, err)
               : append_nothing(c, end - from, err);
}

static int append_absent(struct pcri_dataset_column *c, uint32_t count, struct pcr_error *err)
{
    static const uint8_t absent[256] = { 0 };
    int rc = pcri_type_varies(&c->type) ? append_offsets(c, NULL, 0, count, err) : 0;
    if (!rc)
        rc = append_nothing(c, count, err);
    for (uint32_t n; count && !rc; count -= n) {
        n = count < sizeof(absent) ? count : sizeof(absent);
        rc = pcri_buffer_append(&c->states, absent, n, err);
    }
    return rc;
}

int pcri_column_append(struct pcri_dataset_column *c, const struct pcri_record *r,
                       uint32_t from, uint32_t end, struct pcr_error *err)
{
    const struct pcri_attributes *a = r->head->attributes;
    const uint32_t column = pcri_attributes_find(a, c->name);
    const struct pcri_values *v;
    c->view.sample_count += end - from;
    if (!a || column == a->count)
        return append_absent(c, end - from, err);
    int rc = pcri_attribute_values(a, column, &v, err);
    if (rc)
        return pcri_prefix(err, rc, "%s", r->file->path);
    const uint8_t *states = a->columns[column].states;
    rc = pcri_buffer_append(&c->states, states + from, end - from, err);
    if (!rc && pcri_type_varies(&c->type))
        rc = append_offsets(c, v, from, end, err);
    while (from < end && !rc) {
        const bool any = states[from] == PCRI_ATTRIBUTE_VALUE;
        uint32_t to = from + 1;
        while (to < end && (states[to] == PCRI_ATTRIBUTE_VALUE) == any)
            to++;
        rc = append_run(c, v, any, from, to, err);
        from = to;
    }
    return rc;
}

int pcri_column_deliver(struct pcri_dataset_column *c, int rc, struct pcr_column **out)
{
    struct pcr_column *view = c ? &c->view : NULL;
    *out = NULL;
    if (rc || !c) {
        pcr_column_free(&view);
        return rc;
    }
    const struct pcri_type *t = &c->type;
    const bool texts = pcri_type_is_text(t);
    view->size = sizeof(*view);
    view->element = t->element;
    view->is_list = t->rank > 0;
    view->length = t->length;
    view->width = t->width;
    view->states = c->states.data;
    if (pcri_type_varies(t))
        view->offsets = (const uint64_t *) (const void *) c->offsets.data;
    view->element_count = c->elements.nbytes / (t->element == PCR_ELEMENT_BOOL ? 1 : 8) -
                          texts;
    view->values = texts ? NULL : c->elements.data;
    view->texts = texts ? (const char *) c->texts.data : NULL;
    if (texts)
        view->text_offsets = (const uint64_t *) (const void *) c->elements.data;
    *out = view;
    return 0;
}

/* --- joining --- */

/* Numbers from `from` on, each plus `shift`. */
static int append_shifted(struct pcr_buffer *out, const struct pcr_buffer *from,
                          uint64_t shift, struct pcr_error *err)
{
    int rc = 0;
    for (size_t at = sizeof(shift); at < from->nbytes && !rc; at += sizeof(shift)) {
        uint64_t v;
        memcpy(&v, from->data + at, sizeof(v));
        v += shift;
        rc = pcri_buffer_append(out, &v, sizeof(v), err);
    }
    return rc;
}

static int append_column(struct pcri_dataset_column *c, const struct pcri_dataset_column *part,
                         struct pcr_error *err)
{
    uint64_t last;
    memcpy(&last, c->offsets.data + c->offsets.nbytes - sizeof(last), sizeof(last));
    int rc = pcri_buffer_append(&c->states, part->states.data, part->states.nbytes, err);
    if (!rc)
        rc = append_shifted(&c->offsets, &part->offsets, last, err);
    if (!rc)
        rc = pcri_type_is_text(&c->type)
                 ? append_shifted(&c->elements, &part->elements, c->texts.nbytes, err)
                 : pcri_buffer_append(&c->elements, part->elements.data, part->elements.nbytes,
                                      err);
    if (!rc)
        rc = pcri_buffer_append(&c->texts, part->texts.data, part->texts.nbytes, err);
    c->view.sample_count += part->view.sample_count;
    return rc;
}

/* The same of a column whose lists are all of one length, to one where they differ. */
static int append_fixed(struct pcri_dataset_column *c, const struct pcri_dataset_column *part,
                        struct pcr_error *err)
{
    const struct pcri_values v = { .elements = part->elements.data,
                                   .texts = (char *) part->texts.data };
    const uint64_t length = part->type.length, row = length * part->type.width;
    const uint8_t *states = part->states.data;
    int rc = pcri_buffer_append(&c->states, states, part->states.nbytes, err);
    for (uint64_t i = 0; i < part->view.sample_count && !rc; i++) {
        const bool any = states[i] == PCRI_ATTRIBUTE_VALUE;
        uint64_t end;
        memcpy(&end, c->offsets.data + c->offsets.nbytes - sizeof(end), sizeof(end));
        end += any ? length : 0;
        rc = pcri_buffer_append(&c->offsets, &end, sizeof(end), err);
        if (!rc && any)
            rc = append_elements(c, &v, i * row, (i + 1) * row, err);
    }
    c->view.sample_count += part->view.sample_count;
    return rc;
}

/* The type of both: lists of other lengths become lists whose lengths differ. */
static bool unite(struct pcri_type *type, const struct pcri_type *other)
{
    struct pcri_type same = *other;
    if (type->rank && other->rank)
        same.length = type->length;
    if (!pcri_type_equal(type, &same))
        return false;
    if (type->length != other->length)
        type->length = 0;
    return true;
}

int pcr_column_join(const struct pcr_column *none, const struct pcr_column *const *parts,
                    uint32_t count, struct pcr_column **out, struct pcr_error *err)
{
    const struct pcri_dataset_column *kind = (const struct pcri_dataset_column *) none;
    struct pcri_dataset_column *c = NULL;
    struct pcri_type type = kind->type;
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc; i++) {
        const struct pcri_dataset_column *part = (const struct pcri_dataset_column *) parts[i];
        if (part && !unite(&type, &part->type))
            rc = pcri_fail(err, PCR_ERR_INVAL, "columns of different types");
    }
    if (!rc)
        rc = create(&type, kind->name, &c, err);
    for (uint32_t i = 0; i < count && !rc; i++) {
        const struct pcri_dataset_column *part = (const struct pcri_dataset_column *) parts[i];
        if (!part) {
            rc = append_absent(c, 1, err);
            c->view.sample_count++;
        } else {
            rc = pcri_type_equal(&part->type, &type) ? append_column(c, part, err)
                                                     : append_fixed(c, part, err);
        }
    }
    return pcri_column_deliver(c, rc, out);
}

/* --- reading --- */

int pcr_dataset_column(struct pcr_dataset *ds, const char *name, uint64_t first,
                       uint64_t count, struct pcr_column **out, struct pcr_error *err)
{
    const uint64_t all = ds->first_samples[ds->record_count];
    struct pcri_dataset_column *c = NULL;
    if (first > all || count > all - first)
        return pcri_fail(err, PCR_ERR_INVAL, "%llu samples from %llu, of %llu",
                         (unsigned long long) count, (unsigned long long) first,
                         (unsigned long long) all);
    int rc = pcri_column_create(ds, name, &c, err);
    uint64_t end = first + count, at = first;
    for (uint64_t r = count ? pcri_record_of(ds, first) : 0; !rc && at < end; r++) {
        uint64_t begin = ds->first_samples[r], stop = ds->first_samples[r + 1];
        struct pcri_held *held;
        stop = stop < end ? stop : end;
        if ((rc = pcri_hold(ds, r, &held, err)))
            break;
        rc = pcri_column_append(c, held->record, (uint32_t) (at - begin),
                                (uint32_t) (stop - begin), err);
        pcri_let_go(ds, held);
        at = stop;
    }
    return pcri_column_deliver(c, rc, out);
}
