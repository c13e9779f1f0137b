/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits and classes with their counts, attributes and blobs, from a manifest. */
#ifndef PCRTOOL_CONTENTS_H
#define PCRTOOL_CONTENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The manifest, parsed; NULL if there is no text, as for a single record. Release it with
 * json_decref(). */
json_t *pcrtool_contents(const void *manifest, size_t nbytes);

/* Samples of split `index` without a class although the dataset has classes; 0 if manifest is
 * NULL. */
uint64_t pcrtool_contents_unlabelled(const json_t *manifest, size_t index);

/* Prints a line for each split; one with the classes: all, or the first and last ones; and the
 * attributes with their types, and the blobs. */
void pcrtool_contents_print(const json_t *manifest);

/* Sets object.splits, object.classes, object.labels ("class", "ints", "none"), object.attributes
 * (their types by name) and object.blobs (names). */
void pcrtool_contents_json(const json_t *manifest, json_t *object);

#endif
