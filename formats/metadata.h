/* SPDX-License-Identifier: BSD-2-Clause */
/* Files metadata.csv and metadata.jsonl in a tree of images, as Hugging Face's imagefolder
 * has them. */
#ifndef PCRI_METADATA_H
#define PCRI_METADATA_H

#include "layout.h"

/* Gives the tree's samples what such files say of them: attributes, and labels where the layout
 * has no classes; *classes_out then has their names, if they have any. The samples are those
 * that the layout has left, sorted by key. Files without file_name are none of these, and stay
 * counted as ignored. `sure`: the layout was not asked for, so a label that is not the folder's
 * is an error. `given`: the classes as the options name them, or count 0. INVAL (a row; an image
 * that is not there), IO, NOMEM. */
int pcri_metadata_apply(struct pcri_tree *t, const struct pcri_layout *l, bool sure,
                        const struct pcr_source_options *opts, const struct pcri_names *given,
                        struct pcri_names *classes_out, struct pcr_error *err);

#endif
