/* SPDX-License-Identifier: BSD-2-Clause */
/* A tree of folders as a source, wherever its files lie. */
#ifndef PCRI_FOLDER_H
#define PCRI_FOLDER_H

#include "walk.h"

/* Gives the files of a tree, which are sorted by key, their splits and classes by the folders in
 * their keys, and completes the source. Files without a place are left out. path: for messages.
 * INVAL (in doubt), IO, NOMEM. */
int pcri_folder_finish(const char *path, const struct pcr_source_options *opts,
                       struct pcri_tree *tree, struct pcr_error *err);

#endif
