/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits and classes with their counts, as a manifest has them. */
#ifndef PCRTOOL_CONTENTS_H
#define PCRTOOL_CONTENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The manifest, parsed; NULL where the text is none, as for a single record. Release it with
 * json_decref(). */
json_t *pcrtool_contents(const void *manifest, size_t nbytes);

/* Samples of split `index` that have no class though the dataset has classes; 0 where
 * manifest is NULL. */
uint64_t pcrtool_contents_unlabelled(const json_t *manifest, size_t index);

/* Prints a line for each split, and one of the classes: all or the first and last ones. */
void pcrtool_contents_print(const json_t *manifest);

/* Sets object.splits, object.classes and object.labels ("class", "ints", "none"). */
void pcrtool_contents_json(const json_t *manifest, json_t *object);

#endif
