/* SPDX-License-Identifier: BSD-2-Clause */
/* The inputs of a source as a user writes them: names of files, patterns, folders that hold
 * containers, and the split that each is of. */
#ifndef PCRI_INPUTS_H
#define PCRI_INPUTS_H

#include "entries.h"
#include "importer.h"

/* What one thing that was written led to. Strings live in the arena of struct pcri_inputs. */
struct pcri_given {
    const char *path;
    const char *split;   /* written as "NAME=", or guessed; or NULL */
    bool is_guess;       /* `split` is one */
    const char *images;  /* annotations: the folder of their images; else NULL */
    const char *list;    /* VOC: a list of the files in the folder `path`; NULL: all */
    size_t below_nbytes; /* of the path: the folder that was searched for it; 0: none was */
};

/* Start from {0}. */
struct pcri_inputs {
    struct pcri_arena arena;
    struct pcri_given *items;
    size_t count, capacity;
};

/* Adds what `text` means: the file of that name; else what matches it as a pattern, with *, ?,
 * [...], {a,b} and {000..127}, ordered by the numbers and letters in the names; else the same of
 * what follows "NAME=", as files of that split. IO (nothing is there), INVAL (nothing matches),
 * LIMIT (too many names in braces), NOMEM. */
int pcri_inputs_add(struct pcri_inputs *in, const char *text, struct pcr_error *err);

/* Puts in place of folders that hold files with endings of importers, and no images, these
 * files. Such an importer is returned in *im_out (else that is NULL); INVAL if there are
 * files of several. */
int pcri_inputs_search(struct pcri_inputs *in, const struct pcri_importer *const *importers,
                       const struct pcri_importer **im_out, struct pcr_error *err);

/* Gives inputs without a split the one that their folders and names tell. INVAL if they tell it
 * of some only. */
int pcri_inputs_guess_splits(struct pcri_inputs *in, struct pcr_error *err);

/* How many bytes of each path are the folder, with its slash, that all inputs are in.
 * (shard_name.c) */
size_t pcri_common_folder(const struct pcri_inputs *in);

/* What tells one input from the others, by its path below that folder: without slashes at the end
 * and endings such as ".tfrecord.gz". Lives in the arena. NULL: NOMEM. (shard_name.c) */
const char *pcri_shard_name(const char *path, struct pcri_arena *arena, struct pcr_error *err);

void pcri_inputs_free(struct pcri_inputs *in);

#endif
