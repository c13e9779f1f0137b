/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporters whose files are written from the beginning to the end: one file, several (shards), or a
 * stream. */
#ifndef PCRI_EXPORT_SHARDS_H
#define PCRI_EXPORT_SHARDS_H

#include "exporter.h"

/* As struct pcri_exporter has them; the exporter's `added` and `end` may be set. */
int pcri_shards_open(struct pcri_export *x, struct pcr_error *err);
int pcri_shards_add(struct pcri_export *x, const struct pcri_export_chunk *c,
                    const struct pcri_export_item *item, struct pcr_error *err);
int pcri_shards_finish(struct pcri_export *x, struct pcr_error *err);
void pcri_shards_close(struct pcri_export *x);

/* Writes what is no sample's into the last file: a head, which `added` gets, and bytes. */
int pcri_shards_append(struct pcri_export *x, const void *head, size_t head_nbytes,
                       const struct pcri_tape *bytes, struct pcr_error *err);

/* --- what exporters of several files in a folder share --- */

/* Names: stem, then the number with at least so many digits (0: there is one file, without a
 * number), then ending. */
struct pcri_shard_names {
    char *folder, *stem;
    const char *ending;
    int digits;
    struct pcri_claim *claim;
};

/* Claims the folder for these names and checks that no file has one, or is called `other` (NULL:
 * none). With `replace` `other` and numbered ones are removed, so that none of an earlier export
 * stays among these; but what is no regular file is not replaced. IO (EEXIST), NOMEM. */
int pcri_shard_names_claim(struct pcri_shard_names *n, const char *other, bool replace,
                           struct pcr_error *err);
/* Ends the claim, if there is one, and frees the strings. */
int pcri_shard_names_end(struct pcri_shard_names *n, struct pcr_error *err);
/* The name of file `number`, malloc'd. */
char *pcri_name_shard(const struct pcri_shard_names *n, uint64_t number,
                      struct pcr_error *err);

#endif
