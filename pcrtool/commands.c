/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of subcommands. */
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
