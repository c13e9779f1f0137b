/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources of images for a writer, and importers that open files as sources. */
#ifndef PCR_SOURCE_H
#define PCR_SOURCE_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A named byte string that goes with a sample: a mask as PNG, audio, an array. It is stored apart
 * from the image, and read when it is asked for (pcr_sample_blob()). */
struct pcr_source_blob {
    const char
        *name; /* UTF-8, not empty; each name once in a sample. At most 1000 different names
                       * in a dataset */
    const void *data; /* its bytes; NULL: the source's load_blob() gives them */
    uint64_t nbytes;  /* their number; without data as expected, 0 if not known */
};

/* One sample, described by a source. The pointers belong to the source and live as long as it
 * does. */
struct pcr_source_sample {
    uint32_t size;    /* set by the caller of describe(), which sets all else to 0. A source
                       * sets members one by one, and none beyond this size */
    uint32_t split;   /* index into split_names */
    const char *key;  /* any bytes but NUL, then a NUL; unique in the dataset */
    const char *path; /* for messages; NULL: the key is used */
    const char *attributes; /* text of a JSON object, or NULL */
    const int64_t *labels;  /* integers, or the index of a class; NULL: none, or floats */
    uint32_t label_count;   /* of labels or float_labels */
    uint32_t blob_count;    /* entries of `blobs` */
    uint64_t nbytes;        /* expected size, for planning and resuming; 0 if not known */
    uint64_t revision;      /* changes when the bytes do (mtime in ns); 0 if not known */
    /* Finite numbers, in place of `labels`. If any sample of the source has them, all labels
     * are stored as floats; integer labels of other samples must then be exact as floats (up
     * to 2^53 they are). */
    const double *float_labels;
    const struct pcr_source_blob *blobs; /* named byte strings; NULL: none */
    struct pcr_file_info file; /* kept if the file can be restored (enum pcr_originals) */
};

/* An image that a source found but does not offer as a sample. */
struct pcr_left_out {
    const char *path;   /* any bytes but NUL */
    const char *key;    /* the key it would have */
    const char *reason; /* why it is left out */
};

/* The interface between importers and the writer. A program may fill in one of its own. All
 * that its pointers lead to must live as long as the source. */
struct pcr_source {
    uint32_t size;         /* sizeof(struct pcr_source) */
    uint32_t class_count;  /* entries of class_names */
    void *context;         /* passed to the callbacks */
    uint64_t sample_count; /* samples, numbered from 0 */
    /* The classes; labels[0] is an index into them. A source without class names still has
     * classes if each labelled sample has one integer label and these are all of 0 to n - 1:
     * they are named "0" to "n - 1". (Above 1,000 this takes two samples per class on average,
     * and n is at most 2^20.) PCR_WRITE_NO_CLASSES keeps such labels integers. */
    const char *const *class_names;
    const char *const
        *split_names;     /* distinct names, at most 10,000; NULL: one split, "all" */
    uint32_t split_count; /* entries of split_names */
    uint32_t reserved;    /* 0 */
    /* Describes sample `index`. Must be cheap, without I/O. Called from one thread at a
     * time. */
    int (*describe)(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err);
    /* Loads the bytes of sample `index` into *out. Called from several threads at once. A
     * failure makes the sample a bad one (see enum pcr_bad_policy), except NOMEM, CANCELLED,
     * and an IO with a sys_errno that says nothing about this sample: EIO, EAGAIN, EMFILE and
     * others that may pass. After these the call is repeated up to four times, then the
     * conversion ends. ENOENT, EACCES and an IO without sys_errno make a bad sample. */
    int (*load)(void *context, uint64_t index, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err);
    /* Loads blob `blob` (its place in the sample's `blobs`) of sample `index`, if its data is NULL.
     * Otherwise as load(); a blob that cannot be loaded makes the sample a bad one. May be NULL if
     * all have data. */
    int (*load_blob)(void *context, uint64_t index, uint32_t blob, uint64_t max_nbytes,
                     struct pcr_buffer *out, struct pcr_error *err);
    /* Frees the source; may be NULL. Called only by pcr_source_close(). */
    void (*close)(void *context);
    const struct pcr_left_out *left_out; /* images that the writer lists in errors.jsonl in
                                          * addition to bad inputs */
    uint64_t left_out_count;             /* entries of left_out */
    uint64_t ignored_count;              /* files found that are not images, for information */
};

