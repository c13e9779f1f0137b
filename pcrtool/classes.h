/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of classes that --classes gives, in their order. */
#ifndef PCRTOOL_CLASSES_H
#define PCRTOOL_CLASSES_H

#include "options.h"

struct pcrtool_classes {
    const char **names; /* in text */
    uint32_t count;
    char *text;
};

/* Reads an option's value: names separated by commas, or a file with one name per line.
 * Returns an exit code; free *out in any case. */
int pcrtool_classes_read(const struct pcrtool_command *c, const char *value,
                         struct pcrtool_classes *out);
/* Warns about names that are numbers but not in the order of the numbers. */
void pcrtool_classes_check(const struct pcrtool_command *c, const char *const *names,
                           uint32_t count);
void pcrtool_classes_free(struct pcrtool_classes *classes);

#endif
