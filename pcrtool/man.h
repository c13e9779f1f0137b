/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual page, made from the same tables as the help. */
#ifndef PCRTOOL_MAN_H
#define PCRTOOL_MAN_H

/* Prints pcrtool.1 in man(7) macros to stdout. */
void pcrtool_print_man(void);

#endif
