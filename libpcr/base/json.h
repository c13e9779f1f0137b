/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON in and out, where want of memory is told apart from bad text. */
#ifndef PCRI_JSON_H
#define PCRI_JSON_H

#include <jansson.h>

#include "base.h"

/* As json_loadb(). Where there is too little memory, jansson takes the text for bad, or drops a
 * byte of a string; here it is NOMEM. 0: *out is the value; 1: it is no JSON, and *why tells. */
int pcri_json_parse(const char *text, size_t nbytes, size_t flags, json_t **out,
                    json_error_t *why, struct pcr_error *err);

/* Appends an object's text, without blanks, keys in byte order. NOMEM. Jansson's own printing
 * leaves keys out where memory is short for a moment. */
int pcri_json_append(const json_t *object, struct pcr_buffer *out, struct pcr_error *err);
/* The same as malloc'd text. */
int pcri_json_text(const json_t *object, char **out, struct pcr_error *err);

#endif
