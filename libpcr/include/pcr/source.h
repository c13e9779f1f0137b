/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources of images for pcr_dataset_write(), and the importers that open some. */
#ifndef PCR_SOURCE_H
#define PCR_SOURCE_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One sample as a source describes it. The pointers belong to the source and live as long
 * as it does. */
struct pcr_source_sample {
    uint32_t size;          /* set by who asks, all else being 0: a source sets members one by
                              * one, and none beyond it */
    uint32_t split;         /* index into split_names */
    const char *key;        /* NUL-terminated, any other bytes; unique in the dataset */
    const char *path;       /* for messages; NULL: the key is used */
    const char *attributes; /* JSON object text, or NULL */
    const int64_t *labels;  /* integers, or a class's index; NULL: none, or floats */
    uint32_t label_count;   /* of labels or float_labels */
    uint32_t reserved;      /* 0 */
    uint64_t nbytes;        /* expected size, 0 if not known: for planning and resuming */
    uint64_t revision;      /* changes when the bytes do (mtime in ns), 0 if not known */
    /* Finite numbers, in place of `labels`. Where one sample of the source has them, all labels
     * are stored as floats: integers beside them must be exact as such (up to 2^53 are). */
    const double *float_labels;
};

/* An image that a source has found but does not give as a sample. */
struct pcr_left_out {
    const char *path; /* any bytes but NUL */
    const char *key;  /* what its key would be */
    const char *reason;
};

/* Where samples come from: the interface between importers and the writer. A program may fill
 * one of its own. */
struct pcr_source {
    uint32_t size; /* sizeof(struct pcr_source) */
    uint32_t class_count;
    void *context;
    uint64_t sample_count;
    /* class_count names; labels[0] is an index into them. Where a source has none, and each
     * labelled sample has one integer, these together 0 to n - 1 without a gap, they are
     * classes named "0" to "n - 1" (above 1,000 only where they are two samples each on
     * average, and at most 2^20); PCR_WRITE_NO_CLASSES leaves them integers. */
    const char *const *class_names;
    const char *const *split_names; /* that differ, at most 10,000; NULL: one split, "all" */
    uint32_t split_count;
    uint32_t reserved;
    /* Describes sample `index`. Cheap, no I/O. Called from one thread at a time. */
    int (*describe)(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err);
    /* Loads the sample's bytes into *out. Called from several threads at once. A failure
     * makes the sample a bad one (see pcr_bad_policy), except NOMEM, CANCELLED, and IO with a
     * sys_errno that says nothing of this sample: EIO, EAGAIN, EMFILE and others that may pass
     * are tried again four times, and end the conversion if they stay. ENOENT, EACCES and no
     * errno at all make a bad sample. */
    int (*load)(void *context, uint64_t index, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err);
    /* Frees the source; may be NULL. Called by pcr_source_close() only. */
    void (*close)(void *context);
    /* What the writer lists in errors.jsonl beside the bad inputs. */
    const struct pcr_left_out *left_out;
    uint64_t left_out_count;
    uint64_t ignored_count; /* files found that are no images, for those who ask */
};

/* Calls (*source)->close and sets *source to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_source_close(struct pcr_source **source);

/* What the levels of a tree of folders mean. */
enum pcr_folder_layout {
    PCR_FOLDERS_AUTO = 0,        /* what the names and contents of the folders show */
    PCR_FOLDERS_SPLIT_CLASS = 1, /* split/class/file; a split without class folders has no
                                 * labels */
    PCR_FOLDERS_CLASS = 2,       /* class/file */
    PCR_FOLDERS_SPLIT = 3,       /* split/file: no labels */
    PCR_FOLDERS_FLAT = 4,        /* files at any depth: no splits, no labels */
};

struct pcr_source_options {
    uint32_t size;      /* sizeof(struct pcr_source_options) */
    uint32_t flags;     /* 0 */
    const char *format; /* an importer's name, or NULL: chosen by the path */
    const char *root;   /* lists: folder that relative paths start from; NULL: the list's */
    /* Called for each image, special file or linked folder that an importer leaves out, with
     * the reason; NULL: not. */
    void (*left_out)(void *context, const char *path, const char *reason);
    void *context;
    uint32_t layout; /* folders: enum pcr_folder_layout */
    uint32_t class_count;
    /* The classes by number, class_count different names; NULL: those that are found, numbered
     * in byte order of their names. Names that are not among them are INVAL, and so are integer
     * labels outside of 0 to class_count - 1. */
    const char *const *classes;
    /* Called for each file that was not understood as a whole, such as a metadata.csv that has
     * no row for some images of its folder, although nothing is left out; NULL: not. */
    void (*noted)(void *context, const char *path, const char *what);
};

/* Names of the importers, in order ("folder", "list"); NULL past the last. */
PCR_API const char *pcr_source_format(uint32_t index);

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
 * pcr_source_close(). Codes: IO, INVAL (nothing there; a list's line), NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_source_open(const char *path,
                                           const struct pcr_source_options *opts,
                                           struct pcr_source **out, struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
