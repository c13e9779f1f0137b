/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporters: one source file for each format, all behind one table.
 *
 * Threads read runs of samples (chunks), make their files and encode each as the bytes that the
 * format has of it. The calling thread hands these to the exporter, in order. So all that takes
 * time runs in parallel, and what is written does not depend on threads. */
#ifndef PCRI_EXPORTER_H
#define PCRI_EXPORTER_H

#include <pcr/dataset.h>
#include <pcr/export.h>
#include <pcr/image.h>

#include "../libpcr/base/siphash.h"
#include "../libpcr/io/tape.h"

struct pcri_export;

/* A blob of a sample. */
struct pcri_export_blob {
    const char *name;
    struct pcr_buffer bytes;
};

/* A sample and its file, to be encoded. */
struct pcri_export_sample {
    const struct pcri_export *export;
    const struct pcr_sample_info *info;
    const struct pcr_spans *file; /* the image's file */
    size_t nbytes;                /* of the file */
    const char *attributes;       /* canonical text of an object with members; NULL: none */
    size_t attributes_nbytes;
    const struct pcri_export_blob *blobs; /* those that the exporter takes */
    uint32_t blob_count;
    /* The name that the exporter would give is that of another sample: it gives a different one,
     * which no other sample's can be. */
    bool taken;
    struct pcr_decoder *decoder;    /* for what the head does not say of the file */
    struct pcr_file_info file_info; /* of source files: what is known of them */
};

/* What became of a sample. Offsets lie in the chunk. */
struct pcri_export_item {
    uint64_t index;
    uint32_t finding;       /* enum pcr_export_finding, or 0 */
    bool is_written;        /* there are bytes, and a name */
    uint32_t fidelity;      /* at which it was read */
    size_t offset, nbytes;  /* in bytes: what the exporter has encoded */
    size_t key, what;       /* in texts, NUL-ended: the key; what was found */
    size_t row, row_nbytes; /* in texts: the line of the list */
    uint64_t name_hash;     /* of its name in the format */
    size_t blob_what;       /* in texts: the first blob that is left out, and why */
    uint32_t lost_blobs;    /* blobs that are left out */
    uint32_t hash_count;    /* PCRI_EXPORT_BESIDE: of the blobs' names, */
    size_t hashes;          /* in texts, of 8 bytes each */
};

/* A run of samples of a record. */
struct pcri_export_chunk {
    uint64_t record, index;  /* the dataset's index of the first */
    uint32_t first, count;   /* in the record */
    struct pcr_slice *slice; /* NULL: it is damaged, and samples are read one by one */
    struct pcr_buffer bytes, texts;
    struct pcri_export_item *items;
    size_t item_capacity;
    bool is_lost; /* the record cannot be read; items[0] says why */
    bool is_ready;
    int rc;
    struct pcr_error err;
};

/* What a thread works with. */
struct pcri_export_tools {
    struct pcr_decoder *decoder;
    struct pcr_spans spans;
    struct pcr_buffer file, memory, name, attributes;
    struct pcr_file_info file_info; /* of the file; { 0 } unless it is a source file */
    struct pcri_export_blob *blobs; /* blob_count; those beyond have room */
    uint32_t blob_count, blob_capacity;
};

/* What an exporter can do. */
enum {
    PCRI_EXPORT_STREAM = 1 << 0, /* pcr_export_options.write, and shards */
    PCRI_EXPORT_NAMES = 1 << 1,  /* samples get names of files: unsafe keys are left out */
    PCRI_EXPORT_DIFFER = 1 << 2, /* the names that encode() gives must differ */
    PCRI_EXPORT_LISTS = 1 << 3,  /* PCR_EXPORT_LIST */
    PCRI_EXPORT_SHARDS = 1 << 4, /* shard_nbytes, shard_samples */
    PCRI_EXPORT_ZSTDS = 1 << 5,  /* PCR_EXPORT_ZSTD */
    PCRI_EXPORT_BESIDE = 1 << 6, /* blobs are files KEY.NAME, whose names must differ, too */
};

struct pcri_exporter {
    const char *name;   /* pcr_export_options.format */
    const char *ending; /* of its files: ".tar" */
    uint32_t abilities; /* PCRI_EXPORT_* */
    /* Appends to `out` the bytes of a sample, and to `name` the sample's name, if the format has
     * names that must differ. Called from any thread. */
    int (*encode)(const struct pcri_export_sample *s, struct pcr_buffer *out,
                  struct pcr_buffer *name, struct pcr_error *err);
    /* Why the sample's blob cannot be written; NULL: it can. The function is NULL if none can. */
    const char *(*refuse)(const struct pcri_export_sample *s,
                          const struct pcri_export_blob *blob);
    /* Called from one thread: before the first sample; for each that was encoded; after the last;
     * at the end, also after a failure. */
    int (*open)(struct pcri_export *x, struct pcr_error *err);
    int (*add)(struct pcri_export *x, const struct pcri_export_chunk *c,
               const struct pcri_export_item *item, struct pcr_error *err);
    int (*finish)(struct pcri_export *x, struct pcr_error *err);
    void (*close)(struct pcri_export *x);
    /* Adds a file that is no sample's. */
    int (*put)(struct pcri_export *x, const char *name, const struct pcri_tape *bytes,
               struct pcr_error *err);
    /* Of formats in shards, or NULL: a sample was written at `offset` of the shard; appends what
     * follows the index, which begins at `offset`. */
    int (*added)(struct pcri_export *x, const uint8_t *bytes, size_t nbytes, uint64_t offset,
                 struct pcr_error *err);
    int (*end)(struct pcri_export *x, uint64_t offset, struct pcr_buffer *out,
               struct pcr_error *err);
};

