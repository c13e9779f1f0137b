/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a list, as its formats fill them in. */
#include <stdlib.h>

#include "list.h"

struct pcri_list_row *pcri_list_add(struct pcri_list *l, uint64_t line, struct pcr_error *err)
{
    if (PCRI_GROW(l->rows, l->capacity, l->count + 1, err))
        return NULL;
    struct pcri_list_row *row = &l->rows[l->count++];
    memset(row, 0, sizeof(*row));
    row->line = line;
    return row;
}

const char *pcri_list_attributes(struct pcri_list *l, const json_t *object,
                                 struct pcr_error *err)
{
    char *text;
    if (pcri_json_text(object, &text, err))
        return NULL;
    char *copy = pcri_arena_strndup(l->arena, text, strlen(text), err);
    free(text);
    return copy;
}
