/* SPDX-License-Identifier: BSD-2-Clause */
/* A source of files in the file system: shared by all importers of such files. */
#ifndef PCRI_ENTRIES_H
#define PCRI_ENTRIES_H

#include <sys/stat.h>

#include <pcr/writer.h>

#include "../libpcr/base/base.h"
#include "../libpcr/io/arena.h"
#include "../libpcr/io/spool.h"

/* Names of classes or splits, each once, numbered in byte order or in a given order. */
struct pcri_names {
    uint32_t count;
    const char **raw;   /* in byte order, as found: any bytes */
    const char **shown; /* by number, as UTF-8: other bytes escaped as \xHH */
    uint32_t *numbers;  /* of raw; NULL: in byte order */
};
/* Makes names from `count` strings, with duplicates; sorts `list`. Strings and arrays live in
 * the arena. */
int pcri_names_make(struct pcri_names *n, const char **list, size_t count,
                    struct pcri_arena *arena, struct pcr_error *err);
/* The same in the given order; names must differ and not be empty: INVAL. Copies them. */
int pcri_names_given(struct pcri_names *n, const char *const *list, size_t count,
                     struct pcri_arena *arena, struct pcr_error *err);
/* Compares pointers to texts, for qsort() and bsearch(). */
int pcri_compare_texts(const void *a, const void *b);
bool pcri_names_has(const struct pcri_names *n, const char *raw);
/* The number of a name, which must be there. */
uint32_t pcri_names_find(const struct pcri_names *n, const char *raw);

/* Bytes in a file, or in the source's spool. */
struct pcri_place {
    const char *file;
    uint64_t offset, nbytes;
    bool spooled, has_crc; /* `crc` is the CRC-32 of the bytes */
    uint32_t crc;
};

/* A label. */
union pcri_number_of {
    int64_t i;
    double d;
};

struct pcri_input {
    const char *path; /* to open unless `file` is set, and for messages */
    const char *file; /* NULL, or what has the sample's bytes from `offset` on */
    uint64_t offset;  /* in `file` or the spool */
    bool spooled;     /* the bytes are in the source's spool, not in `file` */
    bool has_crc;     /* `crc` is the CRC-32 of the bytes */
    uint32_t crc;
    const char *key;
    const char *attributes;     /* or NULL */
    const int64_t *labels;      /* or NULL */
    const double *float_labels; /* in place of labels, or NULL */
    uint32_t label_count;
    uint32_t split;
    uint64_t nbytes;   /* 0: not known */
    uint64_t revision; /* mtime in ns, 0: not known */
    struct pcr_file_info info;
    bool is_image; /* by its name or first bytes */
    uint32_t blob_count;
    const struct pcr_source_blob *blobs;  /* without data: */
    const struct pcri_place *blob_places; /* where each one's bytes are */
    union pcri_number_of single;          /* the label, where it is one: labels lead here */
};

/* The source's own object. All strings live in its arena, which lets go of what is not used. */
struct pcri_entries {
    struct pcr_source source;
    struct pcri_arena arena;
    char *folder;            /* for the arena's file and the spool */
    struct pcri_spool spool; /* of containers whose samples do not lie there as they are */
    bool has_spool;
    struct pcri_input **items; /* in the arena; see pcri_entries_at() */
    size_t count, capacity;
    struct pcr_left_out *left_out; /* images without a place among the samples */
    size_t left_out_count, left_out_capacity;
    uint64_t ignored_count; /* files whose names are not those of images */
};
/* folder: where unnamed files are made; NULL: $TMPDIR, or /tmp. */
int pcri_entries_create(const char *folder, struct pcri_entries **out, struct pcr_error *err);
/* Entry i, to be read or changed. Pointers to entries stay valid. */
static inline struct pcri_input *pcri_entries_at(const struct pcri_entries *e, size_t i)
{
    pcri_arena_touch(&e->arena, e->items[i]);
    return e->items[i];
}
/* A new zeroed entry at the end; NULL for lack of memory. */
struct pcri_input *pcri_entries_add(struct pcri_entries *e, struct pcr_error *err);
/* Notes that the entry's image is left out. `reason` must live as long as the source. */
int pcri_entries_leave_out(struct pcri_entries *e, const struct pcri_input *item,
                           const char *reason, struct pcr_error *err);
/* Completes the source: classes and splits may be NULL (none). */
void pcri_entries_finish(struct pcri_entries *e, const struct pcri_names *classes,
                         const struct pcri_names *splits);
void pcri_entries_destroy(struct pcri_entries **e);

/* A file's time of change, as struct pcr_source_sample has it. */
static inline uint64_t pcri_revision(const struct stat *st)
{
    return (uint64_t) st->st_mtim.tv_sec * 1000000000u + (uint64_t) st->st_mtim.tv_nsec;
}

/* Sets the size, revision, mode and time of an entry that is a file. */
void pcri_input_examined(struct pcri_input *e, const struct stat *st);

/* Whether this errno of a path says that nothing can be opened there. Loading it then says so;
 * other errors concern the machine. */
bool pcri_is_unreachable(int sys_errno);

#endif
