/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of the folders of a tree: splits, classes, or nothing. */
#ifndef PCRI_LAYOUT_H
#define PCRI_LAYOUT_H

#include "walk.h"

/* A folder: the run of the tree's files below it. */
struct pcri_folder {
    const char *name;
    size_t begin, end;     /* files */
    size_t key_nbytes;     /* of their keys: length of the part that names the folder */
    size_t images, direct; /* images below it at any depth; directly in it */
};

/* The folders in a folder; those without an image below them are left out. */
struct pcri_folders {
    struct pcri_folder *items; /* in the arena */
    size_t count;
};

struct pcri_layout {
    uint32_t kind;                /* enum pcr_folder_layout, not AUTO */
    struct pcri_folder base;      /* the folder that holds the rest */
    struct pcri_folders tops;     /* splits or classes */
    struct pcri_folder *bases;    /* of each split: the folder that holds its classes */
    struct pcri_folders *classes; /* of each split: its class folders; none: no labels */
    struct pcri_names split_names, class_names; /* count 0: none */
};

/* Finds the layout: `kind` (enum pcr_folder_layout), or for AUTO the one that names and
 * contents show. In doubt INVAL, with the possible readings. NOMEM. */
int pcri_layout_find(const struct pcri_tree *t, uint32_t kind, struct pcri_layout *l,
                     struct pcr_error *err);

/* The layout of this kind, whatever the names are. (layout_build.c) */
int pcri_layout_build(const struct pcri_tree *t, uint32_t kind, struct pcri_layout *l,
                      struct pcr_error *err);
/* The folders in `f`. (layout_build.c) */
int pcri_folders_list(const struct pcri_tree *t, const struct pcri_folder *f,
                      struct pcri_folders *out, struct pcr_error *err);
/* The base and the top folders of a tree. (layout_build.c) */
int pcri_layout_tops(const struct pcri_tree *t, struct pcri_layout *l, struct pcr_error *err);
/* Fills bases, classes and names of the layout's splits. `sure`: the user did not ask for this
 * layout, so that folders like `images` between splits and files are not classes.
 * (layout_build.c) */
int pcri_layout_splits(const struct pcri_tree *t, struct pcri_layout *l, bool sure,
                       struct pcr_error *err);

/* Whether there is one with this name. */
bool pcri_folders_have(const struct pcri_folders *f, const char *name);

/* "class", "split-class" and so on. */
const char *pcri_layout_name(uint32_t kind);

#endif
