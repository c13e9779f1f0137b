/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking a folder tree: each file, and each folder once, in an order of our own. */
#ifndef PCRI_WALK_H
#define PCRI_WALK_H

#include <pcr/import.h>

#include "entries.h"

/* What a walk found. Paths begin with the root's; `root_nbytes` further on they are below
 * it. Strings live in the entries' arena. */
struct pcri_tree {
    struct pcri_entries *files; /* path and key set, sorted by key */
    const char **folders;       /* paths below the root of folders at depth 1 and 2 */
    size_t folder_count, folder_capacity;
};

/* Walks `root`. Hidden files and folders are left out; symbolic links are followed, but
 * no folder is entered twice, and one reached without a link comes before one reached
 * through one. Codes: IO for a folder that cannot be read, NOMEM. */
int pcri_walk(const char *root, const struct pcr_import_options *opts,
              struct pcri_tree *tree, struct pcr_error *err);

#endif
