/* SPDX-License-Identifier: BSD-2-Clause */
/* Datasets and records: opening, describing, and finding what is in them. */
#ifndef PCR_DATASET_H
#define PCR_DATASET_H

#include <pcr/base.h>

struct pcr_storage; /* storage.h */

#ifdef __cplusplus
extern "C" {
#endif

/* The highest fidelity, G, which is lossless. Fidelity g means groups 1..g; 0 means G. */
#define PCR_FIDELITY_FULL 0u

/* How record files are read. */
enum pcr_io_backend {
    PCR_IO_AUTO = 0,   /* pread: no other was faster (docs/PERFORMANCE.md) */
    PCR_IO_PREAD = 1,  /* pread after POSIX_FADV_RANDOM: reads only the bytes asked for. Large
                        * reads and several ranges are cut into pieces, and the kernel fetches
                        * 8 of them at a time */
    PCR_IO_MMAP = 2,   /* for local files that nobody changes: a file that shrinks is SIGBUS */
    PCR_IO_URING = 3,  /* pieces are requests of an io_uring. As PCR_IO_PREAD if that is not
                        * allowed (see pcr_system_describe()) or not built in */
    PCR_IO_DIRECT = 4, /* O_DIRECT, which bypasses the page cache; by io_uring if allowed.
                        * Takes 4 MiB of memory for each read under way. Through the page cache
                        * if the file system refuses O_DIRECT */
};

/* Flags of struct pcr_dataset_options. */
enum {
    /* Do not compare checksums. The parser stays safe without them. Not allowed with a cache,
     * for only checksums tell whether its contents are right. */
    PCR_DATASET_NO_VERIFY = 1 << 0,
};

#define PCR_RETRY_NEVER UINT32_MAX /* retry_count: report a failed read at once */

/* How to open a dataset. */
struct pcr_dataset_options {
    uint32_t size;       /* sizeof(struct pcr_dataset_options) */
    uint32_t flags;      /* PCR_DATASET_* */
    const char *split;   /* only this split's samples. NULL, and "all" unless a split has that
                          * name: all splits, in their order */
    uint32_t io_backend; /* enum pcr_io_backend */
    uint32_t open_records; /* records kept open, with their heads in memory; default 64. When
                            * descriptors run out, idle records of any dataset are closed */
    /* What is set here holds. A limit that is 0 has its default, or a higher one that the
     * dataset's writer recorded because reading needs it (it converted with a higher
     * max_pixels, for example). */
    const struct pcr_limits *limits;
    /* The folder of a cache of what is read, made if it is missing; NULL: the cache is in
     * memory. Several processes may share a folder, and later ones may use it again. The cache
     * holds about cache_nbytes. When it is full, it keeps what came first, and the rest is
     * read as without a cache; files that nobody has open, and nobody has opened since this
     * dataset was opened, are deleted to make room. Damage in the cache is noticed, and the
     * bytes are read anew. Bytes that fail a checksum of the dataset are removed from the
     * cache and read once more from storage, so it neither delivers nor keeps wrong bytes.
     * When the disk is full, only caching stops. */
    const char *cache_dir;
    uint64_t cache_nbytes;      /* 0: no cache, or 16 GiB with cache_dir */
    uint64_t throttle_nbytes_s; /* for experiments: storage delivers at most so many bytes per
                                 * second to all files of the dataset together; 0: no bound */
    uint32_t delay_us;          /* for experiments: each read takes this much longer */
    uint32_t retry_count;    /* how often a read, also of the manifest, is tried again after a
                              * failure that may pass (EIO, EAGAIN, EMFILE, ETIMEDOUT,
                              * ESTALE, no network): after 5, 10, 20 ms and so on, up to a
                              * second. 1 to 1000; default 4; or PCR_RETRY_NEVER */
    uint32_t fault_interval; /* for tests: each n-th read fails with EIO; 0: none */
    uint32_t reserved;       /* 0 */
    /* A storage of the program's own (storage.h) that holds the dataset; NULL: files. The
     * struct is copied, but not what it points to. */
    const struct pcr_storage *storage;
};

/* A dataset opened for reading. It is immutable. All functions on it may be called from
 * several threads at once, and in a forked child. */
struct pcr_dataset;

/* Opens a dataset folder (the one with manifest.json), or one record file as a dataset of its
 * own. Reads only the manifest; records are opened when first needed. In a storage of the
 * program's own, the path is the beginning of all names ("": none), or a record's name.
 * Memory: twice the manifest's text and about 70 bytes per record, also while opening.
 * Codes: IO (sys_errno ENOENT if nothing is there), FORMAT, CORRUPT, UNSUPPORTED (newer
 * format), LIMIT, INVAL (no such split), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_dataset_open(const char *path,
                                            const struct pcr_dataset_options *opts,
                                            struct pcr_dataset **out, struct pcr_error *err);

/* Closes *ds and sets it to NULL. Accepts NULL and a NULL object. All views into the dataset
 * (strings, samples) become invalid; destroy loaders made from it before. */
PCR_API void pcr_dataset_close(struct pcr_dataset **ds);

/* What the labels of a dataset's samples are. */
enum pcr_label_kind {
    PCR_LABEL_NONE = 0,   /* there are none */
    PCR_LABEL_CLASS = 1,  /* labels[0] is the index of a class */
    PCR_LABEL_INTS = 2,   /* integers that are not class indices, one or several per sample */
    PCR_LABEL_FLOATS = 3, /* float_labels: finite numbers, one or several per sample */
};

/* A dataset's size and contents. */
struct pcr_dataset_info {
    uint32_t size;          /* set by the caller: sizeof(struct pcr_dataset_info) */
    uint32_t group_count;   /* G, the highest fidelity */
    uint64_t sample_count;  /* in the opened split(s) */
    uint64_t record_count;  /* in the opened split(s) */
    uint32_t class_count;   /* 0 if labels are not classes */
    uint32_t split_count;   /* in the whole dataset */
    uint64_t source_nbytes; /* size of the source files of the opened split(s) */
    uint64_t head_nbytes;   /* headers and heads */
    uint64_t total_nbytes;  /* of the record files */
    uint64_t opaque_count;  /* samples kept as whole files, in the whole dataset */
    uint32_t version_major; /* of the format */
    uint32_t version_minor; /* of the format */
    uint32_t max_side;      /* larger images were reduced to this longest side before they
                                 * were packed; 0: none were */
    uint32_t quality;       /* of the JPEGs that the writer made, at most; 0: it made none */
    uint64_t undecodable_count; /* in the whole dataset: opaque samples that no decoder of the
                                 * writer's could show */
    uint64_t salvaged_count;    /* in the whole dataset: samples of damaged files, coded as far
                                 * as they decode */
    uint64_t dropped_count;  /* in the whole dataset: samples whose files had bytes after the
                              * image that were not kept */
    uint64_t dropped_nbytes; /* in the whole dataset: the number of those bytes */
    uint64_t skipped_count;  /* in the whole dataset: bad inputs that were left out */
    uint32_t label_kind;     /* enum pcr_label_kind. For one record opened as a dataset: NONE,
                              * INTS or FLOATS, for a record does not know the classes */
    uint32_t column_count;   /* attributes that samples may have: pcr_dataset_column_info() */
    uint64_t scans_count;    /* in the whole dataset: samples of PCR_CODING_SCANS */
    uint64_t packed_count;   /* in the whole dataset: samples of PCR_CODING_PACKED. Both are 0
                              * if the manifest does not say */
    uint32_t coding;         /* enum pcr_coding that the dataset was written with; small images
                              * and those that are not JPEG have another. 0: not known, as
                              * for one record */
    uint32_t originals; /* 1: source files can be restored (pcr_sample_original()), but for
                              * salvaged ones. 0 for one record */
    uint64_t
        unrestorable_count; /* in the whole dataset: opaque samples that could be coded, but
                                  * then not restored */
    uint64_t
        tail_nbytes; /* tails of the whole dataset's records: what restores files, notes */
    uint64_t encoded_count; /* in the whole dataset: samples of other files than JPEG, of which
                             * JPEGs were made */
    uint32_t pictures; /* enum pcr_pictures (writer.h): what the writer was told to do with
                             * such files. 0: not known, as for one record */
    uint32_t
        target_nbytes; /* larger files became JPEGs of at most so many bytes; 0: none did */
    uint64_t
        exact_count; /* in the whole dataset: samples that have the pixels of a file that was
                           * no JPEG at full fidelity, by a residual */
};

/* Fills *info_out up to its .size. Never blocks. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_dataset_describe(const struct pcr_dataset *ds,
                                                struct pcr_dataset_info *info_out,
                                                struct pcr_error *err);

/* The limits that hold for the dataset: those given to pcr_dataset_open(), or their defaults,
 * or those that its manifest asks for. Fills *limits_out up to its .size. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_dataset_limits(const struct pcr_dataset *ds,
                                              struct pcr_limits *limits_out,
                                              struct pcr_error *err);

/* Counts of reads from storage since the dataset was opened, without the manifest. */
struct pcr_io_stats {
    uint32_t size;                /* set by the caller: sizeof(struct pcr_io_stats) */
    uint32_t reserved;            /* 0 */
    uint64_t open_count;          /* files opened */
    uint64_t read_count;          /* reads, each of one range or several */
    uint64_t range_count;         /* ranges of all reads */
    uint64_t read_nbytes;         /* bytes that reads delivered */
    uint64_t read_ns;             /* thread time that reads took */
    uint64_t error_count;         /* reads that failed */
    uint64_t retry_count;         /* reads that were tried again */
    uint64_t fault_count;         /* reads that failed because of fault_interval */
    uint64_t throttle_ns;         /* part of read_ns: waiting for throttle and delay */
    uint64_t cache_hit_nbytes;    /* bytes found in the cache, in whole blocks of 16 KiB */
    uint64_t cache_miss_nbytes;   /* bytes not found in the cache and read from storage */
    uint64_t cache_stored_nbytes; /* bytes added to the cache */
    uint64_t cache_bad_count;     /* blocks of the cache that were damaged */
    uint64_t cache_failed_count;  /* records that the cache stopped storing after an error */
};

/* Fills *stats_out up to its .size. Thread-safe. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_dataset_io_stats(const struct pcr_dataset *ds,
                                                struct pcr_io_stats *stats_out,
                                                struct pcr_error *err);

/* Bytes of all record prefixes at fidelity g, with headers and heads; 0 for a g above G. */
PCR_API uint64_t pcr_dataset_prefix_nbytes(const struct pcr_dataset *ds, uint32_t fidelity);

/* The name of class `index`; NULL if there is none. It lives as long as the dataset. */
PCR_API const char *pcr_dataset_class_name(const struct pcr_dataset *ds, uint32_t index);

/* The number of samples of a class in the opened split(s). */
PCR_API uint64_t pcr_dataset_class_count(const struct pcr_dataset *ds, uint32_t index);

/* Name and sample count of split `index` of the whole dataset; NULL past the last. The name
 * lives as long as the dataset. */
PCR_API const char *pcr_dataset_split_name(const struct pcr_dataset *ds, uint32_t index,
                                           uint64_t *sample_count_out);

/* The split that the dataset was opened with; NULL if all are open. The name lives as long as the
 * dataset. */
PCR_API const char *pcr_dataset_split(const struct pcr_dataset *ds);

/* The name of blob `index`, in byte order of names; NULL past the last. Samples may have a blob of
 * each name: pcr_sample_blob(). It lives as long as the dataset. */
PCR_API const char *pcr_dataset_blob_name(const struct pcr_dataset *ds, uint32_t index);

/* The text of the dataset's ladder (see ladder.h). It lives as long as the dataset. */
PCR_API const char *pcr_dataset_ladder(const struct pcr_dataset *ds);

/* The JSON text of the manifest as it was read; "" for a single record. It lives as long as
 * the dataset. */
PCR_API const char *pcr_dataset_manifest(const struct pcr_dataset *ds, size_t *nbytes_out);

/* One record of a dataset. */
struct pcr_record_info {
    uint32_t size;         /* set by the caller */
    uint32_t sample_count; /* samples in the record */
    uint64_t first_sample; /* dataset index of the record's first sample */
    uint64_t total_nbytes; /* file size */
    uint64_t head_end;     /* bytes of header and head: the offset of group 1 */
    const char *path;      /* relative to the dataset's folder; lives as long as the dataset */
};

/* Describes record `record` without opening it. Codes: INVAL (no such record). */
PCR_API PCR_MUST_CHECK int pcr_dataset_record(const struct pcr_dataset *ds, uint64_t record,
                                              struct pcr_record_info *info_out,
                                              struct pcr_error *err);

/* What the writer noted about the record's samples. *out is replaced by a line for each sample
 * with a note: a JSON object as in docs/FORMAT.md 3.5 (`index`, `key`, and the note), then LF.
 * Most records have no notes; *out is then empty. Reads the record's head and tail.
 * Codes: INVAL (no such record), IO, FORMAT, CORRUPT, TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_dataset_record_notes(const struct pcr_dataset *ds,
                                                    uint64_t record, struct pcr_buffer *out,
                                                    struct pcr_error *err);

/* Prefix length of a record at fidelity g: the offset at which group g ends. 0 if out of
 * range. */
PCR_API uint64_t pcr_dataset_record_prefix(const struct pcr_dataset *ds, uint64_t record,
                                           uint32_t fidelity);

/* The first label of each sample in [first, first + count): integers, -1 for a sample without
 * labels; or floats, NaN for a sample without labels. Give one of the two arrays, of count
 * entries, and NULL for the other; a dataset without labels takes either. Reads heads that are
 * not in memory, no image bytes, and blocks meanwhile. To be able to stop, ask for the samples
 * of a few records at a time. Codes: INVAL (range; labels of the other kind), and as
 * pcr_sample_acquire(). */
PCR_API PCR_MUST_CHECK int pcr_dataset_labels(struct pcr_dataset *ds, uint64_t first,
                                              uint64_t count, int64_t *labels_out,
                                              double *float_labels_out, struct pcr_error *err);

/* All labels of each sample in [first, first + count). *labels_out is replaced by
 * offsets_out[count] numbers, the labels of one sample after those of another: int64_t, or
 * double if the dataset's labels are floats. offsets_out has count + 1 entries: the labels of
 * sample first + i begin at offsets_out[i] and end before offsets_out[i + 1]; the two are
 * equal if it has none. Blocks as pcr_dataset_labels(). Codes: as pcr_dataset_labels(), and
 * NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_dataset_all_labels(struct pcr_dataset *ds, uint64_t first,
                                                  uint64_t count, uint64_t *offsets_out,
                                                  struct pcr_buffer *labels_out,
                                                  struct pcr_error *err);

/* --- pcr_column: Attributes of many samples, as arrays --- */

/* What the elements of a column are. */
enum pcr_element {
    PCR_ELEMENT_BOOL = 1,    /* uint8_t, 0 or 1 */
    PCR_ELEMENT_INT64 = 2,   /* int64_t */
    PCR_ELEMENT_FLOAT64 = 3, /* double, finite */
    PCR_ELEMENT_STRING = 4,  /* UTF-8 text without NUL */
    PCR_ELEMENT_JSON = 5,    /* text of a JSON value, for attributes of no other type */
};

/* An attribute that samples may have, and its type. A value is one element, or a list of items; an
 * item is one element, or a row of `width` of them. */
struct pcr_column_info {
    uint32_t size;     /* set by the caller */
    uint32_t element;  /* enum pcr_element */
    uint32_t is_list;  /* 1: values are lists of items */
    uint32_t length;   /* items of each list, if all have as many; else 0 */
    uint32_t width;    /* elements of an item: 1, or those of a row */
    uint32_t reserved; /* 0 */
    const char *name;  /* UTF-8 without NUL. Lives as long as the dataset */
    const char
        *type; /* as docs/FORMAT.md 3.7 writes it: "int64", "float64[][4]". Lives as long
                        * as the dataset */
};

/* Describes attribute `index`; they are in byte order of their names. Opens no record. Codes:
 * INVAL (no such attribute). */
PCR_API PCR_MUST_CHECK int pcr_dataset_column_info(const struct pcr_dataset *ds,
                                                   uint32_t index,
                                                   struct pcr_column_info *info_out,
                                                   struct pcr_error *err);

/* One attribute of N samples. Samples without a value have no items where lists differ in length,
 * and elsewhere elements that are 0, NaN or "". */
struct pcr_column {
    uint32_t size;          /* of the struct, as the library knows it */
    uint32_t element;       /* enum pcr_element */
    uint32_t is_list;       /* as in struct pcr_column_info */
    uint32_t length;        /* the same */
    uint32_t width;         /* the same */
    uint32_t reserved;      /* 0 */
    uint64_t sample_count;  /* N */
    uint64_t element_count; /* E, of all samples: N x length x width unless lists differ */
    const uint8_t *states;  /* N entries: 1 if the sample has a value, 0 if it has no such
                             * attribute, 2 if it is null */
    const uint64_t
        *offsets; /* N + 1 entries: the items of sample i are offsets[i] up to before
                              * offsets[i + 1]. NULL unless lists differ in length */
    const void
        *values; /* E elements, sample by sample, item by item; NULL for STRING and JSON */
    const char *texts; /* STRING and JSON: E texts, each with a NUL after it; else NULL */
    const uint64_t *text_offsets; /* E + 1 entries: where each text begins, and where the last
                                   * one's NUL ends; NULL unless there are texts */
};

/* Reads an attribute of samples [first, first + count). Free *out with pcr_column_free(). Reads
 * heads that are not in memory, no image bytes, and blocks meanwhile. To be able to stop, ask for
 * the samples of a few records at a time. Codes: INVAL (range; no attribute of that name), and as
 * pcr_sample_acquire(). */
PCR_API PCR_MUST_CHECK int pcr_dataset_column(struct pcr_dataset *ds, const char *name,
                                              uint64_t first, uint64_t count,
                                              struct pcr_column **out, struct pcr_error *err);

/* Joins columns of the same attribute: *out has the samples of one after those of another. NULL
 * stands for a sample that has no such attribute. `none` is one of them, or another of the same
 * type, also without samples. If they differ, and only in the length of their lists, the lists of
 * *out differ in length. Codes: INVAL (another type), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_column_join(const struct pcr_column *none,
                                           const struct pcr_column *const *parts,
                                           uint32_t count, struct pcr_column **out,
                                           struct pcr_error *err);

/* Frees *column and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_column_free(struct pcr_column **column);

/* Finds the dataset index of a key. The first call reads all heads and builds an index (about
 * 16 bytes per sample); later calls are O(1). Returns PCR_END if no sample has the key. If
 * several have it, finds the first. Codes: as pcr_sample_acquire(). */
PCR_API PCR_MUST_CHECK int pcr_dataset_find(struct pcr_dataset *ds, const void *key,
                                            size_t key_nbytes, uint64_t *index_out,
                                            struct pcr_error *err);

/* --- pcr_sample: Single samples: metadata, files and pixels --- */

/* How a record holds a sample (docs/FORMAT.md 3.2). A newer writer's samples may have other
 * codings; this version lists such samples, but does not read them (UNSUPPORTED). */
enum pcr_coding {
    PCR_CODING_OPAQUE = 0, /* the source file's bytes, whole, in group 1 */
    PCR_CODING_SCANS = 1,  /* progressive JPEG scans, divided among the groups */
    PCR_CODING_PACKED = 2, /* the same coefficients in a smaller coding of the library's own */
};

/* The name of a coding: "opaque", "scans", "packed"; "unknown" for one that this version does
 * not read. Static storage. */
PCR_API const char *pcr_coding_name(uint32_t coding);

/* What a record's head says about a sample, but for its attributes. Pointers stay valid until the
 * sample is released. */
struct pcr_sample_info {
    uint32_t size;              /* set by the caller */
    uint32_t coding;            /* enum pcr_coding */
    uint64_t index;             /* in the dataset as opened */
    const char *key;            /* any bytes but NUL, with a NUL after them */
    uint32_t key_nbytes;        /* length of the key, without the NUL */
    uint32_t label_count;       /* of labels or float_labels; 0 if there are none */
    const int64_t *labels;      /* label_count integers; NULL if labels are floats */
    const double *float_labels; /* label_count finite numbers; NULL if labels are integers */
    uint32_t width;           /* in stored pixels, before orientation; 0 if unknown (opaque) */
    uint32_t height;          /* as width */
    uint32_t component_count; /* colour components, 0 to 4; 0 if unknown */
    uint32_t orientation;     /* 1..8, as in EXIF */
    uint32_t record_index;    /* position in its record */
    uint32_t quality_count;   /* G - 1, or 0 if quality is NULL */
    uint64_t record;          /* record number in the dataset as opened */
    uint64_t source_nbytes;   /* size of the source file */
    /* quality_count x PCR_QUALITY_SCALES bytes: of fidelity g at scale sqrt(2)^i, element
     * PCR_QUALITY_SCALES * (g - 1) + i is the predicted quality in quarters of a decibel, -40
     * log10(1 - SSIM) (docs/FORMAT.md 3.6). NULL: not known */
    const uint8_t *quality;
    uint32_t exact; /* 1: at full fidelity it has the pixels of a file that was no JPEG, and is
                      * given as a PNG file; at lower ones a JPEG. Else 0 */
    uint32_t reserved; /* 0 */
};

enum { PCR_QUALITY_SCALES = 7 }; /* sqrt(2)^0 to sqrt(2)^6 source pixels an output pixel */

/* The predicted quality of a sample at a fidelity (0: full) where `scale` source pixels, measured
 * along a line, become one pixel of the output: SSIM of luma against full fidelity, both at that
 * size, 0 to 1. 1 at full fidelity, -1 if it is not known. */
PCR_API double pcr_sample_quality(const struct pcr_sample_info *info, uint32_t fidelity,
                                  double scale);

/* The least fidelity whose predicted quality at this scale is at least `quality`, 0 to 1, by half a
 * decibel (what is lacking of 1 is less by 11%), since a crop may be a harder part of its picture.
 * 0 (full) if there is none below full fidelity, or if qualities are not known. */
PCR_API uint32_t pcr_sample_fidelity(const struct pcr_sample_info *info, double quality,
                                     double scale);

/* A handle on the metadata of one sample. It holds its record's head in memory. */
struct pcr_sample;

/* Looks up sample `index`. Reads the record's header and head on first use, no image bytes.
 * Release the sample with pcr_sample_release(). Codes: INVAL (index), IO, FORMAT, CORRUPT,
 * TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_sample_acquire(struct pcr_dataset *ds, uint64_t index,
                                              struct pcr_sample **out, struct pcr_error *err);

/* Fills *info_out up to its .size. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_sample_describe(const struct pcr_sample *s,
                                               struct pcr_sample_info *info_out,
                                               struct pcr_error *err);

/* The sample's attributes: *out is replaced by the text of a canonical JSON object, "{}" if it has
 * none, with a NUL after it that *out does not count. Codes: CORRUPT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_sample_attributes(const struct pcr_sample *s,
                                                 struct pcr_buffer *out,
                                                 struct pcr_error *err);

/* Reads the sample's blob of a name, by one range read, and verifies it. *out is replaced. Returns
 * PCR_END if the sample has none. Codes: IO, CORRUPT, TRUNCATED, LIMIT (above max_sample_nbytes),
 * INVAL (no sample has a blob of this name), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_sample_blob(const struct pcr_sample *s, const char *name,
                                           struct pcr_buffer *out, struct pcr_error *err);

/* The size of the sample's blob of a name, which is not read. Returns PCR_END if the sample has
 * none. Codes: INVAL (no sample has a blob of this name). */
PCR_API PCR_MUST_CHECK int pcr_sample_blob_nbytes(const struct pcr_sample *s, const char *name,
                                                  uint64_t *nbytes_out, struct pcr_error *err);

/* Stored bytes of this sample up to fidelity g: what one read of it transfers. */
PCR_API uint64_t pcr_sample_nbytes(const struct pcr_sample *s, uint32_t fidelity);

/* Reads one sample at fidelity g with at most g range reads, verifies each chunk, and makes
 * its file: a standard JPEG (ending in EOI), or the source file of an opaque sample. *out is
 * replaced. Codes: IO, CORRUPT, TRUNCATED, INVAL (fidelity above G), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_sample_read(const struct pcr_sample *s, uint32_t fidelity,
                                           struct pcr_buffer *out, struct pcr_error *err);

struct pcr_decoder;          /* image.h */
struct pcr_decode_options;   /* image.h */
struct pcr_image_info;       /* image.h */
struct pcr_baseline_options; /* image.h */

/* Reads one sample at fidelity g and decodes it, whatever its coding. For codings that
 * pcr_sample_read() must convert to a JPEG first, this is faster than decoding that JPEG.
 *
 * opts: NULL means RGB, turned upright. Limits and orientation that are not set are the
 *   dataset's.
 * pixels: filled as by pcr_decoder_decode_alloc().
 * info_out: NULL, or a struct with its size set.
 *
 * Codes: those of pcr_sample_read() and pcr_decoder_decode(). */
PCR_API PCR_MUST_CHECK int pcr_sample_decode(const struct pcr_sample *s, uint32_t fidelity,
                                             struct pcr_decoder *d,
                                             const struct pcr_decode_options *opts,
                                             struct pcr_buffer *pixels,
                                             struct pcr_image_info *info_out,
                                             struct pcr_error *err);

/* Reads one sample at fidelity g and writes it as a baseline JPEG file, as
 * pcr_decoder_baseline() does; an opaque sample as pcr_sample_read() does. opts: NULL means
 * the defaults; limits that are not set are the dataset's. *out is replaced. Codes: those of
 * pcr_sample_read() and pcr_decoder_baseline(). */
PCR_API PCR_MUST_CHECK int pcr_sample_baseline(const struct pcr_sample *s, uint32_t fidelity,
                                               struct pcr_decoder *d,
                                               const struct pcr_baseline_options *opts,
                                               struct pcr_buffer *out, struct pcr_error *err);

/* Restores the source file of one sample, byte for byte, if the dataset keeps originals (see enum
 * pcr_originals in writer.h): reads the sample at full fidelity, and its record's tail when the
 * first of its samples is restored. The file's size and checksum are verified. *out is replaced.
 * Codes: UNSUPPORTED (the original was not kept), INVAL (no decoder), and those of
 * pcr_sample_read() and pcr_decoder_decode(). */
PCR_API PCR_MUST_CHECK int pcr_sample_original(const struct pcr_sample *s,
                                               struct pcr_decoder *d, struct pcr_buffer *out,
                                               struct pcr_error *err);

/* What is known of the sample's source file besides its bytes: nothing where originals are not
 * kept. Reads the record's tail when the first of its samples is asked for. Codes: INVAL (info_out
 * is NULL), and those of pcr_sample_read(). */
PCR_API PCR_MUST_CHECK int pcr_sample_file_info(const struct pcr_sample *s,
                                                struct pcr_file_info *info_out,
                                                struct pcr_error *err);

/* Releases *s and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_sample_release(struct pcr_sample **s);

/* --- pcr_slice: Runs of samples of a record, read at once --- */

/* A contiguous run of samples of one record, read at one fidelity at once: g range reads. */
struct pcr_slice;

/* Reads samples [first, first + count) of record `record` at fidelity g. The slice owns its
 * bytes; after its release the dataset keeps up to 32 MiB of such memory for later slices. A
 * slice of the whole record is one prefix read, checked by the checksums of groups; another is
 * checked by those of chunks. Blocks for the reads. Codes: INVAL (range), IO, FORMAT, CORRUPT,
 * TRUNCATED, UNSUPPORTED, LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_slice_read(struct pcr_dataset *ds, uint64_t record,
                                          uint32_t first, uint32_t count, uint32_t fidelity,
                                          struct pcr_slice **out, struct pcr_error *err);

/* As pcr_slice_read(), for samples of different fidelities: fidelities[i] is that of the i-th
 * of `count`, 1 to G, or 0 for a sample that is left out. The array is copied. Reads little
 * more than is needed, in few ranges: needed chunks less than a page apart are read together.
 * Where functions below mention the slice's fidelity, it is the sample's.
 * Codes: as pcr_slice_read(), and INVAL if all samples are left out. */
PCR_API PCR_MUST_CHECK int pcr_slice_read_each(struct pcr_dataset *ds, uint64_t record,
                                               uint32_t first, uint32_t count,
                                               const uint8_t *fidelities,
                                               struct pcr_slice **out, struct pcr_error *err);

/* The number of samples in the slice. */
PCR_API uint32_t pcr_slice_count(const struct pcr_slice *sl);

/* The number of image bytes that reading the slice transferred. */
PCR_API uint64_t pcr_slice_nbytes(const struct pcr_slice *sl);

/* Stored bytes of the i-th sample up to a fidelity (0: full), whether they were read or not; 0 if
 * there is no such sample. */
PCR_API uint64_t pcr_slice_sample_nbytes(const struct pcr_slice *sl, uint32_t i,
                                         uint32_t fidelity);

/* Describes the i-th sample of the slice. Pointers live as long as the slice. Codes: INVAL. */
PCR_API PCR_MUST_CHECK int pcr_slice_describe(const struct pcr_slice *sl, uint32_t i,
                                              struct pcr_sample_info *info_out,
                                              struct pcr_error *err);

/* An attribute of samples [first, first + count) of the slice, without I/O, as
 * pcr_dataset_column(). The dataset's type counts, whether these samples have it or not. Codes:
 * INVAL, CORRUPT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_slice_column(const struct pcr_slice *sl, const char *name,
                                            uint32_t first, uint32_t count,
                                            struct pcr_column **out, struct pcr_error *err);

/* Makes the file of the i-th sample of the slice at fidelity g (0: the slice's), as
 * pcr_sample_read() does, without I/O. *out is replaced. Codes: INVAL, CORRUPT, UNSUPPORTED,
 * LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_slice_get(const struct pcr_slice *sl, uint32_t i,
                                         uint32_t fidelity, struct pcr_buffer *out,
                                         struct pcr_error *err);

/* As pcr_slice_get(), without copying bytes of the slice: *out is replaced by spans that
 * together are the file. *memory is replaced by the bytes that the sample's coding must
 * generate. The spans stay valid as long as both the slice and *memory. Codes: as
 * pcr_slice_get(). */
PCR_API PCR_MUST_CHECK int pcr_slice_file(const struct pcr_slice *sl, uint32_t i,
                                          uint32_t fidelity, struct pcr_spans *out,
                                          struct pcr_buffer *memory, struct pcr_error *err);

/* The stored bytes of groups after + 1 .. fidelity of the i-th sample, without copying them:
 * what pcr_decoder_decode_spans() and pcr_decoder_continue() take. *out is replaced; the spans
 * live as long as the slice.
 *
 * after: 0 begins with the image's header; `fidelity` gives no spans.
 * fidelity: 0 means the slice's.
 *
 * For PCR_CODING_SCANS the spans are the file without its EOI; an opaque sample is one span,
 * in group 1; other codings have a form of their own.
 *
 * Codes: as pcr_slice_get(), and INVAL if `after` is above the fidelity. */
PCR_API PCR_MUST_CHECK int pcr_slice_spans(const struct pcr_slice *sl, uint32_t i,
                                           uint32_t after, uint32_t fidelity,
                                           struct pcr_spans *out, struct pcr_error *err);

/* Releases *sl and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_slice_release(struct pcr_slice **sl);

/* Changes how much memory of released slices the dataset keeps for later ones; fresh memory
 * costs more than reading into it. It is the sum of what all calls have asked for, at least
 * 32 MiB. A loader asks for its window_nbytes while it exists; a program that holds many
 * slices at a time may do so too. Pass an amount that is no longer needed as `less_nbytes`. */
PCR_API void pcr_dataset_keep_memory(struct pcr_dataset *ds, uint64_t more_nbytes,
                                     uint64_t less_nbytes);

/* --- pcr_verify: Verifying a dataset, record by record --- */

/* Counts of a verification. */
struct pcr_verify_report {
    uint32_t size;         /* set by the caller */
    uint32_t reserved;     /* 0 */
    uint64_t record_count; /* records verified */
    uint64_t sample_count; /* samples verified */
    uint64_t bad_records;  /* records with damage in header, head, a group or the tail */
    uint64_t bad_samples;  /* samples with a damaged chunk, or (deep) that do not decode */
    uint64_t undecodable_samples; /* deep: opaque samples that are intact, but that no decoder
                                   * here can show. This is not damage */
    uint64_t restored_samples; /* originals: samples whose source file was restored, and opaque
                                * ones. Others have no file to restore */
};

/* What to verify in addition to checksums: flags of pcr_dataset_verify_record(). */
enum pcr_verify_flags {
    PCR_VERIFY_DEEP = 1 << 0,      /* decode each sample at every fidelity */
    PCR_VERIFY_ORIGINALS = 1 << 1, /* restore each source file, and check it */
};

/* What a call of pcr_verify_callback reports. */
enum pcr_verify_kind {
    PCR_VERIFY_PROGRESS = 0,    /* a record is done; err is NULL */
    PCR_VERIFY_DAMAGE = 1,      /* err says what is damaged */
    PCR_VERIFY_UNDECODABLE = 2, /* err names a sample that is intact, and says why it cannot be
                                 * shown */
};

/* Called for each finding and after each record. kind: enum pcr_verify_kind. A nonzero return
 * cancels. */
typedef int (*pcr_verify_callback)(void *context, uint32_t kind, const char *record_path,
                                   uint64_t records_done, const struct pcr_error *err);

/* Verifies every checksum of one record (header, head, groups, chunks, tail), and that the
 * manifest describes it.
 *
 * flags: PCR_VERIFY_*; within the dataset's limits.
 * report: findings are added to it; set its size.
 * callback: receives each finding; may be NULL. Findings do not end the work.
 *
 * Codes: INVAL, IO if the system fails (after retry_count tries), CANCELLED, NOMEM. A damaged
 * or missing record is a finding, not a failure. */
PCR_API PCR_MUST_CHECK int pcr_dataset_verify_record(struct pcr_dataset *ds, uint64_t record,
                                                     uint32_t flags,
                                                     struct pcr_verify_report *report,
                                                     pcr_verify_callback callback,
                                                     void *context, struct pcr_error *err);

#ifdef __cplusplus
}
#endif
#endif
