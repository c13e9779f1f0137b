/* SPDX-License-Identifier: BSD-2-Clause */
/* Importers: sources of images for pcr_dataset_write(). */
#ifndef PCR_IMPORT_H
#define PCR_IMPORT_H

#include <pcr/base.h>
#include <pcr/writer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the levels of a tree of folders mean. */
enum pcr_folder_layout {
    PCR_FOLDERS_AUTO = 0,        /* what the names and contents of the folders show */
    PCR_FOLDERS_SPLIT_CLASS = 1, /* split/class/file; a split without class folders has no
                                 * labels */
    PCR_FOLDERS_CLASS = 2,       /* class/file */
    PCR_FOLDERS_SPLIT = 3,       /* split/file: no labels */
    PCR_FOLDERS_FLAT = 4,        /* files at any depth: no splits, no labels */
};

struct pcr_import_options {
    uint32_t size;       /* sizeof(struct pcr_import_options) */
    uint32_t flags;      /* 0 */
    const char *format;  /* an importer's name, or NULL: chosen by the path */
    const char *root;    /* lists: folder that relative paths start from; NULL: the list's */
    /* Called for each image, special file or linked folder that an importer leaves out, with
     * the reason; NULL: not. */
    void (*left_out)(void *opaque, const char *path, const char *reason);
    void *opaque;
    uint32_t layout;     /* folders: enum pcr_folder_layout */
    uint32_t class_count;
    /* The classes by number, class_count different names; NULL: those that are found, numbered
     * in byte order of their names. Names that are not among them are INVAL, and so are integer
     * labels outside of 0 to class_count - 1. */
    const char *const *classes;
    /* Called for each file that was not understood as a whole, such as a metadata.csv that has
     * no row for some images of its folder, although nothing is left out; NULL: not. */
    void (*noted)(void *opaque, const char *path, const char *what);
};

/* Names of the importers, in order ("folder", "list"); NULL past the last. */
PCR_API const char *pcr_import_format(uint32_t index);

/* Opens what is at `path` as a source of images.
 *
 * folder: a tree, `split/class/file` where all top folders are named like splits (train, valid,
 *   test and the like), `class/file`, or a flat folder of images (no labels); docs/guide.md
 *   has the rules. In doubt INVAL, with the readings that `layout` chooses from. A split without
 *   class folders has samples without labels. Splits and classes are numbered in byte order of
 *   their names; deeper folders belong to their class. Folders without an image are nothing.
 *   Hidden files and folders are left out, files that are no images by their names are counted
 *   (ignored_count), and images beside the folders are the source's left_out; all others are
 *   taken (a bad one is the writer's to judge). Symbolic links are followed, each folder once. A
 *   key is the path below the root.
 * list: a .csv or .tsv file with a header line, or a .jsonl file with an object a line:
 *   `path`, optional `key`, `label` (a class name, an integer or a float) or `labels` (numbers,
 *   in CSV separated by spaces), `split`, `attributes` (an object; in CSV every other column is
 *   one). Labels are numbers in all lines or names in all; what is neither is INVAL with line
 *   and key, as is a CSV line without a label among others of its split that have one.
 *   docs/guide.md says which other names of columns are understood. Keys are made into
 *   relative paths without empty, "." and ".." parts, which must differ.
 * The source reads files with open() and read() and never changes them. Free it with
 * pcr_source_destroy(). Codes: IO, INVAL (nothing there; a list's line), NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_import_open(const char *path,
                                           const struct pcr_import_options *opts,
                                           struct pcr_source **out,
                                           struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
