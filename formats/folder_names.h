/* SPDX-License-Identifier: BSD-2-Clause */
/* What the names of folders and files in a tree of images usually mean. */
#ifndef PCRI_FOLDER_NAMES_H
#define PCRI_FOLDER_NAMES_H

#include <pcr/source.h>

#include "../libpcr/base/base.h"

enum pcri_split_kind {
    PCRI_SPLIT_NONE = 0, /* not a name of a split */
    PCRI_SPLIT_TRAIN,
    PCRI_SPLIT_VALIDATION,
    PCRI_SPLIT_TEST,
};

/* A complete name of a split, in any case: train, training, val, valid, validation, dev, eval,
 * test, testing and the like. */
enum pcri_split_kind pcri_split_kind(const char *name);
bool pcri_is_split_name(const char *name);

/* The same if such a word is a part of the name, as in train2017, test_set, seg_train. */
enum pcri_split_kind pcri_split_kind_within(const char *name);
/* That word in it; NULL: there is none. */
const char *pcri_split_word_within(const char *name, size_t *nbytes);

/* A name that says only that images are within: images, img, data, photos. */
bool pcri_is_container_name(const char *name);

/* One of these that no class would have: images, JPEGImages. */
bool pcri_is_images_name(const char *name);

/* A file or folder added by a file system, a file server or an archiver. */
bool pcri_is_clutter(const char *name);

enum pcri_file_kind {
    PCRI_FILE_IMAGE,   /* an image by its name, or if that does not tell, by its bytes */
    PCRI_FILE_OTHER,   /* something else by its name: never a sample */
    PCRI_FILE_UNKNOWN, /* may be a sample; reading it will show */
};

/* By the last part of its path alone: UNKNOWN if its bytes must tell. */
enum pcri_file_kind pcri_file_kind_by_name(const char *name);

/* Whether an image may begin so, by its first 16 bytes. */
bool pcri_is_image_start(const uint8_t *b, size_t n);

/* `path`: opened if neither the options' extensions nor the name's ending tell. UNKNOWN if it
 * does not exist or is not a file. Codes: IO, NOMEM. */
int pcri_file_kind(const char *path, const struct pcr_source_options *opts,
                   enum pcri_file_kind *kind_out, struct pcr_error *err);

#endif
