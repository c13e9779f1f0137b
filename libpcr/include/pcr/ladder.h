/* SPDX-License-Identifier: BSD-2-Clause */
/* Ladders: which parts of the coefficients make up which group. */
#ifndef PCR_LADDER_H
#define PCR_LADDER_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A ladder holds one or more scripts with the same number of groups. Each image uses the
 * script that fits its quantisation, so that a fidelity means about the same quality in
 * all images. A ladder is immutable, and several threads may use it. docs/FORMAT.md describes
 * its text form, in which the built-in ladders are written too. */
struct pcr_ladder;

/* The name of built-in ladder `index`: "packed", the default, "bitplane", "classic". NULL past
 * the last. Static storage. */
PCR_API const char *pcr_ladder_name(uint32_t index);

/* Creates the built-in ladder of this name, or the default if name is NULL. Codes: INVAL (no
 * such name), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_ladder_create(const char *name, struct pcr_ladder **out,
                                             struct pcr_error *err);

/* Creates a ladder from its text: the form of docs/FORMAT.md, or the syntax of cjpeg's -scans
 * with a line `group` (or a comment `# group`) before each group. Checks that each script is a
 * legal, complete progression. Codes: INVAL (with the line), LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_ladder_parse(const char *text, size_t nbytes,
                                            struct pcr_ladder **out, struct pcr_error *err);

/* Whether a dataset of this coding (enum pcr_coding in pcr/dataset.h) can have the ladder: 0, or
 * INVAL, and *err says why not. */
PCR_API PCR_MUST_CHECK int pcr_ladder_check(const struct pcr_ladder *ladder, uint32_t coding,
                                            struct pcr_error *err);

/* The ladder's canonical text. It lives as long as the ladder. */
PCR_API const char *pcr_ladder_text(const struct pcr_ladder *ladder);

/* The number of groups, 1 to 32: the highest fidelity, G. */
PCR_API uint32_t pcr_ladder_group_count(const struct pcr_ladder *ladder);

/* Destroys *ladder and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_ladder_destroy(struct pcr_ladder **ladder);

#ifdef __cplusplus
}
#endif
#endif
