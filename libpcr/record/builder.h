/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the record builder. */
#ifndef PCRI_BUILDER_H
#define PCRI_BUILDER_H

#include "dictionary.h"
#include "record.h"

struct pcri_builder_sample {
    char *key, *attributes; /* attributes: NULL or text */
    int64_t *labels;
    double *float_labels; /* instead of labels, or NULL */
    uint32_t label_count; /* of either */
    struct pcri_coded coded;
    struct pcri_blob_list blobs;
    struct pcr_file_info file;
};

/* Texts for a list in the tail. Start from { 0 }. (text_list.c) */
struct pcri_texts_made {
    struct pcr_buffer lengths, bytes; /* lengths as varints */
    uint32_t count;
};
int pcri_texts_add(struct pcri_texts_made *t, const char *text, struct pcr_error *err);
void pcri_texts_free(struct pcri_texts_made *t);

struct pcri_builder {
    uint32_t group_count, piece_count;
    uint16_t piece_counts[PCRI_MAX_GROUPS];
    uint32_t piece_first[PCRI_MAX_GROUPS + 1];
    char *ladder; /* or NULL */
    uint64_t max_head_nbytes;
    const struct pcri_storage *storage;
    const struct pcri_schema *schema; /* or NULL */
    struct pcri_builder_sample *samples;
    uint32_t count;
    size_t capacity;
    struct pcri_texts_made skipped, notes;
    bool restorable; /* some sample's file can be restored */
    bool has_files;  /* something is known of some sample's file */
};

/* Results of finishing. */
struct pcri_build {
    const struct pcri_builder *b;
    struct pcri_dictionary dictionary;
    uint32_t *refs;    /* entry of each item, then of each piece, sample by sample */
    size_t *ref_first; /* N + 1 */
    uint32_t *check;   /* [group * N + sample] */
};

#define PCRI_NO_STRING UINT32_MAX /* in refs: a piece without one */

/* Whether this item is kept in the last group's chunk. */
static inline bool pcri_item_in_chunk(const struct pcri_build *x, size_t ref)
{
    return !x->dictionary.entries[x->refs[ref]].kept;
}

/* The raw (uncompressed) head and tail. `out` is replaced. */
int pcri_head_render(const struct pcri_build *x, struct pcr_buffer *out,
                     struct pcr_error *err);
int pcri_tail_render(const struct pcri_builder *b, struct pcr_buffer *out,
                     struct pcr_error *err);

#endif
