/* SPDX-License-Identifier: BSD-2-Clause */
/* What the names of folders and files in a tree of images usually mean. */
#ifndef PCRI_FOLDER_NAMES_H
#define PCRI_FOLDER_NAMES_H

#include "../libpcr/base/base.h"

enum pcri_split_kind {
    PCRI_SPLIT_NONE = 0, /* not a name of a split */
    PCRI_SPLIT_TRAIN,
    PCRI_SPLIT_VALIDATION,
    PCRI_SPLIT_TEST,
};

/* A split's name by itself, in any case: train, training, val, valid, validation, dev, eval,
 * test, testing and the like. */
enum pcri_split_kind pcri_split_kind(const char *name);
bool pcri_is_split_name(const char *name);

/* The same where such a word is a part of the name, as in train2017, test_set, seg_train. */
enum pcri_split_kind pcri_split_kind_within(const char *name);

/* A name that says only that images are within: images, img, data, photos. */
bool pcri_is_container_name(const char *name);

/* Of these one that no class has: images, JPEGImages. */
bool pcri_is_images_name(const char *name);

/* A file or folder that a file system, a file server or an archiver has added. */
bool pcri_is_clutter(const char *name);

enum pcri_file_kind {
    PCRI_FILE_IMAGE,   /* an image by its name, or where that tells nothing, by its bytes */
    PCRI_FILE_OTHER,   /* by its name something else: never a sample */
    PCRI_FILE_UNKNOWN, /* may be a sample; reading it will show */
};

/* `path`: to open, if the name's ending does not tell. What is not there or no file is UNKNOWN.
 * Codes: IO, NOMEM. */
int pcri_file_kind(const char *path, enum pcri_file_kind *kind_out, struct pcr_error *err);

#endif
