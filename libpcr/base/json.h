/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and writing JSON, with lack of memory told apart from bad text.
 *
 * Values are jansson's. Its functions that only look at them (json_object_get() and the like)
 * allocate nothing. Those that make values are used only where NULL and -1 can mean nothing
 * but lack of memory: text is known to be UTF-8, numbers are in range. Jansson's own reader is
 * not used: it takes a buffer that cannot grow for an invalid token, or silently loses a digit
 * or a letter. Its printing is used: it leaves out what it has no memory for, but here that is
 * a failure. */
#ifndef PCRI_JSON_H
#define PCRI_JSON_H

#include <jansson.h>

#include "base.h"

/* Where a text is not JSON, and why (static text). */
struct pcri_json_fault {
    size_t offset;
    const char *what;
    bool too_deep; /* it may be JSON, but nested more than PCRI_JSON_DEPTH deep */
};

enum {
    PCRI_JSON_ANY = 1 << 0,        /* any value, not only an object or array */
    PCRI_JSON_BEGINNING = 1 << 1,  /* text after the value is ignored */
    PCRI_JSON_DUPLICATES = 1 << 2, /* of members with the same name, the last counts */
};

/* Reads RFC 8259's JSON: UTF-8, integers of 64 bits and finite floats, no U+0000; values
 * nested at most PCRI_JSON_DEPTH deep, numbers of at most PCRI_JSON_NUMBER bytes. 0: *out is
 * the value; 1: the text is not JSON, and *fault (may be NULL) says why; NOMEM. *out is NULL
 * unless 0. */
int pcri_json_parse(const char *text, size_t nbytes, unsigned flags, json_t **out,
                    struct pcri_json_fault *fault, struct pcr_error *err);
enum { PCRI_JSON_DEPTH = 512, PCRI_JSON_NUMBER = 1000 };

/* --- the same text, read piece by piece: no values are made, so that only the longest string
 * takes memory. Functions return 0, 1 for bad text (see r->fault), or NOMEM. --- */
struct pcri_json_reader {
    const char *at, *end, *start;
    unsigned flags, depth;
    bool passing;            /* skipping a value */
    struct pcr_buffer stack; /* names of the open members, and the current string */
    struct pcri_json_fault fault;
    struct pcr_error *err;
};

/* Start from this; pcri_json_close() frees the reader's memory. */
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

/* Moves after '[' or '{', to the first element or member; 1 also if it is another value. */
int pcri_json_first(struct pcri_json_reader *r, char open);
/* Moves from the end of an element or member to the next, or after the ']' or '}'. */
int pcri_json_next(struct pcri_json_reader *r, char close);
/* Reads a member's name and moves to its value. The name lives until the next call. */
int pcri_json_name(struct pcri_json_reader *r, const char **name_out);
/* Skips a value and checks it. Names within it may occur twice. */
int pcri_json_pass(struct pcri_json_reader *r);
/* A string, with a NUL after it, valid until the next call; 1 also if it is another value. */
int pcri_json_string(struct pcri_json_reader *r, const char **text_out, size_t *nbytes_out);
/* A whole number from 0 to max; 1 also if it is another value. */
int pcri_json_whole(struct pcri_json_reader *r, uint64_t max, uint64_t *out);
/* An array of `count` of them. */
int pcri_json_numbers(struct pcri_json_reader *r, uint64_t max, uint64_t count, uint64_t *out);
/* Checks that nothing but blanks is left. */
int pcri_json_end(struct pcri_json_reader *r);

/* The value of a number in JSON's syntax, whatever the locale; false if it is not finite, or
 * longer than PCRI_JSON_NUMBER. */
bool pcri_json_double(const char *number, size_t nbytes, double *out);

/* Appends a value's text, without blanks, keys in byte order. NOMEM. */
int pcri_json_append(const json_t *value, struct pcr_buffer *out, struct pcr_error *err);
/* The same as malloc'd text. */
int pcri_json_text(const json_t *object, char **out, struct pcr_error *err);

#endif
