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
    bool too_deep; /* it may be JSON, but more than PCRI_JSON_DEPTH deep */
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

/* --- the same text, read piece by piece: no value is made, so that it takes no memory but for
 * the longest string. Functions return 0, 1 for bad text (see r->fault), or NOMEM. --- */
struct pcri_json_reader {
    const char *at, *end, *start;
    unsigned flags, depth;
    bool passing;            /* over a value of which nothing is kept */
    struct pcr_buffer stack; /* names of the open members, and the string that is read */
    struct pcri_json_fault fault;
    struct pcr_error *err;
};

/* Start from this; pcri_json_close() frees what was taken. */
static inline struct pcri_json_reader pcri_json_reader(const char *text, size_t nbytes,
                                                       struct pcr_error *err)
{
    return (struct pcri_json_reader) {
        .at = text, .end = text + nbytes, .start = text, .err = err
    };
}
void pcri_json_close(struct pcri_json_reader *r);

/* No element follows: instead of 0. */
enum { PCRI_JSON_LAST = 2 };

/* After '[' or '{', where the first element or member is; 1 also where it is another value. */
int pcri_json_first(struct pcri_json_reader *r, char open);
/* From after an element or member to the next, or after the ']' or '}'. */
int pcri_json_next(struct pcri_json_reader *r, char close);
/* A member's name, and to its value. The name lives until the next call. */
int pcri_json_name(struct pcri_json_reader *r, const char **name_out);
/* Over a value, which is checked. Names within it may stand twice. */
int pcri_json_pass(struct pcri_json_reader *r);
/* A string, with a NUL after it, until the next call; 1 also where it is another value. */
int pcri_json_string(struct pcri_json_reader *r, const char **text_out, size_t *nbytes_out);
/* A whole number from 0 to max; 1 also where it is another value. */
int pcri_json_whole(struct pcri_json_reader *r, uint64_t max, uint64_t *out);
/* An array of so many of them. */
int pcri_json_numbers(struct pcri_json_reader *r, uint64_t max, uint64_t count, uint64_t *out);
/* Nothing but blanks is left. */
int pcri_json_end(struct pcri_json_reader *r);

/* The value of a number as JSON has it, whatever the locale; false if it is not finite, or
 * longer than PCRI_JSON_NUMBER. */
bool pcri_json_double(const char *number, size_t nbytes, double *out);

/* Appends an object's text, without blanks, keys in byte order. NOMEM. */
int pcri_json_append(const json_t *object, struct pcr_buffer *out, struct pcr_error *err);
/* The same as malloc'd text. */
int pcri_json_text(const json_t *object, char **out, struct pcr_error *err);

#endif
