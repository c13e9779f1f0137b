/* SPDX-License-Identifier: BSD-2-Clause */
/* Printing for all subcommands: errors, sizes, names, JSON; and when to use colour. */
#ifndef PCRTOOL_OUTPUT_H
#define PCRTOOL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>
#include <pcr/base.h>

#include "options.h"

#if defined(__GNUC__)
#define PCRTOOL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define PCRTOOL_PRINTF(f, a)
#endif

/* Prints "pcrtool NAME: text" on stderr, clearing a progress line before it. */
void pcrtool_error(const struct pcrtool_command *command, const char *fmt, ...)
    PCRTOOL_PRINTF(2, 3);

/* Prints the error of a failed library call (nothing if the user interrupted it) and
 * returns the exit code for it. */
int pcrtool_failed(const struct pcrtool_command *command, const struct pcr_error *err);

/* Writes "1.5 MiB" and the like into buf; returns buf. */
enum { PCRTOOL_SIZE_NBYTES = 24 };
const char *pcrtool_size(char buf[PCRTOOL_SIZE_NBYTES], uint64_t nbytes);

/* part / whole in percent; 0 if whole is 0. */
double pcrtool_percent(uint64_t part, uint64_t whole);

/* True if the stream is a terminal that supports colour: NO_COLOR is not set, and TERM is not
 * "dumb". */
bool pcrtool_color(FILE *stream);

/* Appends text, with a NUL after it that does not count. 0, or -1 and errno: ENOMEM. (Streams
 * in memory silently lose what they have no memory for.) */
int pcrtool_append(struct pcr_buffer *out, const char *fmt, ...) PCRTOOL_PRINTF(2, 3);

/* Bytes of the UTF-8 character at p if a terminal shows it; 0: a control character (C0, C1), or
 * no UTF-8. left: bytes from p on, at least 1. */
size_t pcrtool_harmless(const char *p, size_t left);

/* Writes a name of any bytes: as it is, or on a terminal with '?' for each byte of control
 * characters (C0, C1) and of what is not UTF-8. */
void pcrtool_print_name(FILE *stream, const char *name, size_t nbytes);
/* Writes text for a log, on one line and in UTF-8: such bytes, also those of names, as
 * \xHH. */
void pcrtool_print_tame(FILE *stream, const char *text, size_t nbytes);

/* Shows `line` in place of the last progress line on stderr; NULL clears it. Does nothing if
 * stderr is not a terminal. */
void pcrtool_progress(const char *line);

/* --- JSON. NULL is accepted and passed on, as jansson does for want of memory, which is told
 * when a value is printed. --- */

/* Makes failures of jansson's allocations noted. Call it at the program's beginning. */
void pcrtool_json_watch(void);
/* Whether any of them failed: what was parsed or made since may be incomplete. */
bool pcrtool_json_failed(void);

/* Sets object[name] to text of any bytes. Bytes that are not UTF-8 become U+FFFD, and the
 * exact bytes are then in object[name + "_hex"]. */
void pcrtool_json_set_text(json_t *object, const char *name, const char *text, size_t nbytes);

/* Appends `root` and a line end completely or, for lack of memory, not at all; frees it. 0, or
 * -1 and errno. */
int pcrtool_json_append(struct pcr_buffer *out, json_t *root, size_t flags);
/* The same into a stream. */
int pcrtool_json_write(FILE *stream, json_t *root, size_t flags);

/* The same to standard output, indented on a terminal, else on one line. Returns an exit
 * code. */
int pcrtool_print_json(const struct pcrtool_command *command, json_t *root);

/* For a command that was asked for JSON and failed with exit code rc: prints the last error as
 * {"error": {...}}, unless pcrtool_print_json() has printed a result. */
void pcrtool_print_json_error(const struct pcrtool_command *command, int rc);

#endif
