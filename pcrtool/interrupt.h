/* SPDX-License-Identifier: BSD-2-Clause */
/* SIGINT and SIGTERM, as a flag that work in progress checks from time to time. */
#ifndef PCRTOOL_INTERRUPT_H
#define PCRTOOL_INTERRUPT_H

/* From now on the first SIGINT or SIGTERM is only noted; the second kills the program at
 * once. */
void pcrtool_catch_signals(void);

/* The number of the signal that came, or 0. */
int pcrtool_interrupted(void);

#endif
