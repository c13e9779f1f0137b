/* SPDX-License-Identifier: BSD-2-Clause */
/* Files metadata.csv and metadata.jsonl in a tree of images, as in Hugging Face's
 * imagefolder. */
#ifndef PCRI_METADATA_H
#define PCRI_METADATA_H

#include "layout.h"

/* Gives the tree's samples what such files say about them: attributes, and labels if the
 * layout has no classes; *classes_out then has their names, if they have any. The samples are
 * those that the layout kept, sorted by key. Files without file_name are not such files, and
 * stay counted as ignored. `sure`: the user did not ask for this layout, so a label that is
 * not the folder's is an error. `given`: the classes that the options name, or count 0. INVAL
 * (a row; an image that does not exist), IO, NOMEM. */
int pcri_metadata_apply(struct pcri_tree *t, const struct pcri_layout *l, bool sure,
                        const struct pcr_source_options *opts, const struct pcri_names *given,
                        struct pcri_names *classes_out, struct pcr_error *err);

#endif
