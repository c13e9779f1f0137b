/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual pages, made from the same tables as the help. */
#ifndef PCRTOOL_MAN_H
#define PCRTOOL_MAN_H

#include "options.h"

/* Prints pcrtool.1 in man(7) macros to stdout. */
void pcrtool_print_man(void);

/* Prints the command's own, pcrtool-NAME.1. */
void pcrtool_print_command_man(const struct pcrtool_command *c);

#endif
