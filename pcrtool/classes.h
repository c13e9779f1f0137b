/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that an option gives, in their order; those of classes. */
#ifndef PCRTOOL_CLASSES_H
#define PCRTOOL_CLASSES_H

#include "options.h"

struct pcrtool_names {
    const char **names; /* in text */
    uint32_t count;
    char *text;
};

/* Reads the value of --OPTION: names separated by commas. Returns an exit code; free *out in any
 * case. */
int pcrtool_names_split(const struct pcrtool_command *c, const char *option, const char *value,
                        struct pcrtool_names *out);
/* Reads that of --classes, which may also be a file with one name per line. */
int pcrtool_classes_read(const struct pcrtool_command *c, const char *value,
                         struct pcrtool_names *out);
/* Warns about names that are numbers but not in the order of the numbers. */
void pcrtool_classes_check(const struct pcrtool_command *c, const char *const *names,
                           uint32_t count);
void pcrtool_names_free(struct pcrtool_names *names);

#endif
