/* SPDX-License-Identifier: BSD-2-Clause */
/* The ladder that an option names. */
#ifndef PCRTOOL_LADDER_H
#define PCRTOOL_LADDER_H

#include <pcr/ladder.h>

#include "options.h"

/* Makes the built-in ladder of that name, or reads one from a file; *out is unchanged if the
 * name is NULL. It must be one for the coding, if that is not 0. Prints its own message and returns
 * an exit code. */
int pcrtool_ladder_get(const struct pcrtool_command *c, const char *name, uint32_t coding,
                       struct pcr_ladder **out);

#endif
