/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes of record formats in which every number is a list. A list of one becomes the value
 * itself, unless the attribute has other lengths in other samples: then it is a list in all. */
#ifndef PCRI_SHAPES_H
#define PCRI_SHAPES_H

#include "list.h"

/* Remembers the length of an attribute's list in *shapes, which is NULL at first. NOMEM. */
int pcri_shapes_count(json_t **shapes, const char *name, size_t length, struct pcr_error *err);

/* After all rows are made. shapes: may be NULL. NOMEM. */
int pcri_shapes_settle(json_t *shapes, struct pcri_list *l, struct pcr_error *err);

#endif
