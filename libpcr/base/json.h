/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON in and out, where want of memory is told apart from bad text.
 *
 * Values are jansson's; its functions that only look at them (json_object_get() and the like)
 * take no memory. Those that make values are used where NULL and -1 can mean want of memory
 * alone: text is known to be UTF-8, numbers are in range. Jansson's own reader is not used: a
 * buffer that cannot grow is an invalid token to it, or costs a digit or a letter without a
 * word. Its printing is: it leaves out what it has no memory for, but here that is a failure. */
#ifndef PCRI_JSON_H
#define PCRI_JSON_H

#include <jansson.h>

#include "base.h"

/* Where a text is no JSON, and why (static text). */
struct pcri_json_fault {
    size_t offset;
    const char *what;
};

enum {
    PCRI_JSON_ANY = 1 << 0,        /* any value, not only an object or array */
    PCRI_JSON_BEGINNING = 1 << 1,  /* what follows the value is not looked at */
    PCRI_JSON_DUPLICATES = 1 << 2, /* of members with one name the last counts */
};

/* Reads RFC 8259's JSON: UTF-8, integers of 64 bits and finite floats, no U+0000; values at most
 * PCRI_JSON_DEPTH deep, numbers of at most PCRI_JSON_NUMBER bytes. 0: *out is the value; 1: it
 * is none, and *fault (may be NULL) tells; NOMEM. *out is NULL but for 0. */
int pcri_json_parse(const char *text, size_t nbytes, unsigned flags, json_t **out,
                    struct pcri_json_fault *fault, struct pcr_error *err);
enum { PCRI_JSON_DEPTH = 512, PCRI_JSON_NUMBER = 1000 };

/* The value of a number as JSON has it, whatever the locale; false if it is not finite, or
 * longer than PCRI_JSON_NUMBER. */
bool pcri_json_double(const char *number, size_t nbytes, double *out);

/* Appends an object's text, without blanks, keys in byte order. NOMEM. */
int pcri_json_append(const json_t *object, struct pcr_buffer *out, struct pcr_error *err);
/* The same as malloc'd text. */
int pcri_json_text(const json_t *object, char **out, struct pcr_error *err);

#endif
