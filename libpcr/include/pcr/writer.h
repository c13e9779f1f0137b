/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a dataset from any source of images, or of samples as they come. */
#ifndef PCR_WRITER_H
#define PCR_WRITER_H

#include <pcr/base.h>
#include <pcr/ladder.h>
#include <pcr/source.h>

struct pcr_storage; /* storage.h */

#ifdef __cplusplus
extern "C" {
#endif

/* What to do with a bad input: one that is damaged, is no image, or is an image that no decoder
 * here can show (WebP, arithmetic-coded or 12-bit JPEG): what is converted can be decoded. */
enum pcr_bad_policy {
    PCR_BAD_DEFAULT = 0, /* means FAIL */
    PCR_BAD_FAIL = 1,    /* stop; finished records stay for a later run */
    PCR_BAD_SKIP = 2,    /* leave it out, list it in errors.jsonl */
    PCR_BAD_OPAQUE = 3,  /* keep its bytes whole, and note what does not decode; unreadable or
                          * empty ones are skipped */
    PCR_BAD_SALVAGE =
        4, /* LOSSY: of a truncated or damaged JPEG, code what decodes, as libjpeg
                          * shows it after its warnings (the rest is gray, or coarse); mark the
                          * sample by an attribute "salvaged" with the reason, which replaces one
                          * of that name, and by a note. Others, PNG too, are skipped */
};

/* What to do with intact images that decode, but not as JPEG coefficients that the format
 * holds (PNG; JPEG with unusual scans). */
enum pcr_opaque_policy {
    PCR_OPAQUE_DEFAULT = 0, /* means KEEP */
    PCR_OPAQUE_KEEP = 1,    /* keep the file whole as an opaque sample */
    PCR_OPAQUE_REFUSE = 2,  /* treat it as a bad input */
};

enum {
    PCR_WRITE_NO_SHUFFLE = 1 << 0, /* keep the source's order */
    PCR_WRITE_DRY_RUN = 1 << 1,    /* do everything but write */
    PCR_WRITE_NO_CLASSES = 1 << 2, /* integer labels are never classes by themselves */
};

struct pcr_write_progress {
    uint32_t size; /* of the struct, as the library knows it; of a report, set by the
                              * caller */
    uint32_t reserved;
    uint64_t sample_count; /* in all */
    uint64_t samples_done; /* packed or kept from an earlier run */
    uint64_t samples_bad;  /* skipped */
    uint64_t record_count; /* 0 as long as the conversion is planned */
    uint64_t records_done;
    uint64_t records_kept;          /* found complete from an earlier run */
    uint64_t source_nbytes;         /* of the samples done */
    uint64_t written_nbytes;        /* of the records done */
    uint64_t records_source_nbytes; /* of the samples of the records done */
    uint64_t samples_reduced;       /* by max_side; not those of records kept */
    /* Of the records done: */
    uint64_t samples_undecodable; /* kept whole, though no decoder here can show them */
    uint64_t samples_salvaged;    /* of damaged files, coded as far as they decode */
    uint64_t samples_dropped;     /* whose files had bytes after the image, not kept */
    uint64_t dropped_nbytes;      /* those bytes */
};

struct pcr_write_options {
    uint32_t size;                   /* sizeof(struct pcr_write_options) */
    uint32_t flags;                  /* PCR_WRITE_* */
    const struct pcr_ladder *ladder; /* NULL: the coding's default ladder */
    uint64_t seed;                   /* of the shuffle */
    uint32_t record_samples;         /* samples a record; default 1024 */
    uint32_t thread_count;           /* default: one a CPU that this process may use */
    uint64_t record_nbytes; /* end a record at about this many source bytes; 0: by count */
    uint32_t bad_policy;    /* enum pcr_bad_policy */
    uint32_t opaque_policy; /* enum pcr_opaque_policy */
    const struct pcr_limits *limits; /* NULL: the defaults */
    /* What the pictures that are at work may take together, in bytes; default 2 GiB. It grows with
     * pixels, not with bytes: a JPEG takes about 14 bytes a pixel while it is packed (7 where
     * chroma is halved both ways, 4.7 where it is gray), a PNG some rows, unless it is interlaced.
     * Pictures that do not fit side by side wait for each other; one that by itself takes more
     * is a bad input (LIMIT). */
    uint64_t max_memory_nbytes;
    /* Called from time to time from the calling thread, at least every 200 ms; NULL: not.
     * A nonzero return stops the work cleanly: CANCELLED. */
    int (*progress)(void *context, const struct pcr_write_progress *progress);
    /* Called for each bad input, from the calling thread; NULL: not. format: what its bytes
     * begin like ("WebP", "HTML", "JPEG"; "unknown"), NULL where there are none. */
    void (*bad_input)(void *context, const char *path, const char *format,
                      const struct pcr_error *err);
    void *context;
    /* LOSSY, the only thing here that is: an image, JPEG or PNG, of which a side is longer than
     * max_side pixels is decoded, reduced to that (bicubic, antialiased, in proportion) and
     * encoded as a baseline 4:2:0 or gray JPEG of this quality before it is packed. It is
     * then upright, and keeps its ICC profile but no other metadata. Smaller images stay as
     * they are. The manifest says it. 0: none (default). */
    uint32_t max_side;
    uint32_t quality; /* 1 to 100, libjpeg's; default 90; 0 without max_side */
    struct pcr_buffer
        *manifest_out; /* a dry run puts the manifest here that it would write, as
                                      * docs/FORMAT.md has it; NULL: not */
    /* Where the dataset is written, a storage of the program's own (storage.h); NULL: in files.
     * Nothing but the program keeps a second writer from the same path there. */
    const struct pcr_storage *storage;
    uint32_t coding;   /* enum pcr_coding: PCR_CODING_SCANS, which is the default, or
                               * PCR_CODING_PACKED, of which small pictures may become scans */
    uint32_t reserved; /* 0 */
};

/* Converts `source` into a dataset in folder `path`, which is made if need be.
 *
 * Each JPEG (after a reduction that was asked for) is transcoded without loss and proven so:
 * what was written is decoded to coefficients by another implementation than wrote it and
 * compared with the source's.
 * The output depends on the source's contents, the options and the library versions alone,
 * not on thread_count or timing.
 *
 * Records are published by fsync and rename, the manifest last. A run that was killed is
 * continued by the same call; one writer at a time (another gets IO with EWOULDBLOCK).
 * Where the folder holds the finished dataset of the same source and options, nothing is
 * left to do, which is success; one that holds another dataset is left alone (INVAL).
 *
 * Fills *report (may be NULL) up to its .size, also on failure. Blocks until done; memory is
 * bounded by about two records, a source file for each thread, and max_memory_nbytes.
 * Codes: INVAL, IO (ENOSPC: disk full; finished records stay), CORRUPT and others for a
 * bad input under PCR_BAD_FAIL, CANCELLED, NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_dataset_write(const char *path, const struct pcr_source *source,
                                             const struct pcr_write_options *opts,
                                             struct pcr_write_progress *report,
                                             struct pcr_error *err);

/* --- samples as they come --- */

/* A writer for programs that make samples as they go, by one thread or several. It keeps them in
 * a file without a name, and pcr_writer_finish() then writes the dataset as pcr_dataset_write()
 * would of the same samples. Nothing of the dataset is there before, and nothing is left of a
 * writer that is closed, or whose process ends, without it. */
struct pcr_writer;

struct pcr_writer_options {
    uint32_t size;  /* sizeof(struct pcr_writer_options) */
    uint32_t flags; /* 0 */
    /* NULL: the defaults. Copied, with its limits; its ladder must live as long as the writer. Its
     * callbacks are called by pcr_writer_finish(). */
    const struct pcr_write_options *write;
    /* As in struct pcr_source; copied. */
    uint32_t class_count;
    uint32_t split_count;
    const char *const *class_names;
    const char *const *split_names;
    const char *spool_folder; /* a local folder with room for all samples' bytes; NULL: the one
                               * that the dataset's folder is in, if it is written in files */
};

/* Opens a writer of a dataset in folder `path`, which is made when it is finished. INVAL where a
 * dataset is there already; what a finish that was killed has left is continued where the same
 * samples are added again. Codes: INVAL, IO, NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_writer_open(const char *path,
                                           const struct pcr_writer_options *opts,
                                           struct pcr_writer **out, struct pcr_error *err);

#define PCR_WRITER_NEXT UINT64_MAX

/* Adds a sample, whose file is the nbytes at `data`. All is copied; `nbytes` and `revision` of
 * *sample are not used. From any thread, several at a time.
 *
 * index: the samples' order (before the shuffle) is that of their indices, which differ; gaps
 *   are fine. With them the dataset does not depend on which thread is first. PCR_WRITER_NEXT for
 *   all samples: the order of the calls.
 *
 * Whether the image is good, and all keys differ, is found when the writer is finished. A call that
 * fails adds nothing, and others may follow. Memory: about 150 bytes a sample and its key,
 * path, labels and attributes. Blocks while the bytes are written to the spool.
 * Codes: INVAL (the message names the key), LIMIT, IO (ENOSPC), NOMEM, CANCELLED. */
PCR_API PCR_MUST_CHECK int pcr_writer_add(struct pcr_writer *writer, uint64_t index,
                                          const struct pcr_source_sample *sample,
                                          const void *data, size_t nbytes,
                                          struct pcr_error *err);

/* Writes and publishes the dataset, after all pcr_writer_add() have returned. Where it fails it may
 * be called again; after success the writer can only be closed. *report as that of
 * pcr_dataset_write(), and so are blocking, memory and codes. */
PCR_API PCR_MUST_CHECK int pcr_writer_finish(struct pcr_writer *writer,
                                             struct pcr_write_progress *report,
                                             struct pcr_error *err);

/* Makes pcr_writer_add() and pcr_writer_finish(), also one that is under way, return CANCELLED.
 * From any thread. Accepts NULL. */
PCR_API void pcr_writer_cancel(struct pcr_writer *writer);

/* Frees the writer and its spool and sets *writer to NULL; no other call may be under way. Accepts
 * NULL and a NULL object. */
PCR_API void pcr_writer_close(struct pcr_writer **writer);

#ifdef __cplusplus
}
#endif
#endif
