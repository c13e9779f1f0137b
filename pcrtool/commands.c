/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of subcommands. */
#include "commands.h"

const struct pcrtool_command *const pcrtool_commands[] = {
    &pcrtool_convert,
    NULL,
};
