/* SPDX-License-Identifier: BSD-2-Clause */
/* What this library's own exports say of a sample, beyond what their formats have a place for. */
#ifndef PCRI_EXPORTED_H
#define PCRI_EXPORTED_H

#include "container.h"

/* Takes key, label, split and the list of blobs out of an object with `__key__`, as export_text.c
 * writes it: what is left are the sample's attributes. Other objects stay as they are. What the
 * user has chosen (label_field, key_field, a split) counts more. INVAL, NOMEM. */
int pcri_exported_take(struct pcri_container *s, struct pcri_list_row *row, json_t *object,
                       struct pcr_error *err);

/* Reads such an object from text; *out is NULL if it is none. NOMEM. */
int pcri_exported_parse(const char *text, size_t nbytes, json_t **out, struct pcr_error *err);

#endif
