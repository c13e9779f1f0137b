/* SPDX-License-Identifier: BSD-2-Clause */
/* Shards of samples with columns, as MosaicML Streaming and LitData have them: a folder with
 * index.json, and files that begin with the number of their samples and the place of each and of
 * the end. A sample begins with the sizes of its columns, of those whose size varies; the columns'
 * bytes follow. All these numbers have 4 bytes, little-endian. */
#ifndef PCRI_SHARDS_H
#define PCRI_SHARDS_H

#include "example.h"

struct pcri_shard_column {
    const char *name, *encoding;
    bool is_fixed; /* always of `nbytes`; else each sample says how many */
    uint64_t nbytes;
};

struct pcri_shards {
    struct pcri_container *s;
    const char *folder;
    json_t *index;
    struct pcri_shard_column *columns;
    size_t column_count, column_room;
    /* Takes a column's bytes as a value. *bad: they are none. NOMEM. */
    int (*take)(const struct pcri_shard_column *c, const uint8_t *data, size_t nbytes,
                struct pcri_value *v, bool *bad, struct pcr_error *err);
    struct pcri_example x;
};

/* A file, found: its path lives in the arena. */
struct pcri_shard_file {
    const char *path, *packing; /* as pcri_stream_open() has it */
    uint64_t sample_count;
};

/* Whether the folder, or one in it that has a usual name of a split, has an index.json: an object
 * that has one of its first members so named. */
bool pcri_shards_probe(const char *folder, const char *member);

/* Calls scan() for the folder itself if it has an index.json; else for each of its folders that
 * has one, as a split. INVAL if there is none. */
int pcri_shards_folders(struct pcri_container *s, const char *member,
                        int (*scan)(struct pcri_container *s, const char *folder,
                                    const char *prefix, struct pcr_error *err),
                        struct pcr_error *err);

/* Reads index.json. CORRUPT if it is no JSON object. */
int pcri_shards_begin(struct pcri_shards *g, struct pcri_container *s, const char *folder,
                      const char *prefix, struct pcr_error *err);
void pcri_shards_end(struct pcri_shards *g);

/* index.json is not as it should be; or, if that is to be passed over, 0 and listed. */
int pcri_shards_bad_index(struct pcri_shards *g, struct pcr_error *err, const char *what);

/* Adds a column. NOMEM. */
int pcri_shards_column(struct pcri_shards *g, const struct pcri_shard_column *c,
                       struct pcr_error *err);

/* A file of the folder, by the name that the index has. *there is false if there is none. Sets the
 * container's revision. A name that leads elsewhere: CORRUPT. */
int pcri_shards_find(struct pcri_shards *g, const char *name, struct pcri_shard_file *out,
                     bool *there, struct pcr_error *err);

/* Makes rows of a file's samples. */
int pcri_shards_read(struct pcri_shards *g, const struct pcri_shard_file *shard,
                     struct pcr_error *err);

#endif
