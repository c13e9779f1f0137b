/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands, one in each file of its name. */
#ifndef PCRTOOL_COMMANDS_H
#define PCRTOOL_COMMANDS_H

#include "options.h"

extern const struct pcrtool_command pcrtool_advise, pcrtool_bench, pcrtool_cat,
    pcrtool_convert, pcrtool_doctor, pcrtool_extract, pcrtool_info, pcrtool_ls, pcrtool_recode,
    pcrtool_verify;

/* In the order of the overview; NULL-ended. */
extern const struct pcrtool_command *const pcrtool_commands[];

/* NULL: there is none with this name. */
const struct pcrtool_command *pcrtool_find_command(const char *name);

#endif