/* Calls (*source)->close and sets *source to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_source_close(struct pcr_source **source);

/* What the levels of a tree of folders mean. */
enum pcr_folder_layout {
    PCR_FOLDERS_AUTO = 0,        /* decided by the names and contents of the folders */
    PCR_FOLDERS_SPLIT_CLASS = 1, /* split/class/file; a split without class folders has no
                                  * labels */
    PCR_FOLDERS_CLASS = 2,       /* class/file */
    PCR_FOLDERS_SPLIT = 3,       /* split/file: no labels */
    PCR_FOLDERS_FLAT = 4,        /* files at any depth: no splits, no labels */
};

/* Bits of pcr_source_options.flags. */
enum {
    /* Folders: take all files that are not hidden, also those whose names are not those of
     * images. A file that is no image is then a bad input. */
    PCR_SOURCE_ALL_FILES = 1 << 0,
    /* Containers: what is damaged is passed over as far as the format allows, and listed in
     * left_out. Without it, it is an error that names file and offset. */
    PCR_SOURCE_SKIP_DAMAGED = 1 << 1,
    /* Tar and zip: samples are told apart by their members' names up to the last dot, not up
     * to the first one ("a.1.jpg" and "a.1.cls" are one sample, "a.2.jpg" another). */
    PCR_SOURCE_LAST_DOT = 1 << 2,
    /* COCO: each box's segmentation is kept, as JSON. */
    PCR_SOURCE_SEGMENTATIONS = 1 << 3,
    /* VOC: corners count pixels from 0, not from 1. */
    PCR_SOURCE_ZERO_BASED = 1 << 4,
    /* Containers: the parts named in `blobs` are blobs, whatever they hold, and no others. */
    PCR_SOURCE_CHOOSE_BLOBS = 1 << 5,
};

/* How to open a source. */
struct pcr_source_options {
    uint32_t size;      /* sizeof(struct pcr_source_options) */
    uint32_t flags;     /* PCR_SOURCE_* */
    const char *format; /* the importer's name; NULL: chosen by the path */
    const char *root; /* lists: the folder that relative paths start from; NULL: the list's */
    /* Called for each image, special file or linked folder that an importer leaves out, with
     * the reason. NULL: no calls. */
    void (*left_out)(void *context, const char *path, const char *reason);
    void *context;        /* passed to left_out() and noted() */
    uint32_t layout;      /* folders: enum pcr_folder_layout */
    uint32_t class_count; /* entries of `classes` */
    /* The classes by number: distinct names. NULL: those that are found, numbered in byte
     * order of their names. Other names are INVAL, and so are integer labels outside of 0 to
     * class_count - 1. */
    const char *const *classes;
    /* Called for each file that was not fully understood although nothing was left out, such
     * as a metadata.csv without a row for some images of its folder. NULL: no calls. */
    void (*noted)(void *context, const char *path, const char *what);
    /* Folders: take the files whose names end in a dot and one of these ("jpg", in any case),
     * and no others. NULL: those that are images by name or by their first bytes. */
    const char *const *extensions;
    uint32_t extension_count;  /* entries of `extensions` */
    uint32_t annotation_count; /* entries of `annotations` */
    /* The folder that a dataset will be written into: INVAL if it is inside the source's, which
     * would take it for images the next time. NULL: not known. */
    const char *target;
    /* A local folder for unnamed files: of what is known of samples, if it is more than some MB; of
     * containers also the images that do not lie there as they are (compressed ones). NULL:
     * $TMPDIR, or /tmp. */
    const char *spool_folder;
    /* Containers whose samples have several parts: the one that is the image, and the one that
     * is the label, by the names that the format has for them. Tar and zip: endings, such as
     * "jpg"; of a label also "json:NAME", a value of the object in a JSON part. NULL: what is
     * usual (docs/formats.md). */
    const char *image_field, *label_field;
    /* The same for the key. Empty: it is made of the file's name and the sample's number. Record
     * formats only. An empty label_field: no labels. */
    const char *key_field;
    /* What says what is in images: COCO's files, such as instances_train2017.json, or folders of
     * VOC's; each written as an input is (pcr_source_open_all()). The source's paths are then the
     * folders that the images are in: one for all, or "NAME=FOLDER" for each split. NULL: none. */
    const char *const *annotations;
    /* VOC: files such as ImageSets/Main/train.txt. The first word of each line names a file of the
     * one folder in `annotations`, without its ending. Written as inputs are. NULL: all files. */
    const char *const *lists;
    uint32_t list_count; /* entries of `lists` */
    uint32_t blob_count; /* entries of `blobs` */
    /* With PCR_SOURCE_CHOOSE_BLOBS: names of parts that become blobs. Without it all do that are
     * neither the image nor text. INVAL: no sample has such a part. */
    const char *const *blobs;
};

