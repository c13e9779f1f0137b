/* SPDX-License-Identifier: BSD-2-Clause */
/* Walking a folder tree: each file, and each folder once, in an order that depends only on the
 * names. */
#ifndef PCRI_WALK_H
#define PCRI_WALK_H

#include <pcr/source.h>

#include "entries.h"

/* A growable list of paths. */
struct pcri_paths {
    const char **items;
    size_t count, capacity;
};

/* The result of a walk. Paths begin with the root's. Strings live in the entries' arena, the
 * lists are malloc'd. */
struct pcri_tree {
    struct pcri_entries *files; /* files that may be samples: path, key, kind; sorted by key */
    bool no_images;             /* none of them is known to be an image so far */
    struct pcri_paths metadata; /* files named metadata.csv or metadata.jsonl; paths */
    struct pcri_paths aliases;  /* links to folders that were found elsewhere; keys */
    size_t root_nbytes;         /* offset in a path where its key begins */
};

/* Walks `root`. Hidden files and folders are left out, and those that file systems and
 * archivers add (@eaDir, __MACOSX). Files whose names are not those of images are counted in
 * files->ignored_count. Symbolic links are followed, but no folder is entered twice, and one
 * reached without a link comes before one reached through one. Codes: IO for a folder that
 * cannot be read, NOMEM. */
int pcri_walk(const char *root, const struct pcr_source_options *opts, struct pcri_tree *tree,
              struct pcr_error *err);

#endif
