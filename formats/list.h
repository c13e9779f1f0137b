/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of images: what the readers of CSV and JSON lines hand to the importer. */
#ifndef PCRI_LIST_H
#define PCRI_LIST_H

#include <jansson.h>

#include "entries.h"

/* One image as a line of the list describes it. Strings live in the entries' arena. */
struct pcri_list_row {
    uint64_t line;          /* for messages, from 1 */
    const char *path;       /* as written */
    const char *key;        /* NULL: the path */
    const char *split;      /* NULL: none given */
    const char *class_name; /* NULL: no label, or integers */
    const int64_t *labels;  /* integers */
    uint32_t label_count;
    bool number_or_name;    /* class_name may be an integer: CSV tells no types */
    const char *attributes; /* canonical JSON, or NULL */
};

struct pcri_list {
    struct pcri_arena *arena;
    struct pcri_list_row *rows;
    size_t count, capacity;
};

/* A new zeroed row at the end; NULL for want of memory. Moves the others. */
struct pcri_list_row *pcri_list_add(struct pcri_list *l, uint64_t line,
                                    struct pcr_error *err);

/* The canonical JSON text of an object in the arena: sorted keys, no blanks. */
const char *pcri_list_attributes(struct pcri_list *l, const json_t *object,
                                 struct pcr_error *err);

/* Parse a whole list's text. Messages begin with "line N: ". Codes: INVAL, NOMEM. */
int pcri_csv_parse(const char *text, size_t nbytes, struct pcri_list *l,
                   struct pcr_error *err);
int pcri_jsonl_parse(const char *text, size_t nbytes, struct pcri_list *l,
                     struct pcr_error *err);

#endif
