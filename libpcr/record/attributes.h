/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes of a record's samples: column 3 of the head (docs/FORMAT.md 3.7). */
#ifndef PCRI_ATTRIBUTES_H
#define PCRI_ATTRIBUTES_H

#include <stdatomic.h>

#include "schema.h"

/* Whether a sample has an attribute, as stored. */
enum pcri_attribute_state {
    PCRI_ATTRIBUTE_ABSENT = 0,
    PCRI_ATTRIBUTE_VALUE = 1,
    PCRI_ATTRIBUTE_NULL = 2,
};

/* The numbers below which a float64 column stores whole multiples of a power of ten. */
enum { PCRI_MOST_DECIMALS = 9, PCRI_NO_DECIMALS = 255 };
#define PCRI_MOST_WHOLE (INT64_C(1) << 53)
extern const double pcri_powers_of_ten[PCRI_MOST_DECIMALS + 1];

/* A column's values, unpacked. Items are elements, or rows of type.width of them. */
struct pcri_values {
    uint32_t *first; /* N + 1: the items of sample i are first[i] .. first[i + 1] */
    void *elements;  /* uint8_t, int64_t or double; of texts uint64_t: where in `texts` each
                      * begins, and where the last one ends */
    char *texts;     /* each with a NUL after it */
};

struct pcri_attribute {
    const char *name;
    struct pcri_type type;
    const uint8_t *states;                /* N bytes, enum pcri_attribute_state */
    struct pcri_cursor packed;            /* the rest of the column */
    _Atomic(struct pcri_values *) values; /* NULL until they are first asked for */
};

struct pcri_attributes {
    uint32_t sample_count, count;
    struct pcri_attribute *columns; /* by name, in rising byte order */
    uint8_t *bytes;                 /* the head's column */
    struct pcr_buffer names;
};

/* Reads the table of columns, and keeps a copy of them; their values stay packed. *c is moved to
 * what follows them. CORRUPT, NOMEM. (attributes_read.c) */
int pcri_attributes_parse(struct pcri_cursor *c, uint32_t sample_count,
                          struct pcri_attributes **out, struct pcr_error *err);
void pcri_attributes_free(struct pcri_attributes **a);

/* The position of a name; a->count if it is not there, also in NULL's. */
uint32_t pcri_attributes_find(const struct pcri_attributes *a, const char *name);
/* The values of a column, unpacked once and owned by `a`. Any thread may ask. CORRUPT, NOMEM. */
int pcri_attribute_values(const struct pcri_attributes *a, uint32_t column,
                          const struct pcri_values **out, struct pcr_error *err);
/* Whether the schema has all columns, with these types. */
bool pcri_attributes_match(const struct pcri_attributes *a, const struct pcri_schema *schema);
/* Sample i's attributes as the text of a canonical JSON object, "{}" if it has none (or a is
 * NULL), with a NUL after it that *out does not count. *out is replaced. CORRUPT, NOMEM. */
int pcri_attributes_text(const struct pcri_attributes *a, uint32_t i, struct pcr_buffer *out,
                         struct pcr_error *err);

/* Appends the bytes of column 3 for the objects' texts (NULL: none) of N samples; nothing if no
 * sample has attributes. The schema must have them: INVAL names the key if not. NOMEM.
 * (attributes_write.c) */
struct pcri_attribute_row {
    const char *key, *object;
};
int pcri_attributes_pack(const struct pcri_schema *schema,
                         const struct pcri_attribute_row *rows, uint32_t count,
                         struct pcr_buffer *out, struct pcr_error *err);

#endif