/* The name of importer `index` ("folder", "list" ...); NULL past the last. Static storage. */
PCR_API const char *pcr_source_format(uint32_t index);

/* Opens what is at `path` as a source of images. The source reads files with open() and read()
 * and never changes them. Free it with pcr_source_close(). Importers are:
 *
 * folder: a tree of folders. It is read as `split/class/file` if all top folders are named
 *   like splits (train, valid, test and the like), as `class/file`, or as a flat folder of
 *   images without labels; docs/guide.md has the rules. In doubt the result is INVAL, and the
 *   message gives the readings that `layout` chooses from. A split without class folders has
 *   samples without labels. Splits and classes are numbered in byte order of their names.
 *   Deeper folders belong to their class; folders without images do not count. Hidden files
 *   and folders, what file systems and archivers add (Thumbs.db, desktop.ini, __MACOSX), and
 *   files whose names are not those of images are left out and counted (ignored_count; a hidden
 *   folder as one). Images next to the class folders are listed in left_out. All others are
 *   taken; whether one is bad is for the writer to judge. Symbolic links are followed, each
 *   folder once. A sample's key is its path below the root.
 * list: a .csv or .tsv file with a header line, or a .jsonl file with one object per line. It
 *   has `path` and optionally `key`, `label` (a class name, an integer or a float) or `labels`
 *   (numbers, in CSV separated by spaces), `split`, and `attributes` (an object; in CSV every
 *   other column is one). docs/guide.md lists other column names that are understood. Labels
 *   are either numbers in all lines or names in all. A line whose label is neither is INVAL,
 *   and so is a CSV line without a label if others of its split have one; the message names
 *   line and key. Keys are made into relative paths without empty, "." and ".." parts, and
 *   must differ.
 * tar, zip: archives, in WebDataset's convention or of folders; tar also compressed by gzip,
 *   zstd or xz, or from a pipe. docs/formats.md has what is taken for what.
 * tfrecord: a TFRecord file, plain or compressed by gzip or zlib, of tf.train.Example messages
 *   (or of image files without any). Checksums are checked.
 * mds, litdata: a folder that MosaicML Streaming (version 2) or LitData wrote, with index.json.
 * beton: an FFCV file of JPEG images.
 * lmdb: an LMDB environment of image files or Caffe's Datum messages.
 * pcr-release: a record of the software released with the paper on PCR.
 * coco, voc: a folder of images, and COCO's or Pascal VOC's annotations (`annotations`). Boxes
 *   become attributes.
 *
 * Codes: IO, INVAL (nothing there; a line of a list; unclear), CORRUPT (containers, with file
 * and offset), UNSUPPORTED (how it is compressed), NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_source_open(const char *path,
                                           const struct pcr_source_options *opts,
                                           struct pcr_source **out, struct pcr_error *err);

/* The same for several inputs (`count` of them, at least 1), which become one source. Of
 * folders and lists there can be only one (INVAL). An input is, in this order:
 *
 * - a path, or "-", standard input, which is read once, like a pipe;
 * - a pattern, with *, ?, [...], {a,b} and {000..127}: the files it matches, in the order of the
 *   numbers and letters in their names. INVAL if there is none;
 * - "NAME=" and one of these: files whose samples are of split NAME. Without it, words such as
 *   train and val in the names of containers, or of the folders that they are in, tell it.
 *
 * A folder that holds containers and no images stands for these. */
PCR_API PCR_MUST_CHECK int pcr_source_open_all(const char *const *paths, uint32_t count,
                                               const struct pcr_source_options *opts,
                                               struct pcr_source **out, struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
