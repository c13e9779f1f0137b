/* SPDX-License-Identifier: BSD-2-Clause */
/* Record files: header, head, groups (docs/FORMAT.md section 3). Knows nothing of JPEG. */
#ifndef PCRI_RECORD_H
#define PCRI_RECORD_H

#include "../base/base.h"
#include "../base/coded.h"
#include "../io/storage.h"
#include "attributes.h"
#include "blobs.h"

enum {
    PCRI_MAX_GROUPS = 32,
    PCRI_MAX_PIECES = 64, /* in one group */
    PCRI_HEADER_MAX_NBYTES = 96 + 24 * PCRI_MAX_GROUPS,
};

static inline uint64_t pcri_header_nbytes(uint32_t group_count)
{
    return 96 + 24 * (uint64_t) group_count;
}

/* --- fixed header (header.c) --- */
struct pcri_group {
    uint64_t end;
    uint64_t check;
    uint16_t piece_count;
};

struct pcri_header {
    uint16_t major, minor;
    uint32_t sample_count;
    uint32_t group_count;
    uint64_t head_nbytes, head_raw_nbytes, head_check;
    uint64_t tail_nbytes, tail_raw_nbytes, tail_check;
    uint64_t blobs_nbytes;                     /* of all blobs, after the groups */
    uint64_t check;                            /* of the header itself */
    uint64_t header_nbytes;                    /* 96 + 24 G */
    struct pcri_group groups[PCRI_MAX_GROUPS]; /* groups[0] is group 1 */
};

static inline uint64_t pcri_tail_begin(const struct pcri_header *h)
{
    return h->groups[h->group_count - 1].end + h->blobs_nbytes;
}

enum {
    PCRI_PARSE_NO_VERIFY = 1 << 0, /* do not compare checksums (fuzzing,
                                    * PCR_DATASET_NO_VERIFY) */
    PCRI_PARSE_ANY_END =
        1 << 1, /* accept a file that ends elsewhere than its header says, but after its head:
                 * what is there can be read */
};

/* A head or tail decompresses to at most so many times its bytes, or to the least that is
 * always allowed. Heads of equal images and labels stay below; zstd can exceed it by far. */
enum { PCRI_EXPANSION = 512, PCRI_EXPANSION_ANY_NBYTES = 1 << 20 };

static inline bool pcri_expands_too_far(uint64_t nbytes, uint64_t raw_nbytes)
{
    return raw_nbytes > PCRI_EXPANSION_ANY_NBYTES && raw_nbytes / PCRI_EXPANSION > nbytes;
}

/* file_nbytes 0: not known; flags: PCRI_PARSE_*. On success *h is complete and all offsets are
 * consistent. */
int pcri_header_parse(const uint8_t *p, size_t nbytes, uint64_t file_nbytes,
                      const struct pcr_limits *limits, uint32_t flags, struct pcri_header *h,
                      struct pcr_error *err);
/* Compares a file's size with a header. TRUNCATED, CORRUPT. */
int pcri_header_check_nbytes(const struct pcri_header *h, uint64_t file_nbytes, uint32_t flags,
                             struct pcr_error *err);
/* Writes 96 + 24 G bytes, and sets h->header_nbytes and h->check. */
void pcri_header_write(struct pcri_header *h, uint8_t *out);

/* --- head (head_parse.c): the parsed sample table. Immutable once parsed. --- */
struct pcri_strings { /* string i is bytes[offsets[i] .. offsets[i + 1]) */
    uint32_t count;
    uint64_t *offsets;
    const uint8_t *bytes; /* borrowed */
};

struct pcri_texts { /* text i is bytes + offsets[i], with a NUL after */
    char *bytes;
    uint64_t *offsets; /* N + 1; they count the NULs */
};

struct pcri_head {
    uint32_t sample_count, group_count, piece_count; /* piece_count: all groups' */
    uint32_t piece_first[PCRI_MAX_GROUPS + 1];       /* group g's (0-based) first piece */
    uint64_t group_begin[PCRI_MAX_GROUPS + 1];       /* file offsets; [G] is the end */
    struct pcri_texts keys;
    struct pcri_attributes *attributes; /* NULL: none */
    struct pcri_blobs *blobs;           /* NULL: none */
    uint32_t *label_first;              /* N + 1 */
    int64_t *labels;
    uint32_t *float_label_first; /* N + 1; NULL, and so is float_labels: no sample has any */
    double *float_labels;
    /* The coding of each sample's chunks, 0: opaque; and how many groups, from 1, have it.
     * Further groups have a coding that this version cannot combine with it. */
    uint8_t *coding, *coded_groups;
    uint8_t *exact; /* 1: all groups but G are coded so, and G has a residual; else 0 */
    uint8_t *components, *orientation, *script; /* defaults are filled in */
    uint32_t *width, *height, *sampling;
    uint64_t *source_nbytes;
    /* As in struct pcri_coded, G - 1 times PCRI_QUALITY_SCALES for each sample; NULL: not known */
    uint8_t *quality;
    struct pcri_strings dictionary;
    uint32_t *item_first; /* N + 1 */
    uint64_t *items;
    uint32_t *piece_string; /* [piece * N + sample] */
    uint32_t *piece_nbytes; /* [piece * N + sample] */
    uint32_t *check;        /* [group * N + sample] */
    uint64_t *chunk_offset; /* [group * (N + 1) + sample], from the group's begin */
    char *ladder;           /* text or NULL */
    size_t footprint;       /* bytes of memory, counted when allocated */
    uint8_t *dictionary_bytes;
};

