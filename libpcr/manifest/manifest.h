/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest: a dataset's table of contents (docs/FORMAT.md section 6). */
#ifndef PCRI_MANIFEST_H
#define PCRI_MANIFEST_H

#include <pcr/dataset.h>
#include <pcr/writer.h>

#include "../base/base.h"
#include "../record/record.h"
#include "needs.h"
#include "notes.h"

#define PCRI_MANIFEST_NAME "manifest.json"
#define PCRI_STATE_NAME ".pcr-convert" /* while it is being made; writer/state.c */

enum { PCRI_MANIFEST_SPLITS = 10000 }; /* at most */

/* Counts of samples by coding; other codings are not counted. */
struct pcri_coding_counts {
    uint64_t opaque, scans, packed;
    uint64_t exact; /* of scans and packed: have a residual */
};
static inline void pcri_coding_count(struct pcri_coding_counts *c, uint32_t coding, bool exact)
{
    c->exact += exact;
    c->opaque += coding == PCR_CODING_OPAQUE;
    c->scans += coding == PCR_CODING_SCANS;
    c->packed += coding == PCR_CODING_PACKED;
}

extern const char *const pcri_label_kinds[]; /* by enum pcr_label_kind, as in a manifest */

struct pcri_split {
    char *name; /* malloc'd, UTF-8 */
    uint64_t first_record, record_count;
    uint64_t sample_count;
    uint64_t source_nbytes;
    uint64_t *class_counts; /* malloc'd, manifest.class_count numbers */
};

/* The record table is kept by columns, in plain arrays. */
struct pcri_manifest {
    uint32_t major, minor; /* of the format */
    uint32_t group_count;
    uint32_t label_kind;       /* enum pcr_label_kind */
    struct pcri_schema schema; /* of attributes */
    struct pcri_schema blobs;  /* their names */
    uint32_t class_count, split_count;
    char *ladder, *writer;            /* malloc'd */
    uint32_t max_side, target_nbytes; /* to which images were reduced; 0: to none */
    uint32_t quality;                 /* of the JPEGs that were made; 0: none */
    uint32_t pictures;                /* enum pcr_pictures; 0: not known */
    uint32_t originals; /* 1: source files can be restored, except salvaged and exact ones */
    uint32_t coding;    /* that the writer was told to use; 0: not known */
    char **classes;     /* class_count names, UTF-8; each malloc'd, or all in class_names */
    char *class_names;
    struct pcri_split *splits;
    /* Statistics; add_record() counts everything but codings, skipped, notes and
     * source_nbytes. */
    uint64_t sample_count, skipped_count, source_nbytes;
    struct pcri_coding_counts codings;
    struct pcri_note_counts notes;
    struct pcri_needs needs; /* beyond the default limits */
    uint64_t head_nbytes;    /* headers and heads */
    uint64_t group_nbytes[PCRI_MAX_GROUPS];
    uint64_t tail_nbytes, blob_nbytes;
    /* Records */
    uint64_t record_count, record_capacity;
    struct pcr_buffer files; /* all names, each followed by NUL */
    uint64_t *file_offsets;  /* into files */
    uint32_t *sample_counts;
    uint64_t *nbytes; /* size of the file */
    uint64_t *head_ends;
    uint64_t *ends;   /* [record * group_count + group] */
    uint64_t *checks; /* the fixed headers' own checksums */
};

/* --- making one (manifest.c). Start from pcri_manifest_init(). --- */

/* An empty manifest of this version; classes, then splits, then records are added. */
int pcri_manifest_init(struct pcri_manifest *m, uint32_t group_count, const char *ladder,
                       struct pcr_error *err);
/* Adds a class or a split. Bytes that are not UTF-8 become the text \xHH. All classes come
 * before the first split. A split's class_counts start at 0, and the caller counts in them. */
int pcri_manifest_add_class(struct pcri_manifest *m, const char *name, struct pcr_error *err);
int pcri_manifest_add_split(struct pcri_manifest *m, const char *name, struct pcr_error *err);
/* Adds a record to the last split, and counts it there and in the statistics. */
int pcri_manifest_add_record(struct pcri_manifest *m, const char *file,
                             const struct pcri_header *header, struct pcr_error *err);

/* Makes room for `count` records in all; add_record() does so too. */
int pcri_manifest_reserve(struct pcri_manifest *m, uint64_t count, struct pcr_error *err);

static inline const char *pcri_manifest_file(const struct pcri_manifest *m, uint64_t record)
{
    return (const char *) m->files.data + m->file_offsets[record];
}

/* Frees all and zeroes the struct. */
void pcri_manifest_free(struct pcri_manifest *m);

/* --- text --- */

/* Writes the canonical text into `out` (replaced). Parsing accepts what it writes: INVAL if
 * the caller's numbers do not agree. (manifest_write.c) */
int pcri_manifest_render(const struct pcri_manifest *m, struct pcr_buffer *out,
                         struct pcr_error *err);

/* Parses and checks a whole file's bytes (flags: PCRI_PARSE_*). limits: as the user set them;
 * those that are 0 are raised to the manifest's needs. *m is complete on success and empty on
 * failure. FORMAT, CORRUPT, UNSUPPORTED, LIMIT, NOMEM. (manifest_parse.c) */
int pcri_manifest_parse(const void *text, size_t nbytes, const struct pcr_limits *limits,
                        uint32_t flags, struct pcri_manifest *m, struct pcr_error *err);

/* Checks that lengths, sums and names agree; CORRUPT (manifest.c). */
int pcri_manifest_check(const struct pcri_manifest *m, struct pcr_error *err);

/* Whether a manifest may hold this file name: relative, no "." or ".." or empty parts. */
bool pcri_manifest_name_ok(const char *name);

#endif