/* All exporters, NULL-ended. */
extern const struct pcri_exporter *const pcri_exporters[];
extern const struct pcri_exporter pcri_export_folder, pcri_export_tar, pcri_export_tfrecord,
    pcri_export_mds, pcri_export_zip;

/* An export. Threads that encode read only what is constant. */
struct pcri_export {
    struct pcr_dataset *ds;
    const char *path; /* NULL: o.write() */
    const struct pcri_exporter *exporter;
    struct pcr_export_options o; /* with defaults in place of zeroes */
    struct pcr_dataset_info info;
    struct pcr_limits limits;
    bool numbered; /* the classes' names are their numbers */
    bool blobs;    /* there are some, and the exporter takes them */
    struct pcri_siphash_key hash_key;
    /* From here on of the calling thread. */
    struct pcr_export_report report;
    struct pcri_tape list; /* the text of list.jsonl */
    void *state;           /* the exporter's */
    /* What goes to the end of the open file, before what `end` makes; and of how many samples. */
    struct pcri_tape index;
    uint64_t index_count;
};

/* --- blobs (export_blobs.c) --- */
/* Reads the sample's blobs. Damaged ones are noted and left out unless the user wants damage to
 * fail. */
int pcri_export_read_blobs(const struct pcri_export *x, struct pcri_export_tools *t,
                           const struct pcr_sample *s, struct pcri_export_chunk *c,
                           struct pcri_export_item *item, struct pcr_error *err);
/* Notes and drops those that the exporter refuses; and hashes the others' names. */
int pcri_export_settle_blobs(struct pcri_export_tools *t, struct pcri_export_chunk *c,
                             struct pcri_export_item *item, struct pcri_export_sample *s,
                             struct pcr_error *err);
void pcri_export_free_blobs(struct pcri_export_tools *t);

/* --- chunks (export_chunk.c) --- */
/* Reads and encodes the chunk's samples; c->rc and c->err say how it went. */
void pcri_export_prepare(const struct pcri_export *x, struct pcri_export_tools *tools,
                         struct pcri_export_chunk *c);
/* Encodes a sample of the chunk anew, at the end of its bytes, under another name. */
int pcri_export_rename(const struct pcri_export *x, struct pcri_export_tools *tools,
                       struct pcri_export_chunk *c, struct pcri_export_item *item,
                       struct pcr_error *err);
void pcri_export_tools_free(struct pcri_export_tools *tools);

/* Appends the sample's file to the bytes. */
int pcri_export_append_file(const struct pcri_export_sample *s, struct pcr_buffer *out,
                            struct pcr_error *err);
/* pcri_exporter.refuse of formats whose blobs are files KEY.NAME. */
const char *pcri_export_refuse_name(const struct pcri_export_sample *s,
                                    const struct pcri_export_blob *blob);
/* Replaces *out by KEY.NAME, with a NUL that is not counted. */
int pcri_export_blob_path(const struct pcr_sample_info *info,
                          const struct pcri_export_blob *blob, struct pcr_buffer *out,
                          struct pcr_error *err);
/* The usual ending of the file's format: "jpg", "png"; "bin" if it is not known. */
const char *pcri_export_ending(const struct pcri_export_sample *s);

/* --- text (export_text.c) --- */
/* Appends a JSON string of any bytes, with U+FFFD for those that are not UTF-8. */
int pcri_export_string(struct pcr_buffer *out, const char *text, size_t nbytes,
                       struct pcr_error *err);
/* Appends a sample's label: a class's name, a number, an array of numbers or null. */
int pcri_export_label(const struct pcri_export_sample *s, struct pcr_buffer *out,
                      struct pcr_error *err);
/* Appends an object of the sample's attributes and of __key__ (null unless it is UTF-8), __label__
 * and __split__. */
int pcri_export_json(const struct pcri_export_sample *s, struct pcr_buffer *out,
                     struct pcr_error *err);
/* Appends the sample's line of list.jsonl. */
int pcri_export_row(const struct pcri_export_sample *s, struct pcr_buffer *out,
                    struct pcr_error *err);
/* The class of a sample, or NULL. */
const char *pcri_export_class(const struct pcri_export *x, const struct pcr_sample_info *info);
/* The sample's split; NULL if the dataset has only one, "all". */
const char *pcri_export_split(const struct pcri_export *x, uint64_t index);
/* Appends the lines of classes.txt. INVAL: a name has a line end. */
int pcri_export_classes(const struct pcri_export *x, struct pcri_tape *out,
                        struct pcr_error *err);

#endif