/* Parses a decompressed head and keeps only what it understands. Takes over *raw (also on
 * failure), and frees it. */
int pcri_head_parse(const struct pcri_header *h, struct pcr_buffer *raw,
                    const struct pcr_limits *limits, struct pcri_head **out,
                    struct pcr_error *err);
void pcri_head_destroy(struct pcri_head **head);
/* Bytes of sample i as a file, at full fidelity; UINT64_MAX on overflow. */
uint64_t pcri_head_sample_nbytes(const struct pcri_head *h, uint32_t i);
/* Bytes of memory that the head takes. */
size_t pcri_head_footprint(const struct pcri_head *head);

/* The bytes of groups after + 1 .. g of sample i, as for pcr_slice_spans(). Replaces *out.
 * Codes: UNSUPPORTED (a group has another coding than group 1), NOMEM. */
int pcri_sample_spans(const struct pcri_head *head, uint32_t i, uint32_t after, uint32_t g,
                      const uint8_t *const chunks[], struct pcr_spans *out,
                      struct pcr_error *err);

static inline const char *pcri_text(const struct pcri_texts *t, uint32_t i,
                                    uint32_t *nbytes_out)
{
    *nbytes_out = t->bytes ? (uint32_t) (t->offsets[i + 1] - t->offsets[i] - 1) : 0;
    return t->bytes ? t->bytes + t->offsets[i] : "";
}
static inline uint64_t pcri_string_nbytes(const struct pcri_strings *s, uint32_t i)
{
    return s->offsets[i + 1] - s->offsets[i];
}
static inline uint64_t pcri_chunk_offset(const struct pcri_head *h, uint32_t group, uint32_t i)
{
    return h->chunk_offset[(size_t) group * (h->sample_count + 1) + i];
}
static inline uint64_t pcri_chunk_nbytes(const struct pcri_head *h, uint32_t group, uint32_t i)
{
    return pcri_chunk_offset(h, group, i + 1) - pcri_chunk_offset(h, group, i);
}

/* --- an open record (reader.c): file, header, head. Immutable; thread-safe. --- */
struct pcri_record { /* its groups may end beyond the file, see PCRI_PARSE_ANY_END */
    struct pcri_file *file;
    struct pcri_header header;
    struct pcri_head *head;
    uint32_t flags; /* PCRI_PARSE_* */
};

/* head_end_hint: bytes of header and head if known (manifest), else 0. */
int pcri_record_open(const char *path, const struct pcri_io_backend *backend,
                     uint64_t head_end_hint, const struct pcr_limits *limits, uint32_t flags,
                     struct pcri_record **out, struct pcr_error *err);
void pcri_record_close(struct pcri_record **r);

/* A run of samples in memory: groups[k] points to their chunks of group k + 1. Start from { 0
 * }; it can be reused, and owns only its memory. */
struct pcri_run {
    struct pcri_block memory;
    const uint8_t *groups[PCRI_MAX_GROUPS];
};

/* Bytes of memory that reading samples [a, b) of groups 1..g takes; 0 if out of range. */
size_t pcri_record_run_nbytes(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t g);
/* Reads samples [a, b) of groups 1..g. Each chunk (or each whole group, if the run is the
 * whole record) is verified unless the record's flags say not. */
int pcri_record_read(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t g,
                     struct pcri_run *run, struct pcr_error *err);

/* Unneeded bytes between two needed ones: up to so many, they are read, too. Storage would bring
 * most of them anyway, and another range takes time. With 4096, loaders by quality .90 of samples
 * of 20 kB read 9% more than they need, with this 4%, in the same time. */
enum { PCRI_READ_THROUGH_NBYTES = 2048 };

/* Bytes of memory that pcri_record_read_each() takes; 0 if out of range. */
size_t pcri_record_each_nbytes(const struct pcri_record *r, uint32_t a, uint32_t count,
                               const uint8_t *fidelities, uint32_t g);
