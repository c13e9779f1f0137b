/* SPDX-License-Identifier: BSD-2-Clause */
/* Files below a folder, under names that somebody else chose. */
#ifndef PCRI_TREE_H
#define PCRI_TREE_H

#include "tape.h"

/* The object by which one writer at a time claims a folder. */
#define PCRI_TREE_CLAIM ".pcr-export"

struct pcri_file_tree {
    int fd;           /* of the folder; -1: not open */
    const char *path; /* of the folder, borrowed */
};

/* NULL if `key` may name a file below a folder, else why not: it is empty or absolute, or has an
 * empty part, "." or "..", or one that is the writer's own. */
const char *pcri_tree_unsafe(const char *key);

/* Opens the folder, which may be a symbolic link, and removes what a killed writer left there;
 * under a claim. IO. */
int pcri_tree_open(const char *path, struct pcri_file_tree *t, struct pcr_error *err);

/* Writes the file of that safe key: all of it or nothing, through a temporary file in the folder,
 * never through a symbolic link. Makes its folders. Without `replace` an existing file stays: IO
 * with EEXIST. info: the mode and time that it gets, as far as the file system has them; { 0 }: the
 * usual ones. Messages begin with the key, which is any bytes. IO, NOMEM. */
int pcri_tree_write(const struct pcri_file_tree *t, const char *key, const void *data,
                    size_t nbytes, const struct pcr_file_info *info, bool replace,
                    struct pcr_error *err);

/* The same with what is on a tape. */
int pcri_tree_put(const struct pcri_file_tree *t, const char *key,
                  const struct pcri_tape *tape, bool replace, struct pcr_error *err);

void pcri_tree_close(struct pcri_file_tree *t);

#endif
