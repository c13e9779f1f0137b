/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes on samples: in a record's tail, and their sums in the manifest. */
#ifndef PCRI_NOTES_H
#define PCRI_NOTES_H

#include "../base/json.h"
#include "../base/coded.h"
#include "../record/record.h"

/* Notes, added up. */
struct pcri_note_counts {
    uint64_t undecodable;    /* samples that this library's decoders cannot show */
    uint64_t salvaged;       /* samples of damaged files, coded as far as they decode */
    uint64_t unrestorable;   /* samples kept whole for the sake of their files */
    uint64_t encoded;        /* samples of other files than JPEG, that became JPEGs */
    uint64_t dropped;        /* samples whose files had bytes after the image that */
    uint64_t dropped_nbytes; /* were not kept; and the number of those bytes */
};

/* Whether there is anything to note. */
bool pcri_notes_any(const struct pcri_notes *n);
void pcri_notes_add(struct pcri_note_counts *sums, const struct pcri_notes *n);

/* The JSON object for the tail (docs/FORMAT.md 3.5); malloc'd. `index` is the sample's
 * position in its record. */
int pcri_notes_render(const struct pcri_notes *n, uint32_t index, const char *key, char **out,
                      struct pcr_error *err);

/* Reads the notes of a raw tail (nbytes 0: there is none): adds them to *sums, and appends
 * each object's text and LF to *lines, unless that is NULL. CORRUPT, NOMEM. */
int pcri_notes_read(const struct pcr_buffer *tail, uint32_t sample_count,
                    struct pcri_note_counts *sums, struct pcr_buffer *lines,
                    struct pcr_error *err);

/* The same, but reads the record's tail. Messages name the record. Also IO, LIMIT,
 * UNSUPPORTED. */
int pcri_record_notes(const struct pcri_record *r, const struct pcr_limits *limits,
                      struct pcri_note_counts *sums, struct pcr_buffer *lines,
                      struct pcr_error *err);

/* Sets a member to text of any bytes. Bytes that are not UTF-8 become U+FFFD; the exact bytes
 * are then in hex in a second member, NAME_hex. Nonzero for lack of memory. */
int pcri_json_set_text(json_t *object, const char *name, const char *text);

#endif
