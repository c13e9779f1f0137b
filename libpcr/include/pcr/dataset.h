/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading datasets and records: open, describe, find, and read any sample at any fidelity. */
#ifndef PCR_DATASET_H
#define PCR_DATASET_H

#include <pcr/base.h>

struct pcr_storage; /* storage.h */

#ifdef __cplusplus
extern "C" {
#endif

/* Fidelity g means groups 1..g. 0 stands for the highest, G, which is lossless. */
#define PCR_FIDELITY_FULL 0u

enum pcr_io_backend {
    PCR_IO_AUTO = 0,   /* pread: no other was faster (docs/PERFORMANCE.md) */
    PCR_IO_PREAD = 1,  /* pread after POSIX_FADV_RANDOM: reads just the bytes asked for, large
                        * or several ranges in pieces of which the kernel fetches 8 at a time */
    PCR_IO_MMAP = 2,   /* for local files that nobody changes: a shrinking file is SIGBUS */
    PCR_IO_URING = 3,  /* pieces as requests of an io_uring; where that is not allowed (see
                        * pcr_system_describe()) or not built in, as PCR_IO_PREAD */
    PCR_IO_DIRECT = 4, /* O_DIRECT, around the page cache; by io_uring where allowed. 4 MiB of
                        * memory for each read under way. Where the file system refuses it,
                        * through the page cache */
};

enum {
    /* Do not compare checksums of what is read. The parser stays safe without them. Not with a
     * cache: they tell whether what it keeps is right. */
    PCR_DATASET_NO_VERIFY = 1 << 0,
};

#define PCR_RETRY_NEVER UINT32_MAX

struct pcr_dataset_options {
    uint32_t size;       /* sizeof(struct pcr_dataset_options) */
    uint32_t flags;      /* PCR_DATASET_* */
    const char *split;   /* only this split's samples; NULL: all splits, in their order, and
                             * so with "all" where no split is named so */
    uint32_t io_backend; /* enum pcr_io_backend */
    uint32_t
        open_records; /* records kept open with their heads; default 64. Those of any dataset
                             * that are not in use are closed where descriptors run out */
    /* What is 0 has its default, or what the dataset's writer has found that reading it takes
     * (a conversion with a higher max_pixels, for example). What is set here holds. */
    const struct pcr_limits *limits;
    /* A cache of what is read, kept in files of a folder (made if it is missing), which may be
     * several processes' and be used again later, or in memory. It holds about cache_nbytes;
     * when it is full, what came first stays, and the rest is read as without it. Files there
     * that nobody has open, or has opened since the dataset was opened, make room. What is
     * damaged in it is read anew, and what fails a checksum of the dataset is dropped from it, and
     * read once more from storage; so nothing wrong is given out of it, or stays. A full disk costs
     * the caching alone. */
    const char *cache_dir; /* NULL: in memory */
    uint64_t cache_nbytes; /* 0: no cache, or with cache_dir 16 GiB */
    uint64_t
        throttle_nbytes_s;   /* for experiments: storage gives at most so many bytes a second
                                 * to all of the dataset's files together; 0: any number */
    uint32_t delay_us;       /* for experiments: each read takes so much longer */
    uint32_t retry_count;    /* reads, also of the manifest, that fail for a reason that may
                                 * pass (EIO, EAGAIN, EMFILE, ETIMEDOUT, ESTALE, no network) are
                                 * tried so often again, after 5, 10, 20 ms and so on up to a
                                 * second; 1 to 1000, default 4; PCR_RETRY_NEVER */
    uint32_t fault_interval; /* for tests: each n-th read fails with EIO; 0: none */
    uint32_t reserved;       /* 0 */
    /* Where the dataset is, a storage of the program's own (storage.h); NULL: in files. The struct
     * is copied, what it points to is not. */
    const struct pcr_storage *storage;
};

/* A dataset opened for reading. Immutable after opening; all functions on it may be called
 * from several threads at once, and in a forked child. */
struct pcr_dataset;

/* Opens a dataset folder (the one with manifest.json), or one record file as a dataset of
 * its own. Reads the manifest only; records are opened when first needed. In a storage of the
 * program's own the path is what names begin with ("": nothing), or a record's name.
 * Memory: the manifest's text, about 70 bytes a record, and about as much again, also while
 * opening. Codes: IO (sys_errno ENOENT where nothing is there),
 * FORMAT, CORRUPT, UNSUPPORTED (newer format), LIMIT, INVAL (no such split), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_dataset_open(const char *path,
                                            const struct pcr_dataset_options *opts,
                                            struct pcr_dataset **out, struct pcr_error *err);

/* Closes *ds and sets it to NULL. Accepts NULL and a NULL object. All views into it
 * (strings, samples) die with it; loaders made from it must be destroyed before. */
PCR_API void pcr_dataset_close(struct pcr_dataset **ds);

/* What the labels of a dataset's samples are. */
enum pcr_label_kind {
    PCR_LABEL_NONE = 0,   /* there are none */
    PCR_LABEL_CLASS = 1,  /* labels[0] is a class's index */
    PCR_LABEL_INTS = 2,   /* integers that are no classes' indices, one or several a sample */
    PCR_LABEL_FLOATS = 3, /* float_labels: finite numbers, one or several a sample */
};

struct pcr_dataset_info {
    uint32_t size;         /* set by the caller: sizeof(struct pcr_dataset_info) */
    uint32_t group_count;  /* G */
    uint64_t sample_count; /* in the opened split(s) */
    uint64_t record_count;
    uint32_t class_count;   /* 0 where labels are no classes */
    uint32_t split_count;   /* in the whole dataset */
    uint64_t source_nbytes; /* size of the source files, opened split(s) */
    uint64_t head_nbytes;   /* headers and heads */
    uint64_t total_nbytes;  /* of the record files */
    uint64_t opaque_count;  /* samples kept whole, in the whole dataset */
    uint32_t version_major; /* format */
    uint32_t version_minor;
    uint32_t max_side; /* larger images were reduced to this longest side, as JPEGs of */
    uint32_t quality;  /* this quality, before they were packed; 0, 0: none were */
    /* In the whole dataset: */
    uint64_t undecodable_count; /* opaque samples that no decoder here could show */
    uint64_t salvaged_count;    /* samples of damaged files, coded as far as they decode */
    uint64_t dropped_count;     /* samples whose files had bytes after the image, which */
    uint64_t dropped_nbytes;    /* were not kept; and those bytes */
    uint64_t skipped_count;     /* bad inputs that were left out */
    uint32_t label_kind;     /* enum pcr_label_kind; of one record opened as a dataset: NONE,
                             * INTS or FLOATS, for it does not know the classes */
    uint32_t has_attributes; /* 1: samples may have attributes */
    /* In the whole dataset; 0, 0 where its manifest does not say: */
    uint64_t scans_count;  /* samples of PCR_CODING_SCANS */
    uint64_t packed_count; /* and of PCR_CODING_PACKED */
    uint32_t coding;   /* enum pcr_coding that it was written with, and of which what is small
                            * or no JPEG is not; 0: not known, as of one record */
    uint32_t reserved; /* 0 */
};

/* Fills *info_out up to its .size. Never blocks. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_dataset_describe(const struct pcr_dataset *ds,
                                                struct pcr_dataset_info *info_out,
                                                struct pcr_error *err);

/* The limits that hold for the dataset: those given when it was opened, or their defaults, or
 * what its manifest says that it takes. Fills *limits_out up to its .size. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_dataset_limits(const struct pcr_dataset *ds,
                                              struct pcr_limits *limits_out,
                                              struct pcr_error *err);

/* What was read from storage since the dataset was opened; the manifest is not counted. */
struct pcr_io_stats {
    uint32_t size; /* set by the caller: sizeof(struct pcr_io_stats) */
    uint32_t reserved;
    uint64_t open_count; /* files opened */
    uint64_t read_count; /* reads, each of one range or several */
    uint64_t range_count;
    uint64_t read_nbytes;         /* bytes that they gave */
    uint64_t read_ns;             /* thread time that they took */
    uint64_t error_count;         /* that failed */
    uint64_t retry_count;         /* that were tried again */
    uint64_t fault_count;         /* that failed by fault_interval */
    uint64_t throttle_ns;         /* of read_ns: for throttle and delay */
    uint64_t cache_hit_nbytes;    /* found in the cache, in whole blocks of 16 KiB */
    uint64_t cache_miss_nbytes;   /* not found there, and read from storage */
    uint64_t cache_stored_nbytes; /* added to it */
    uint64_t cache_bad_count;     /* blocks that were damaged there */
    uint64_t
        cache_failed_count; /* records of which it could keep nothing (more) for an error */
};

/* Fills *stats_out up to its .size. Thread-safe. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_dataset_io_stats(const struct pcr_dataset *ds,
                                                struct pcr_io_stats *stats_out,
                                                struct pcr_error *err);

/* Bytes of all prefixes at fidelity g (headers and heads included); 0 for a g above G. */
PCR_API uint64_t pcr_dataset_prefix_nbytes(const struct pcr_dataset *ds, uint32_t fidelity);

/* Class name for a class index, NULL if there is none. Lives as long as the dataset. */
PCR_API const char *pcr_dataset_class_name(const struct pcr_dataset *ds, uint32_t index);

/* Samples of a class in the opened split(s). */
PCR_API uint64_t pcr_dataset_class_count(const struct pcr_dataset *ds, uint32_t index);

/* Name and sample count of split `index` of the whole dataset; NULL past the last. */
PCR_API const char *pcr_dataset_split_name(const struct pcr_dataset *ds, uint32_t index,
                                           uint64_t *sample_count_out);

/* The ladder's text (see ladder.h). Lives as long as the dataset. */
PCR_API const char *pcr_dataset_ladder(const struct pcr_dataset *ds);

/* The manifest's JSON text as it was read; "" for a single record. */
PCR_API const char *pcr_dataset_manifest(const struct pcr_dataset *ds, size_t *nbytes_out);

struct pcr_record_info {
    uint32_t size; /* set by the caller */
    uint32_t sample_count;
    uint64_t first_sample; /* dataset index of the record's first sample */
    uint64_t total_nbytes; /* file size */
    uint64_t head_end;     /* bytes of header and head: the start of group 1 */
    const char *path;      /* relative to the dataset's folder */
};

/* Describes record `record`; opens nothing. Codes: INVAL (no such record). */
PCR_API PCR_MUST_CHECK int pcr_dataset_record(const struct pcr_dataset *ds, uint64_t record,
                                              struct pcr_record_info *info_out,
                                              struct pcr_error *err);

/* What the writer noted of the record's samples: *out is replaced by a line for each of them,
 * a JSON object as docs/FORMAT.md 3.5 has it (`index`, `key`, and what was noted), and LF.
 * Empty where nothing was noted, as of most records. Reads the record's head and tail.
 * Codes: INVAL (no such record), IO, FORMAT, CORRUPT, TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_dataset_record_notes(const struct pcr_dataset *ds,
                                                    uint64_t record, struct pcr_buffer *out,
                                                    struct pcr_error *err);

/* Prefix length of a record at fidelity g: the end offset of group g. 0 if out of range. */
PCR_API uint64_t pcr_dataset_record_prefix(const struct pcr_dataset *ds, uint64_t record,
                                           uint32_t fidelity);

/* How a record holds a sample (docs/FORMAT.md 3.2). A newer writer's samples may have others,
 * which this version lists, but does not read (UNSUPPORTED). */
enum pcr_coding {
    PCR_CODING_OPAQUE = 0, /* the source file's bytes, whole, in group 1 */
    PCR_CODING_SCANS = 1,  /* progressive JPEG scans, split over the groups */
    PCR_CODING_PACKED = 2, /* the same coefficients in a smaller coding of our own */
};
/* "opaque", "scans", "packed"; "unknown" for what this version does not read. Static. */
PCR_API const char *pcr_coding_name(uint32_t coding);

/* What a record's head says of a sample. Pointers stay valid while the sample is held. */
struct pcr_sample_info {
    uint32_t size;   /* set by the caller */
    uint32_t coding; /* enum pcr_coding */
    uint64_t index;  /* in the dataset as opened */
    const char *key; /* any bytes but NUL; key_nbytes long, NUL after */
    uint32_t key_nbytes;
    uint32_t attributes_nbytes;
    const char *attributes; /* canonical JSON object, or "" */
    const int64_t *labels;  /* integers; NULL where the labels are floats */
    uint32_t label_count;   /* of labels or float_labels; 0 where there are none */
    uint32_t width;         /* stored pixels, before orientation; 0 if unknown (opaque) */
    uint32_t height;
    uint32_t component_count;
    uint32_t orientation;       /* 1..8, as EXIF numbers them */
    uint32_t record_index;      /* position in its record */
    uint64_t record;            /* record number in the dataset as opened */
    uint64_t source_nbytes;     /* size of the source file */
    const double *float_labels; /* finite numbers; NULL where the labels are integers */
};

/* A handle on one sample's metadata; holds its record's head in memory. */
struct pcr_sample;

/* Looks sample `index` up; reads the record's header and head on first use, no image
 * bytes. Release it with pcr_sample_release(). Codes: INVAL (index), IO, FORMAT, CORRUPT,
 * TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_sample_acquire(struct pcr_dataset *ds, uint64_t index,
                                              struct pcr_sample **out, struct pcr_error *err);

/* The first label of each of the samples [first, first + count): integers, -1 where there is
 * none, or floats, NaN where there is none. One of the arrays is given, of count entries, and
 * the other is NULL; a dataset without labels takes either. Reads heads that are not in memory,
 * no image bytes, and blocks meanwhile: ask for some records' samples at a time where it must
 * be possible to stop. Codes: INVAL (range; the labels are of the other kind), and as
 * pcr_sample_acquire(). */
PCR_API PCR_MUST_CHECK int pcr_dataset_labels(struct pcr_dataset *ds, uint64_t first,
                                              uint64_t count, int64_t *labels_out,
                                              double *float_labels_out, struct pcr_error *err);

/* All labels of each of these samples: *labels_out is replaced by offsets_out[count] numbers, one
 * sample's after the other's, int64_t, or double where the dataset's labels are floats.
 * offsets_out has count + 1 entries: sample first + i has the numbers from offsets_out[i] up to
 * offsets_out[i + 1]; none where these are equal. Reading and codes as pcr_dataset_labels(), and
 * NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_dataset_all_labels(struct pcr_dataset *ds, uint64_t first,
                                                  uint64_t count, uint64_t *offsets_out,
                                                  struct pcr_buffer *labels_out,
                                                  struct pcr_error *err);

/* Finds a key's dataset index. The first call reads all heads and builds an index (about
 * 16 bytes a sample); later calls are O(1). Returns PCR_END where no sample has the key;
 * the first of several with the same key. Codes: as pcr_sample_acquire(). */
PCR_API PCR_MUST_CHECK int pcr_dataset_find(struct pcr_dataset *ds, const void *key,
                                            size_t key_nbytes, uint64_t *index_out,
                                            struct pcr_error *err);

/* Fills *info_out up to its .size. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_sample_describe(const struct pcr_sample *s,
                                               struct pcr_sample_info *info_out,
                                               struct pcr_error *err);

/* Stored bytes of this sample up to fidelity g: what one read of it transfers. */
PCR_API uint64_t pcr_sample_nbytes(const struct pcr_sample *s, uint32_t fidelity);

/* Reads one sample at fidelity g with at most g range reads, verifies each chunk, and
 * materialises it: a standard JPEG (ending in EOI), or an opaque sample's file.
 * `out` is reused. Codes: IO, CORRUPT, TRUNCATED, INVAL (fidelity above G), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_sample_read(const struct pcr_sample *s, uint32_t fidelity,
                                           struct pcr_buffer *out, struct pcr_error *err);

struct pcr_decoder; /* image.h: it and the next two */
struct pcr_decode_options;
struct pcr_image_info;

/* Reads one sample at fidelity g and decodes it, whatever its coding: faster than decoding what
 * pcr_sample_read() gives where that must be written first. opts: NULL for RGB, upright; limits and
 * orientation that are not given are the dataset's. pixels: as pcr_decoder_decode_alloc() fills it.
 * info_out: NULL or a pcr_image_info with its size. Codes: those of pcr_sample_read() and
 * pcr_decoder_decode(). */
PCR_API PCR_MUST_CHECK int pcr_sample_decode(const struct pcr_sample *s, uint32_t fidelity,
                                             struct pcr_decoder *d,
                                             const struct pcr_decode_options *opts,
                                             struct pcr_buffer *pixels,
                                             struct pcr_image_info *info_out,
                                             struct pcr_error *err);

/* Releases *s and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_sample_release(struct pcr_sample **s);

/* A contiguous run of samples of one record at one fidelity, read at once: g range reads. */
struct pcr_slice;

/* Reads samples [first, first + count) of record `record` at fidelity g. The slice owns
 * its bytes; when it is destroyed, the dataset keeps up to 32 MiB of such memory for slices
 * to come. Where the slice is the whole record, the group checksums are verified in one
 * prefix read; else the chunk checksums are. Blocks for the reads.
 * Codes: INVAL (range), IO, FORMAT, CORRUPT, TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_slice_read(struct pcr_dataset *ds, uint64_t record,
                                          uint32_t first, uint32_t count, uint32_t fidelity,
                                          struct pcr_slice **out, struct pcr_error *err);

/* The same where samples need different fidelities: the i-th, fidelities[i] of `count`, is 1
 * to G, or 0 for a sample that is left out. Reads little more than what is needed, in as few
 * ranges: needed chunks less than a page apart are read at once. Where the functions below
 * speak of the slice's fidelity, it is the sample's. Copies `fidelities`.
 * Codes: as pcr_slice_read(), and INVAL where all are left out. */
PCR_API PCR_MUST_CHECK int pcr_slice_read_each(struct pcr_dataset *ds, uint64_t record,
                                               uint32_t first, uint32_t count,
                                               const uint8_t *fidelities,
                                               struct pcr_slice **out, struct pcr_error *err);

/* Samples in the slice. */
PCR_API uint32_t pcr_slice_count(const struct pcr_slice *sl);

/* Image bytes that reading the slice transferred. */
PCR_API uint64_t pcr_slice_nbytes(const struct pcr_slice *sl);

/* Describes the i-th sample of the slice; pointers live as long as the slice. */
PCR_API PCR_MUST_CHECK int pcr_slice_describe(const struct pcr_slice *sl, uint32_t i,
                                              struct pcr_sample_info *info_out,
                                              struct pcr_error *err);

/* Materialises the i-th sample of the slice at fidelity g (0: the slice's), no I/O. */
PCR_API PCR_MUST_CHECK int pcr_slice_get(const struct pcr_slice *sl, uint32_t i,
                                         uint32_t fidelity, struct pcr_buffer *out,
                                         struct pcr_error *err);

/* The same without copying what is in the slice: *out is replaced by spans that make up the file,
 * and which live as long as the slice and *memory, which holds what its coding must write anew. */
PCR_API PCR_MUST_CHECK int pcr_slice_file(const struct pcr_slice *sl, uint32_t i,
                                          uint32_t fidelity, struct pcr_spans *out,
                                          struct pcr_buffer *memory, struct pcr_error *err);

/* The bytes of groups after + 1 .. fidelity of the i-th sample in place, as the decoder takes them
 * (pcr_decoder_decode_spans(), pcr_decoder_continue()). With after = 0 they begin with the image's
 * header, with after = fidelity (0: the slice's) there are none. Of PCR_CODING_SCANS they are the
 * file without its EOI; an opaque sample is one span, in group 1; other codings have their own
 * form. They live as long as the slice. *out is replaced.
 * Codes: as pcr_slice_get(), and INVAL where after is above the fidelity. */
PCR_API PCR_MUST_CHECK int pcr_slice_spans(const struct pcr_slice *sl, uint32_t i,
                                           uint32_t after, uint32_t fidelity,
                                           struct pcr_spans *out, struct pcr_error *err);

/* Destroys *sl and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_slice_release(struct pcr_slice **sl);

/* Destroyed slices' memory is kept for later ones, since fresh memory costs more than reading
 * into it: 32 MiB, or as much as the calls of this function add up to. A loader asks for its
 * window_nbytes as long as it is there; a program that holds many slices at a time may do so
 * too. What was asked for before is given back as `less_nbytes`. */
PCR_API void pcr_dataset_keep_memory(struct pcr_dataset *ds, uint64_t more_nbytes,
                                     uint64_t less_nbytes);

struct pcr_verify_report {
    uint32_t size; /* set by the caller */
    uint32_t reserved;
    uint64_t record_count;        /* records looked at */
    uint64_t sample_count;        /* samples looked at */
    uint64_t bad_records;         /* whose header, head, a group or the tail is damaged */
    uint64_t bad_samples;         /* with a chunk that fails, or (deep) that do not decode */
    uint64_t undecodable_samples; /* deep: opaque ones that are just as they were kept, but
                                   * that no decoder here can show: no damage */
};

enum pcr_verify_kind {
    PCR_VERIFY_PROGRESS = 0,    /* a record is done; err is NULL */
    PCR_VERIFY_DAMAGE = 1,      /* err tells what is damaged */
    PCR_VERIFY_UNDECODABLE = 2, /* err names a sample that is intact, and why it cannot be
                                 * shown */
};

/* Called for each finding and after each record; kind: enum pcr_verify_kind. A nonzero return
 * cancels. */
typedef int (*pcr_verify_callback)(void *context, uint32_t kind, const char *record_path,
                                   uint64_t records_done, const struct pcr_error *err);

/* Verifies every checksum of one record: header, head, groups, chunks, tail, and that the
 * manifest describes it. deep: also decodes each sample at every fidelity, within the
 * dataset's limits. Findings go to `callback` (may be NULL) and are added to *report; they do
 * not end the work.
 * Codes: IO where the system fails (after retry_count tries), CANCELLED, NOMEM; a damaged or
 * missing record is a finding, not a failure. */
PCR_API PCR_MUST_CHECK int pcr_dataset_verify_record(struct pcr_dataset *ds, uint64_t record,
                                                     int deep,
                                                     struct pcr_verify_report *report,
                                                     pcr_verify_callback callback,
                                                     void *context, struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
