/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of subcommands. */
#include <string.h>

#include "commands.h"

const struct pcrtool_command *const pcrtool_commands[] = {
    &pcrtool_convert,
    &pcrtool_recode,
    &pcrtool_info,
    &pcrtool_ls,
    &pcrtool_cat,
    &pcrtool_extract,
    &pcrtool_verify,
    &pcrtool_advise,
    &pcrtool_bench,
    &pcrtool_doctor,
    NULL,
};

const struct pcrtool_command *pcrtool_find_command(const char *name)
{
    for (size_t i = 0; pcrtool_commands[i]; i++)
        if (!strcmp(pcrtool_commands[i]->name, name))
            return pcrtool_commands[i];
    return NULL;
}
