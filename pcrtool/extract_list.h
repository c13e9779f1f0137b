/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of extracted samples, from which `pcrtool convert` makes the same dataset again. */
#ifndef PCRTOOL_EXTRACT_LIST_H
#define PCRTOOL_EXTRACT_LIST_H

#include <stdio.h>

#include "input.h"

#define PCRTOOL_LIST_NAME "list.jsonl"
#define PCRTOOL_CLASSES_NAME "classes.txt"

struct pcrtool_list {
    const struct pcrtool_input *in;
    const char *split; /* the opened split, or NULL */
    bool numbered;     /* the classes' names are their numbers */
    struct pcr_buffer text;
};

/* Begins a list; free it in any case. */
void pcrtool_list_begin(struct pcrtool_list *l, const struct pcrtool_input *in,
                        const char *split);
/* Adds a sample: path, labels, split, attributes. False if its key is not UTF-8, so that no
 * list can hold it; *rc is an exit code. */
bool pcrtool_list_add(struct pcrtool_list *l, const struct pcr_sample *sample,
                      const struct pcr_sample_info *info, int *rc);
/* Writes it into the folder, and if classes have names also their order. Returns an exit
 * code. */
int pcrtool_list_end(struct pcrtool_list *l, int folder_fd, bool replace);
void pcrtool_list_free(struct pcrtool_list *l);

#endif
