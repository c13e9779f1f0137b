/* SPDX-License-Identifier: BSD-2-Clause */
/* The first sample of a source, to be shown before a conversion. */
#ifndef PCRTOOL_EXAMPLE_H
#define PCRTOOL_EXAMPLE_H

#include <jansson.h>

#include <pcr/source.h>

/* An object: key, path, nbytes (null where it is not known), split, labels or class, attributes,
 * blobs with their bytes. NULL if there is none. Release it with json_decref(). */
json_t *pcrtool_example(const struct pcr_source *source);

/* Prints it in lines. Accepts NULL. */
void pcrtool_example_print(const json_t *example);

#endif