/* Reads groups 1..fidelities[i], at most g, of `count` samples from a; 0 leaves a sample out.
 * A sample's chunk of group k + 1 begins at[k * count + i] bytes into groups[k]. Needed chunks
 * that are close together are read at once. Each is verified as above. */
int pcri_record_read_each(const struct pcri_record *r, uint32_t a, uint32_t count,
                          const uint8_t *fidelities, uint32_t g, struct pcri_run *run,
                          uint64_t *at, struct pcr_error *err);

/* Checks that the record is complete. TRUNCATED if it was opened although cut off. */
int pcri_record_check_nbytes(const struct pcri_record *r, struct pcr_error *err);

/* The steps of pcri_record_read(), for checking a record part by part; groups are counted from
 * 0 here. read_group does not compare checksums, but reads wrong bytes of a cache again.
 * check_chunk: `bytes` points to the sample's chunk. */
int pcri_record_read_group(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t group,
                           struct pcr_buffer *bytes, struct pcr_error *err);
int pcri_record_check_group(const struct pcri_record *r, uint32_t group, const void *bytes,
                            struct pcr_error *err);
int pcri_record_check_chunk(const struct pcri_record *r, uint32_t group, uint32_t i,
                            const void *bytes, struct pcr_error *err);

/* Reads the blob in a cell of the head's blobs and checks it. *out is replaced. */
int pcri_record_read_blob(const struct pcri_record *r, size_t cell,
                          const struct pcr_limits *limits, struct pcr_buffer *out,
                          struct pcr_error *err);
/* Reads and decompresses the tail into raw (columns, FORMAT 3.5); nbytes is 0 if there is
 * none. */
int pcri_record_read_tail(const struct pcri_record *r, const struct pcr_limits *limits,
                          struct pcr_buffer *raw, struct pcr_error *err);
/* Finds a column in raw head or tail bytes; *out stays {NULL} if it is absent. */
int pcri_column_find(const struct pcr_buffer *raw, uint16_t id, struct pcri_cursor *out,
                     struct pcr_error *err);

/* Lists of texts in a raw tail (text_list.c). Columns: PCRI_TAIL_* of columns.h. */
struct pcri_text_list {
    uint64_t left; /* texts that are left */
    struct pcri_cursor lengths, bytes;
};
/* nbytes 0, or no such column: an empty list. CORRUPT. */
int pcri_text_list_open(const struct pcr_buffer *raw, uint16_t id, struct pcri_text_list *out,
                        struct pcr_error *err);
/* The next text, not ended by NUL; NULL if it is damaged. */
const uint8_t *pcri_text_list_next(struct pcri_text_list *t, size_t *nbytes_out);

/* --- writing (builder.c) --- */

struct pcri_sample_meta { /* borrowed for the call */
    const char *key;
    const char *attributes; /* NULL or an object of JSON, of members in the builder's schema */
    const int64_t *labels;
    const double *float_labels; /* finite, instead of labels, which is then NULL */
    uint32_t label_count;
    struct pcri_blob_list *blobs; /* or NULL; taken over and emptied on success */
    struct pcr_file_info file;    /* of the source file, for the tail */
};

struct pcri_builder;
/* piece_counts: one for each group; ladder: its text. */
int pcri_builder_create(uint32_t group_count, const uint16_t *piece_counts, const char *ladder,
                        struct pcri_builder **out, struct pcr_error *err);
/* The types of the samples' attributes; default: there are none. It must outlive the builder. */
void pcri_builder_set_schema(struct pcri_builder *b, const struct pcri_schema *schema);
/* Adds the next sample. *coded is emptied on success, and still the caller's on failure. An
 * opaque sample may have pieces NULL. */
int pcri_builder_add(struct pcri_builder *b, const struct pcri_sample_meta *meta,
                     struct pcri_coded *coded, struct pcr_error *err);
/* Notes an input that was left out: a JSON object's text for the tail. */
int pcri_builder_skip(struct pcri_builder *b, const char *json, struct pcr_error *err);
/* Notes something of a sample: the same. */
int pcri_builder_note(struct pcri_builder *b, const char *json, struct pcr_error *err);
uint32_t pcri_builder_count(const struct pcri_builder *b);
/* If a head or tail has more bytes, decompressed, finishing fails: LIMIT. Default: no
 * limit. */
void pcri_builder_limit_head(struct pcri_builder *b, uint64_t max_nbytes);
/* The storage for the record; default: files. */
void pcri_builder_store_in(struct pcri_builder *b, const struct pcri_storage *storage);
/* Builds the record and publishes it as dir/name; dir NULL: builds it without writing.
 * *header_out (may be NULL) receives the header. A builder without samples is INVAL. */
int pcri_builder_finish(struct pcri_builder *b, const char *dir, const char *name,
                        struct pcri_header *header_out, struct pcr_error *err);
void pcri_builder_destroy(struct pcri_builder **b);

#endif
