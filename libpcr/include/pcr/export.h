/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a dataset's samples, at any fidelity, as image files in folders and in the formats of
 * other loaders. */
#ifndef PCR_EXPORT_H
#define PCR_EXPORT_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pcr_dataset; /* dataset.h */

/* The form of coded samples' files. Opaque samples are the source files. */
enum pcr_export_jpeg {
    PCR_EXPORT_JPEG_DEFAULT = 0,     /* means PROGRESSIVE */
    PCR_EXPORT_JPEG_PROGRESSIVE = 1, /* as pcr_sample_read() makes them */
    PCR_EXPORT_JPEG_BASELINE = 2,    /* as pcr_sample_baseline() makes them */
    PCR_EXPORT_JPEG_SOURCE = 3, /* the source files, as pcr_sample_original() restores them; a
                                      * sample without one is left out. INVAL with a fidelity, and
                                      * with PCR_EXPORT_DAMAGE_DEGRADE */
};

/* What to do with a sample that is damaged. */
enum pcr_export_damage {
    PCR_EXPORT_DAMAGE_DEFAULT = 0, /* means FAIL */
    PCR_EXPORT_DAMAGE_FAIL = 1,    /* stop: CORRUPT or TRUNCATED */
    PCR_EXPORT_DAMAGE_SKIP = 2,    /* leave it out */
    PCR_EXPORT_DAMAGE_DEGRADE = 3, /* write it at the highest fidelity that is complete, or
                                    * leave it out if there is none */
};

/* Bits of pcr_export_options.flags. */
enum {
    /* Replace existing files. Without it they are an error (IO with EEXIST). */
    PCR_EXPORT_REPLACE = 1 << 0,
    /* folder and zip: also write list.jsonl, a list (source.h) of all files with labels, splits
     * and attributes, and classes.txt, the names of the classes in their order. */
    PCR_EXPORT_LIST = 1 << 1,
    /* mds: compress shards by zstd. */
    PCR_EXPORT_ZSTD = 1 << 2,
};

/* What left_out() is called for. */
enum pcr_export_finding {
    PCR_EXPORT_UNSAFE = 1,       /* left out: the key cannot name a file */
    PCR_EXPORT_UNLISTED = 2,     /* written, but left out of the list: the key is not UTF-8 */
    PCR_EXPORT_DAMAGED = 3,      /* left out: the sample, or its record, is damaged */
    PCR_EXPORT_DEGRADED = 4,     /* damaged, and written at a lower fidelity */
    PCR_EXPORT_UNRESTORABLE = 5, /* left out: its source file was not kept */
    PCR_EXPORT_BLOBS = 6, /* a blob is left out: it is damaged, or the format has no place
                                  * for its name; called in addition, once for a sample */
};

/* How far an export has come, and what it found. */
struct pcr_export_report {
    uint32_t size;           /* of the struct, as the library knows it; of a report, set by the
                              * caller */
    uint32_t fidelity;       /* that of the export */
    uint64_t sample_count;   /* samples in all */
    uint64_t samples_done;   /* samples written or left out */
    uint64_t written_count;  /* samples written */
    uint64_t written_nbytes; /* of all that was written */
    uint64_t file_count;     /* files written; 0 for write() */
    uint64_t unsafe_count;   /* samples left out, or left out of the list, for their keys */
    uint64_t damaged_count;  /* samples left out for damage */
    uint64_t degraded_count; /* samples written at a lower fidelity for damage */
    uint64_t unrestorable_count; /* samples left out, as their source files were not kept */
    uint64_t lost_blob_count;    /* blobs left out for damage or their names */
};

/* How to export. */
struct pcr_export_options {
    uint32_t size;         /* sizeof(struct pcr_export_options) */
    uint32_t flags;        /* PCR_EXPORT_* */
    const char *format;    /* the exporter's name; NULL: by the path's ending (.tar, .tfrecord,
                              * .zip), else folder */
    uint32_t fidelity;     /* 1 to G; 0: full */
    uint32_t jpeg;         /* enum pcr_export_jpeg */
    uint32_t damage;       /* enum pcr_export_damage */
    uint32_t thread_count; /* threads that read and encode; default: one for each CPU that this
                              * process may use */
    const uint64_t *indices; /* the samples in this order; NULL: all that are open, in the
                              * dataset's */
    uint64_t index_count;    /* entries of `indices` */
    /* tar, tfrecord, zip, mds: begin a new file before it has more bytes of samples; a file has at
     * least one. 0: no bound, for mds 64 MiB. At most 1 GiB for mds. */
    uint64_t shard_nbytes;
    uint64_t shard_samples; /* the same by samples; 0: no bound */
    /* Called at least every 200 ms from the calling thread. A nonzero return stops the work:
     * CANCELLED. NULL: no calls. */
    int (*progress)(void *context, const struct pcr_export_report *progress);
    /* Called from the calling thread, in the samples' order, with a finding: enum
     * pcr_export_finding. key: any bytes; NULL if a whole record cannot be read: then it is
     * called once for its samples from `index` on. NULL: no calls. */
    void (*left_out)(void *context, uint32_t finding, uint64_t index, const char *key,
                     const char *what);
    /* In place of a path, for formats that are written from the beginning to the end (tar,
     * tfrecord, zip; without shards): called with their bytes, in order. A failure is a
     * negative enum pcr_code, and *err, zeroed before, may say more. */
    int (*write)(void *context, const void *data, size_t nbytes, struct pcr_error *err);
    void *context; /* passed to the callbacks */
};

/* The name of exporter `index` ("folder", "tar"); NULL past the last. Static storage. */
PCR_API const char *pcr_export_format(uint32_t index);

/* Writes samples of a dataset. docs/formats.md says what is in the files. The output depends on
 * the samples and the options alone: neither on threads nor on the time.
 *
 * folder: `path` is a folder, made if it is missing. Each sample is the file path/key, all of it
 *   or nothing. Nothing is written outside: keys that are absolute, have "..", or lead through a
 *   symbolic link are refused. Blobs are the files path/key.NAME. INVAL: two files would have one
 *   name.
 * tar: WebDataset's convention. A sample is the members BASE.jpg, BASE.cls (a class or an
 *   integer), BASE.json, and BASE.NAME for each blob.
 * tfrecord: records of tf.train.Example; a blob is a feature.
 * zip: files under their keys, not compressed; blobs as in a folder.
 * mds: `path` is a folder, made if it is missing, of MosaicML's shards with index.json; a name of
 *   blobs is a column of bytes.
 *
 * tar, tfrecord, zip: `path` is a file. With shard_nbytes or shard_samples it is the files
 * path-000000, path-000001 and so on, with the number before the format's ending. They, and mds'
 * files, appear one by one, each when it is complete and durable, and index.json last. Only one
 * export at a time may write to a path; another gets IO with EWOULDBLOCK. What a failure or a
 * kill leaves has complete files alone; the same call with PCR_EXPORT_REPLACE replaces them.
 *
 * Fills *report (may be NULL) up to its .size, also on failure. Blocks until done. Memory is
 * bounded by thread_count + 2 times about 8 MiB or two samples with their blobs, and by a shard
 * for mds.
 *
 * Codes: INVAL, IO (ENOSPC: disk full; EEXIST), CORRUPT and TRUNCATED for a damaged sample under
 * FAIL, LIMIT, CANCELLED, UNSUPPORTED, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_export(struct pcr_dataset *ds, const char *path,
                                      const struct pcr_export_options *opts,
                                      struct pcr_export_report *report, struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
