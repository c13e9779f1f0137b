/* SPDX-License-Identifier: BSD-2-Clause */
/* The ladder that an option names. */
#ifndef PCRTOOL_LADDER_H
#define PCRTOOL_LADDER_H

#include <pcr/ladder.h>

#include "options.h"

/* Makes the built-in ladder of that name, or reads one from a file; *out is unchanged if the
 * name is NULL. Prints its own message and returns an exit code. */
int pcrtool_ladder_get(const struct pcrtool_command *c, const char *name,
                       struct pcr_ladder **out);

#endif
