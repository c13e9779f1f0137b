/* SPDX-License-Identifier: BSD-2-Clause */
/* A sample of a record format: named values, of which one is the image, others are label and key,
 * and the rest attributes. */
#ifndef PCRI_EXAMPLE_H
#define PCRI_EXAMPLE_H

#include "container.h"

struct pcri_value {
    const char *name; /* any bytes, no NUL at the end */
    size_t name_nbytes;
    const uint8_t *data; /* bytes, or NULL */
    size_t nbytes;
    uint64_t offset; /* of the bytes in the container's file */
    json_t *json;    /* another value: a number, a text, an array of either, or an object */
    bool listed;     /* `json` is an array because the format has nothing else (shapes.h) */
    const char *unknown; /* or why it cannot be taken: static text */
};

struct pcri_example {
    const char *file;   /* NULL: the container's path; else it lives in the arena */
    uint64_t offset;    /* of the record, for messages */
    uint64_t number;    /* in its file, from 0 */
    const char *prefix; /* of the keys that are made of the number */
    bool spool;         /* the bytes do not lie in the file as they are */
    struct pcri_value *values;
    size_t count, capacity;
};

/* A new zeroed value. NULL for lack of memory. Moves the others. */
struct pcri_value *pcri_example_value(struct pcri_example *x, const char *name,
                                      size_t name_nbytes, struct pcr_error *err);

/* Frees the values, but keeps the array. */
void pcri_example_clear(struct pcri_example *x);
void pcri_example_free(struct pcri_example *x);

/* Sets a number. kind: 'i' (signed), 'u', 'f'; little-endian, of 1 to 8 bytes. *bad: it has
 * another size. NOMEM. */
int pcri_value_number(struct pcri_value *v, char kind, const uint8_t *data, size_t nbytes,
                      bool *bad, struct pcr_error *err);

/* Whether bytes can be a text in JSON: UTF-8 without NULs. */
bool pcri_value_is_text(const uint8_t *data, size_t nbytes);

/* Makes a row of it.
 *
 * image: the value that the options name (image_field), or bytes that begin like an image,
 *   of a usual name (image/encoded, image, jpg ...) if there are several.
 * label: the value that they name, or the first of image/class/label, label, labels, class, cls,
 *   target, image/class/text. Numbers are labels, text is a class.
 * key: the value that they name, or image/filename, filename, file_name, key, __key__; else
 *   the prefix, the number and an ending by the image's format. An empty key_field: always the
 *   latter.
 *
 * Other bytes that are no text are blobs, and so is what one of this library's exports names as
 * such. All others are attributes; what JSON cannot hold is noted once for each name. A record
 * without an image is damaged, see pcri_container_damaged(). */
int pcri_example_add(struct pcri_container *s, struct pcri_example *x, struct pcr_error *err);

#endif
