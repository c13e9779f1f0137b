/* SPDX-License-Identifier: BSD-2-Clause */
/* The names and types of a dataset's attributes (docs/FORMAT.md 3.7), and how they are found. */
#ifndef PCRI_SCHEMA_H
#define PCRI_SCHEMA_H

#include <pcr/dataset.h>

#include "../base/json.h"

enum { PCRI_SCHEMA_COLUMNS = 1000, PCRI_TYPE_NBYTES = 48 };

struct pcri_type {
    uint32_t element; /* enum pcr_element; 0: of no value yet */
    uint32_t rank;    /* 0: one element; 1: a list of elements; 2: of rows */
    uint32_t length;  /* of lists: items; 0: they differ */
    uint32_t width;   /* elements of an item */
};

static inline bool pcri_type_is_text(const struct pcri_type *t)
{
    return t->element == PCR_ELEMENT_STRING || t->element == PCR_ELEMENT_JSON;
}
/* Whether values have different numbers of items. */
static inline bool pcri_type_varies(const struct pcri_type *t)
{
    return t->rank && !t->length;
}
static inline bool pcri_type_equal(const struct pcri_type *a, const struct pcri_type *b)
{
    return a->element == b->element && a->rank == b->rank && a->length == b->length &&
           a->width == b->width;
}

struct pcri_schema_column {
    char *name; /* malloc'd */
    struct pcri_type type;
    char text[PCRI_TYPE_NBYTES]; /* of the type */
    bool inexact;                /* surveys: it has a whole number that no binary64 is */
};

/* Start from { 0 }. */
struct pcri_schema {
    struct pcri_schema_column *columns; /* by name, in rising byte order */
    uint32_t count;
    size_t capacity;
};

void pcri_schema_free(struct pcri_schema *s);
int pcri_schema_copy(struct pcri_schema *out, const struct pcri_schema *from,
                     struct pcr_error *err);
/* The position of a name; s->count if it is not there. */
uint32_t pcri_schema_find(const struct pcri_schema *s, const char *name);
/* Adds a column: false in *added if the name is there already. LIMIT, NOMEM. */
int pcri_schema_add(struct pcri_schema *s, const char *name, const struct pcri_type *type,
                    bool *added, struct pcr_error *err);

/* The type that a text names; false if it names none. */
bool pcri_type_parse(const char *text, struct pcri_type *out);
/* Whether a value that is not null can be stored in a column. */
bool pcri_type_holds(const struct pcri_type *type, const json_t *value);

/* Widens the columns for the members of an object, or adds them. LIMIT, NOMEM. */
int pcri_schema_survey(struct pcri_schema *s, const json_t *object, struct pcr_error *err);
/* The same for one value of one name. */
int pcri_schema_widen(struct pcri_schema *s, const char *name, const json_t *value,
                      struct pcr_error *err);
/* Settles the types, once all objects were seen. */
void pcri_schema_settle(struct pcri_schema *s);

#endif
