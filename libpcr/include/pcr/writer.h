/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a dataset: from a source, or from samples as they come. */
#ifndef PCR_WRITER_H
#define PCR_WRITER_H

#include <pcr/base.h>
#include <pcr/ladder.h>
#include <pcr/source.h>

struct pcr_dataset; /* dataset.h */
struct pcr_storage; /* storage.h */

#ifdef __cplusplus
extern "C" {
#endif

/* --- pcr_dataset_write: Writing a dataset from a source --- */

/* What to do with a bad input: one that is damaged, is not an image, or is an image that no
 * decoder here can show (HEIC, arithmetic-coded or 12-bit JPEG). By default all that is
 * converted can be decoded. */
enum pcr_bad_policy {
    PCR_BAD_DEFAULT = 0, /* means FAIL */
    PCR_BAD_FAIL = 1,    /* stop; finished records stay for a later run */
    PCR_BAD_SKIP = 2,    /* leave it out and list it in errors.jsonl */
    PCR_BAD_OPAQUE = 3,  /* keep its bytes whole, with a note if it does not decode. Unreadable
                          * or empty inputs are skipped */
    PCR_BAD_SALVAGE = 4, /* LOSSY: code as much of a truncated or damaged JPEG as decodes, as
                          * libjpeg shows it after its warnings (the rest is gray, or coarse).
                          * Mark the sample by a note and by an attribute "salvaged" with the
                          * reason, which replaces one of that name. Other bad inputs, PNG too,
                          * are skipped */
};

/* What to do with intact images that decode, but that the format cannot hold as JPEG
 * coefficients (PNG, GIF and so on; JPEG with unusual scans). */
enum pcr_opaque_policy {
    PCR_OPAQUE_DEFAULT = 0, /* means KEEP */
    PCR_OPAQUE_KEEP = 1,    /* keep the file whole as an opaque sample */
    PCR_OPAQUE_REFUSE = 2,  /* treat it as a bad input */
};

/* What becomes of intact images of other formats than JPEG, in which there are no coefficients to
 * divide. */
enum pcr_pictures {
    PCR_PICTURES_DEFAULT = 0, /* means OPAQUE */
    PCR_PICTURES_OPAQUE = 1,  /* the file is kept whole, as opaque_policy says; each fidelity
                               * reads all of it */
    PCR_PICTURES_JPEG = 2,    /* LOSSY: the pixels, as loaders deliver them (upright, 8 bits,
                               * RGB or gray; of a GIF the first), are encoded as a JPEG of
                               * libjpeg's `quality`, 4:2:0 or gray, that keeps the ICC profile
                               * but no other metadata. A note of the sample names the format.
                               * A picture with a pixel that is not opaque, or a side of more
                               * than 65,500 pixels, stays as with OPAQUE */
    PCR_PICTURES_PROGRESSIVE =
        3, /* pixels without loss, files not: gray and RGB pictures of 8 bits (PNG, lossless
            * WebP, TIFF but with a lossy compression, BMP, binary PGM and PPM; one in the file)
            * become a JPEG of `quality` in all groups but the last, and a residual in that, by
            * which full fidelity has the file's pixels. ICC profile and orientation stay, other
            * metadata does not, and the file cannot be restored: at full fidelity samples are
            * PNG files written anew. The ladder gets a further group. What would take more
            * bytes than the file, other pictures, and those with sides of more than 65,500
            * pixels, stay as with OPAQUE */
};

/* Whether source files can be restored byte for byte (pcr_sample_original()). Each record's tail
 * then has what image and metadata do not say: Huffman tables, restart markers, padding, what
 * follows the image; and the file's mode and time, if the source knows them (struct
 * pcr_file_info). Training never reads it. A file for which it would be more than a sixteenth of
 * it and 512 bytes, or more than 64 KiB, is kept whole, counted, and noted. Files that are
 * salvaged cannot be restored. */
enum pcr_originals {
    PCR_ORIGINALS_DEFAULT =
        0,                /* ON if it costs at most a hundredth of the source, by 256 images of
                                * it; OFF with max_side, target_nbytes, PCR_PICTURES_JPEG,
                                * PCR_PICTURES_PROGRESSIVE or PCR_OPAQUE_REFUSE */
    PCR_ORIGINALS_ON = 1, /* files can be restored, or are kept whole; but for those of exact
                           * pictures (PCR_PICTURES_PROGRESSIVE) */
    PCR_ORIGINALS_OFF = 2, /* pictures and metadata are kept, files are not */
};

/* Flags of struct pcr_write_options. */
enum {
    PCR_WRITE_NO_SHUFFLE = 1 << 0, /* keep the source's order */
    PCR_WRITE_DRY_RUN = 1 << 1,    /* do everything but write */
    PCR_WRITE_NO_CLASSES = 1 << 2, /* never take integer labels for classes: see class_names of
                                    * struct pcr_source */
    PCR_WRITE_DEDUPE = 1 << 3,     /* keep one of files that are equal byte for byte */
};

/* PCR_WRITE_DEDUPE: a pass before the conversion looks for duplicates: samples whose files are
 * equal byte for byte. Files whose expected size no other has are not read; the others are read
 * once, duplicates twice, so load() is called up to three times. One more file per thread is in
 * memory, and 40 bytes per sample. A wrong nbytes of struct pcr_source_sample may hide a
 * duplicate.
 *
 * Of duplicates in one split the first in the source's order is kept, and of those in several
 * splits that in the split with the fewest samples (of equal ones, the first): usually the
 * validation or test split. The others are listed in errors.jsonl with "duplicate_of", the key
 * of the one that is kept, and counted (samples_duplicate). Attributes and blobs of those left
 * out are lost. If labels differ, which one is right is not known: that is INVAL, or, unless
 * bad_policy is FAIL, all the copies are bad inputs and skipped. A copy in another split may
 * lack labels. */

/* How far a conversion has come, and what it found. */
struct pcr_write_progress {
    uint32_t size;           /* of the struct, as the library knows it; of a report, set by
                              * the caller */
    uint32_t reserved;       /* 0 */
    uint64_t sample_count;   /* samples in all */
    uint64_t samples_done;   /* samples packed, or kept from an earlier run */
    uint64_t samples_bad;    /* samples skipped */
    uint64_t record_count;   /* records in all; 0 while the conversion is being planned */
    uint64_t records_done;   /* records written, or kept from an earlier run */
    uint64_t records_kept;   /* records found complete from an earlier run */
    uint64_t source_nbytes;  /* source bytes of the samples done */
    uint64_t written_nbytes; /* file size of the records done */
    uint64_t records_source_nbytes; /* source bytes of the records done */
    uint64_t samples_reduced;       /* samples reduced to max_side or target_nbytes, without
                                     * those of records kept */
    uint64_t samples_undecodable;   /* in records done: kept whole, though no decoder here can
                                     * show them */
    uint64_t samples_salvaged; /* in records done: from damaged files, coded as far as they
                                * decode */
    uint64_t samples_dropped;  /* in records done: samples whose files had bytes after the
                                * image that were not kept */
    uint64_t dropped_nbytes;   /* in records done: the number of those bytes */
    uint64_t
        samples_unrestorable;   /* in records done: kept whole, for it would take too much to
                                    * restore their files */
    uint64_t samples_duplicate; /* left out as duplicates, and not in sample_count: see
                                     * PCR_WRITE_DEDUPE */
    uint64_t samples_across_splits; /* of these, those that are kept in another split */
    uint64_t samples_encoded;       /* in records done: of other formats, that became JPEGs */
    /* Without PCR_WRITE_DEDUPE, at the end: samples whose file is that of a sample before them in
     * the source, byte for byte, and is kept all the same. None is read again but these. */
    uint64_t samples_repeated;
    uint64_t repeated_across_splits; /* of these, those whose first is in another split */
    uint64_t samples_uncompared; /* of an earlier run's records, which do not tell enough of
                                      * their files for this, or that could not be read again */
    uint64_t samples_exact;      /* in records done: of other formats, with a residual
                             * (PCR_PICTURES_PROGRESSIVE) */
};

/* How to write a dataset. */
struct pcr_write_options {
    uint32_t size;                   /* sizeof(struct pcr_write_options) */
    uint32_t flags;                  /* PCR_WRITE_* */
    const struct pcr_ladder *ladder; /* NULL: the coding's own, "packed" or "bitplane" */
    uint64_t seed;                   /* of the shuffle */
    uint32_t record_samples;         /* samples per record; default 1024 */
    uint32_t thread_count;           /* default: one for each CPU that this process may use */
    uint64_t record_nbytes; /* end a record at about this many source bytes; 0: only at
                             * record_samples */
    uint32_t bad_policy;    /* enum pcr_bad_policy */
    uint32_t opaque_policy; /* enum pcr_opaque_policy */
    const struct pcr_limits *limits; /* NULL: the defaults */
    /* Bound on the memory of all pictures being worked on, in bytes; default 2 GiB. Memory
     * grows with pixels, not with file size: a JPEG takes about 14 bytes per pixel while it is
     * packed (7 if chroma is halved both ways, 4.7 if it is gray); a PNG takes some rows,
     * unless it is interlaced. Pictures that do not fit together wait for each other. A
     * picture that by itself takes more is a bad input (LIMIT). */
    uint64_t max_memory_nbytes;
    /* Called at least every 200 ms from the calling thread. A nonzero return stops the work
     * cleanly: CANCELLED. NULL: no calls. */
    int (*progress)(void *context, const struct pcr_write_progress *progress);
    /* Called for each bad input from the calling thread. format: what its first bytes look
     * like ("WebP", "HTML", "JPEG", "unknown"); NULL if there are none. NULL: no calls. */
    void (*bad_input)(void *context, const char *path, const char *format,
                      const struct pcr_error *err);
    void *context; /* passed to progress(), bad_input() and repeated() */
    /* LOSSY: an image with a side longer than max_side pixels is decoded, reduced
     * to that (bicubic, antialiased, in proportion) and encoded as a baseline 4:2:0 or gray
     * JPEG before it is packed. It is then upright, and keeps its ICC profile but no other
     * metadata, nor its alpha. Smaller images are unchanged. The manifest records it. Default 0: no
     * reduction. */
    uint32_t max_side;
    uint32_t quality;                /* of the JPEGs made for max_side, target_nbytes,
                                      * PCR_PICTURES_JPEG and PROGRESSIVE, libjpeg's 1 to 100;
                                      * default 90; 0 without these */
    struct pcr_buffer *manifest_out; /* receives the manifest that a dry run would write, as in
                                      * docs/FORMAT.md; NULL: none */
    /* A storage of the program's own (storage.h) to write the dataset to; NULL: files. There
     * the program must see to it that no second writer uses the same path. */
    const struct pcr_storage *storage;
    /* enum pcr_coding: PCR_CODING_PACKED or PCR_CODING_SCANS. 0: packed, or scans if packed
     * cannot use the ladder; if it is asked to, that is an error (INVAL). It can where each
     * script's first line is all of DC, `all 0-0 0 0`, and no plane is above 9. In packed
     * datasets small pictures are scans where those take fewer bytes. */
    uint32_t coding;
    uint32_t originals; /* enum pcr_originals */
    uint32_t pictures;  /* enum pcr_pictures */
    /* LOSSY: an image whose file has more bytes is encoded as by max_side, in the highest quality,
     * up to `quality`, in which its JPEG has at most so many bytes. If none has, it is a bad input
     * (LIMIT). Smaller files are unchanged. So is what max_side and PCR_PICTURES_JPEG make, if it
     * is smaller. The manifest records it. Default 0: any size. */
    uint32_t target_nbytes;
    /* Called at the end for each of samples_repeated, from the thread that called the library, with
     * its path and that of the first sample with this file. NULL: no calls. */
    void (*repeated)(void *context, const char *path, const char *first);
};

/* Converts `source` into a dataset in folder `path`, which is created if necessary.
 *
 * Each JPEG (after a reduction that was asked for) is transcoded without loss, and this is
 * verified: another implementation than the one that wrote it decodes the result to
 * coefficients, and these are compared with those of the source. The output depends only on
 * the source's contents, the options and the library versions, not on thread_count or timing.
 *
 * Records are published by fsync and rename, the manifest last. The same call continues a run
 * that was killed. Only one writer at a time may use a folder; another gets IO with
 * EWOULDBLOCK. If the folder holds the finished dataset of the same source and options, the
 * call succeeds without work. If it holds another dataset or other files (hidden ones and a
 * lost+found do not count), the call leaves it alone and fails (INVAL).
 *
 * Fills *report (may be NULL) up to its .size, also on failure. Blocks until done. Memory is
 * bounded by about two records with their blobs, one source file per thread, and max_memory_nbytes.
 *
 * Codes: INVAL, IO (ENOSPC: disk full; finished records stay), CORRUPT and others for a
 * bad input under PCR_BAD_FAIL, CANCELLED, NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_dataset_write(const char *path, const struct pcr_source *source,
                                             const struct pcr_write_options *opts,
                                             struct pcr_write_progress *report,
                                             struct pcr_error *err);

/* Rewrites the samples of a dataset in another coding, or by another ladder, into a new folder.
 *
 * Nothing is lost, and no pixels are made: each sample is written out as a JPEG file, then packed
 * and proven as by pcr_dataset_write(). Each record of the dataset becomes one record with the
 * same samples in the same order. Keys, labels, attributes, splits, classes, notes, sizes of the
 * source files and errors.jsonl are kept. Opaque samples stay opaque, and samples that the new
 * coding cannot represent become so. If no inputs were skipped or salvaged, scans that became
 * packed and then scans again are the original records, byte for byte.
 *
 * source: a whole dataset, opened with the defaults of pcr_dataset_open(): not a split, not a
 *   single record, not without its checksums (INVAL).
 * opts: coding is required (INVAL). ladder NULL: the coding's own if the dataset has that of a
 *   coding, else the dataset's, which the coding may not be able to use (INVAL). limits NULL: the
 *   dataset's. thread_count, max_memory_nbytes, storage, callbacks and PCR_WRITE_DRY_RUN are as
 *   in pcr_dataset_write(); all else is 0 (INVAL).
 *
 * Killed runs, other writers, a finished dataset, *report, blocking and memory are as with
 * pcr_dataset_write(). Others may use the dataset meanwhile.
 *
 * Codes: INVAL, IO, CANCELLED, NOMEM, LIMIT, and those of pcr_sample_read(): a damaged sample
 * ends the work. */
PCR_API PCR_MUST_CHECK int pcr_dataset_recode(struct pcr_dataset *source, const char *path,
                                              const struct pcr_write_options *opts,
                                              struct pcr_write_progress *report,
                                              struct pcr_error *err);

/* --- pcr_writer: Writing a dataset of samples as they come --- */

/* A writer for programs that make samples as they go, in one or more threads. It keeps the
 * samples in an unnamed file; pcr_writer_finish() then writes the same dataset as
 * pcr_dataset_write() would. Before that nothing of the dataset exists, and nothing remains of
 * a writer that is closed, or whose process ends, without it. */
struct pcr_writer;

/* How to make a writer. */
struct pcr_writer_options {
    uint32_t size;  /* sizeof(struct pcr_writer_options) */
    uint32_t flags; /* 0 */
    /* NULL: the defaults. Copied, with its limits; its ladder must live as long as the writer.
     * Its callbacks are called by pcr_writer_finish(). */
    const struct pcr_write_options *write;
    uint32_t class_count;           /* as in struct pcr_source */
    uint32_t split_count;           /* as in struct pcr_source */
    const char *const *class_names; /* as in struct pcr_source; copied */
    const char *const *split_names; /* as in struct pcr_source; copied */
    const char *spool_folder; /* a local folder with room for the bytes of all samples; NULL:
                               * the parent of the dataset's folder, if that is written
                               * in files */
};

/* Opens a writer of a dataset in folder `path`, which pcr_writer_finish() creates. INVAL if
 * the folder holds a dataset or other files already. What an earlier finish left behind when it
 * was killed is continued if the same samples are added again. Codes: INVAL, IO, NOMEM, LIMIT. */
PCR_API PCR_MUST_CHECK int pcr_writer_open(const char *path,
                                           const struct pcr_writer_options *opts,
                                           struct pcr_writer **out, struct pcr_error *err);

#define PCR_WRITER_NEXT UINT64_MAX /* index of pcr_writer_add(): in the order of the calls */

/* Adds a sample. May be called from several threads at once.
 *
 * index: the place of the sample in the order before the shuffle. Indices must differ; gaps
 *   are fine. With them the dataset does not depend on which thread is first. PCR_WRITER_NEXT
 *   for all samples: the order of the calls.
 * sample: copied, with its blobs, which must have their data; its `nbytes` and `revision` are not
 *   used.
 * data, nbytes: the contents of the sample's file; copied.
 *
 * Whether the image is good and all keys differ is checked by pcr_writer_finish(). A call that
 * fails adds nothing, and others may follow. Takes about 150 bytes of memory per sample, and
 * its key, path, labels and attributes. Blocks while the bytes are written to the spool.
 *
 * Codes: INVAL (the message names the key), LIMIT, IO (ENOSPC), NOMEM, CANCELLED. */
PCR_API PCR_MUST_CHECK int pcr_writer_add(struct pcr_writer *writer, uint64_t index,
                                          const struct pcr_source_sample *sample,
                                          const void *data, size_t nbytes,
                                          struct pcr_error *err);

/* Writes and publishes the dataset. All calls of pcr_writer_add() must have returned. After a
 * failure it may be called again; after success the writer can only be closed. The report,
 * blocking, memory and codes are as for pcr_dataset_write(). */
PCR_API PCR_MUST_CHECK int pcr_writer_finish(struct pcr_writer *writer,
                                             struct pcr_write_progress *report,
                                             struct pcr_error *err);

/* Makes pcr_writer_add() and pcr_writer_finish() return CANCELLED, also a call that is under
 * way. May be called from any thread. Accepts NULL. */
PCR_API void pcr_writer_cancel(struct pcr_writer *writer);

/* Frees the writer and its spool and sets *writer to NULL. No other call may be under way.
 * Accepts NULL and a NULL object. */
PCR_API void pcr_writer_close(struct pcr_writer **writer);

#ifdef __cplusplus
}
#endif
#endif
