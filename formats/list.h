/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of images: what the readers of lists and containers pass on to make samples of. */
#ifndef PCRI_LIST_H
#define PCRI_LIST_H

#include "../libpcr/base/json.h"
#include "entries.h"

/* One image, described by a line of a list or found in a container. Rows and strings live in the
 * entries' arena. */
struct pcri_list_row {
    uint64_t line;           /* for messages, from 1; 0 in containers */
    const char *file;        /* containers: the file that it was found in; else NULL */
    uint64_t offset, nbytes; /* containers: the image's bytes, in `file` or in the spool */
    bool spooled;            /* they are in the spool */
    bool has_crc;            /* `crc` is the CRC-32 of the image's bytes */
    uint32_t crc;
    bool is_extra;       /* archives: another image of a sample that has one */
    uint32_t blob_count; /* archives: as struct pcri_input has them */
    const struct pcr_source_blob *blobs;
    const struct pcri_place *blob_places;
    uint64_t revision;           /* containers: of `file` */
    struct pcr_file_info info;   /* archives: of the member */
    const char *path;            /* as written; containers: "FILE: MEMBER", for messages */
    const char *key;             /* as written; NULL: the path */
    const char *safe_key;        /* made from it by pcri_list_make_keys() */
    const char *split;           /* NULL: none given */
    const char *class_name;      /* NULL: no label, or numbers */
    const char *label_text;      /* CSV, which has no types: a number or the name of a class */
    bool empty_label;            /* CSV: there is a column of labels, but it is empty */
    const int64_t *labels;       /* integers, or NULL */
    const double *float_labels;  /* floats, or NULL */
    uint32_t label_count;        /* of labels or float_labels */
    const char *attributes;      /* canonical JSON, or NULL */
    union pcri_number_of single; /* the label, where it is one number: labels lead here */
};

struct pcri_list {
    struct pcri_arena *arena;
    bool beside;      /* a metadata file next to images: `file_name` is the path, and the rest,
                       * except label and labels, are attributes */
    bool keep_labels; /* then these are attributes too */
    struct pcri_list_row **rows; /* see pcri_list_at() */
    size_t count, capacity;
    const char **texts;              /* that recur: the latest of each hash; or NULL */
    const struct pcri_arena *source; /* of the text that is parsed; NULL: in no arena */
};

/* Row i, to be read or changed. Pointers to rows stay valid. */
static inline struct pcri_list_row *pcri_list_at(const struct pcri_list *l, size_t i)
{
    pcri_arena_touch(l->arena, l->rows[i]);
    return l->rows[i];
}

/* Frees what is not in the arena. */
void pcri_list_free(struct pcri_list *l);

/* A copy of a text that many rows may have, such as the name of a class. NULL: NOMEM. */
const char *pcri_list_text(struct pcri_list *l, const void *text, size_t nbytes,
                           struct pcr_error *err);

/* INVAL: "line N: ...". */
int pcri_fail_line(struct pcr_error *err, uint64_t line, const char *format, ...)
    PCRI_PRINTF(3, 4);

/* Where the row stands, for messages: "line 3", or "a.tar: cat.jpg". */
struct pcri_row_place {
    char text[200];
};
struct pcri_row_place pcri_row_place(const struct pcri_list_row *row);

/* A new zeroed row at the end; NULL for lack of memory. */
struct pcri_list_row *pcri_list_add(struct pcri_list *l, uint64_t line, struct pcr_error *err);

/* The key as a relative path without empty, "." and ".." parts: "../a//b" becomes "a/b"; the
 * key itself if it is one. "" if nothing is left; NULL for lack of memory. (keys.c) */
const char *pcri_safe_key(const char *key, struct pcri_arena *arena, struct pcr_error *err);

/* Whether any two of `count` keys are equal. NOMEM. (keys.c) */
int pcri_keys_any_repeat(const char *(*key)(const void *of, size_t i), const void *of,
                         size_t count, bool *found, struct pcr_error *err);
/* The key of row i of a struct pcri_list, for these. */
const char *pcri_list_key(const void *list, size_t i);

/* Gives each row its safe key. They must differ, and none may be a folder of another: INVAL,
 * with both lines. NOMEM. (keys.c) */
int pcri_list_make_keys(struct pcri_list *l, struct pcr_error *err);

/* Sets the row's attributes to an object's canonical text, with sorted keys and no blanks,
 * unless it is empty. NOMEM. */
int pcri_row_attributes(struct pcri_list *l, struct pcri_list_row *row, const json_t *object,
                        struct pcr_error *err);

/* The text after a byte order mark, if it begins with one. */
const char *pcri_after_mark(const char *text, const char *end);

/* Copies the row's attributes to an entry, and its labels if requested. */
void pcri_list_describe(const struct pcri_list_row *row, bool labels, struct pcri_input *e);

/* Tells an entry where a container has the row's image and blobs. */
void pcri_list_locate(const struct pcri_list_row *row, struct pcri_input *e);

/* Whether these begin like metadata next to images, with a file_name. NOMEM. */
int pcri_csv_is_metadata(const char *text, size_t nbytes, bool *is, struct pcr_error *err);
int pcri_jsonl_is_metadata(const char *text, size_t nbytes, bool *is, struct pcr_error *err);

/* Makes rows, complete but for safe_key and labels, into samples and completes the source.
 * root: what relative paths start from, with its slash. INVAL, IO, NOMEM. (rows.c) */
int pcri_list_finish(struct pcri_list *l, const struct pcr_source_options *opts,
                     const char *root, struct pcri_entries *e, struct pcr_error *err);

/* The text of a file, in an arena: not all of it is in memory. Free the arena. IO, LIMIT (more than
 * max_nbytes), NOMEM. */
int pcri_list_read(const char *path, uint64_t max_nbytes, struct pcri_arena *arena,
                   const char **text, size_t *nbytes, struct pcr_error *err);

/* Parse a whole list's text. Messages begin with "line N: ". Codes: INVAL, NOMEM. */
int pcri_csv_parse(const char *text, size_t nbytes, struct pcri_list *l,
                   struct pcr_error *err);
int pcri_jsonl_parse(const char *text, size_t nbytes, struct pcri_list *l,
                     struct pcr_error *err);

#endif
