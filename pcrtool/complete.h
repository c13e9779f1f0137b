/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion of command lines in shells. */
#ifndef PCRTOOL_COMPLETE_H
#define PCRTOOL_COMPLETE_H

/* pcrtool completion SHELL: prints the script that makes the shell ask `pcrtool complete`. */
int pcrtool_completion(int argc, char **argv);

/* pcrtool complete pcrtool WORD...: prints a line for each thing that the last word may become:
 * commands, options, their values, classes and splits, and keys up to their next slash. Fails
 * if there is none; the shell then completes names of files. Returns an exit code. */
int pcrtool_complete(int argc, char **argv);

#endif
