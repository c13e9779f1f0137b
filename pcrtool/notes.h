/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dataset's writer noted about samples, for printing. */
#ifndef PCRTOOL_NOTES_H
#define PCRTOOL_NOTES_H

#include "input.h"

/* Reads the notes of all samples: an array of their objects (docs/FORMAT.md 3.5), except that
 * `index` is the one in the dataset. Prints its own message and returns an exit code. */
int pcrtool_notes_read(const struct pcrtool_input *in, json_t **out);

/* Prints a line for each note: the key, and what was noted. */
void pcrtool_notes_print(const json_t *notes);

/* Prints a line after the title, if source files can be restored. */
void pcrtool_originals_print(const char *title, const struct pcr_dataset_info *info);

/* Prints the counts of notes, one per line; nothing for 0. */
void pcrtool_notes_summary(const struct pcr_dataset_info *info);

#endif
