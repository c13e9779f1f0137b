/* SPDX-License-Identifier: BSD-2-Clause */
/* Blobs: named byte strings of samples, stored after the groups (docs/FORMAT.md 3.9). */
#ifndef PCRI_BLOBS_H
#define PCRI_BLOBS_H

#include "schema.h"

/* --- those of one sample, to be written. Start from { 0 }. --- */
struct pcri_blob {
    char *name; /* malloc'd */
    struct pcr_buffer bytes;
};
struct pcri_blob_list {
    struct pcri_blob *items; /* by name, in rising byte order */
    uint32_t count;
};
/* Adds a blob and takes its bytes over; on failure they stay. INVAL: the name is there. NOMEM. */
int pcri_blob_list_add(struct pcri_blob_list *l, const char *name, struct pcr_buffer *bytes,
                       struct pcr_error *err);
void pcri_blob_list_free(struct pcri_blob_list *l);

/* Whether a blob may be named so. */
bool pcri_blob_name_ok(const char *name);

/* Appends the bytes of column 20 for `count` samples' lists; nothing if there are no blobs.
 * LIMIT, NOMEM. */
int pcri_blobs_pack(const struct pcri_blob_list *const lists[], uint32_t count,
                    struct pcr_buffer *out, struct pcr_error *err);

/* --- those of a record --- */
struct pcri_blobs {
    uint32_t sample_count, count; /* count: names */
    const char **names;           /* in rising byte order */
    struct pcr_buffer texts;
    uint64_t *begins; /* sample_count x count, and 1: where each begins, counted from the first
                       * one's begin, and where the last one ends */
    uint8_t *present; /* sample_count x count */
    uint32_t *checks; /* the same */
};

/* nbytes: of all blobs of the record. *c is moved to what follows. CORRUPT, NOMEM. */
int pcri_blobs_parse(struct pcri_cursor *c, uint32_t sample_count, uint64_t nbytes,
                     struct pcri_blobs **out, struct pcr_error *err);
void pcri_blobs_free(struct pcri_blobs **b);
/* Whether the schema has all names. */
bool pcri_blobs_match(const struct pcri_blobs *b, const struct pcri_schema *names);
/* Sample i's blob of a name: false if it has none (b may be NULL). */
bool pcri_blobs_find(const struct pcri_blobs *b, uint32_t i, const char *name,
                     size_t *cell_out);

#endif
