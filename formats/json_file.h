/* SPDX-License-Identifier: BSD-2-Clause */
/* Large JSON files: an object, whose members are read through a window that moves over the file, an
 * array's elements one by one. Only the largest element must fit in memory. */
#ifndef PCRI_JSON_FILE_H
#define PCRI_JSON_FILE_H

#include "../libpcr/base/json.h"

/* A member of the file's object; or an element, if the member is an array. The text ends where the
 * value's brackets and quotes do; whether it is JSON is for a parser to say. */
struct pcri_json_part {
    const char *member; /* its name */
    bool is_element;    /* of an array */
    uint64_t index;     /* of the element */
    uint64_t offset;    /* of the text, in the file */
    const char *text;   /* valid during the call */
    size_t nbytes;      /* of the text */
};

/* Calls each() for every part, in the file's order; an array without elements is one part. What it
 * returns, unless 0, ends the reading. IO, NOMEM; FORMAT with file and byte: not such a file;
 * LIMIT: a part of more than 1 GiB. */
int pcri_json_file_read(const char *path,
                        int (*each)(void *context, const struct pcri_json_part *part,
                                    struct pcr_error *err),
                        void *context, struct pcr_error *err);

/* A piece of a part's text. */
struct pcri_json_slice {
    const char *text; /* NULL: there is none */
    size_t nbytes;
};

/* Checks that a text is an object, and finds the values of the `count` members that are named. 0;
 * 1: it is no object, and *fault says why; NOMEM. */
int pcri_json_members(const char *text, size_t nbytes, const char *const *names, size_t count,
                      struct pcri_json_slice *values, struct pcri_json_fault *fault,
                      struct pcr_error *err);

#endif
