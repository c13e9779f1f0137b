/* SPDX-License-Identifier: BSD-2-Clause */
/* Ladders: which progressive scans form which group. */
#ifndef PCR_LADDER_H
#define PCR_LADDER_H

#include <pcr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A ladder holds one or more scripts with the same number of groups; each image uses the
 * script that fits its quantisation, so that a fidelity means about the same quality in
 * all images. Immutable; free for use by several threads. docs/FORMAT.md has its text
 * form, which is also what the built-in ladders are written in. */
struct pcr_ladder;

/* Names of the built-in ladders, in order, the default first; NULL past the last. */
PCR_API const char *pcr_ladder_name(uint32_t index);

/* Creates a ladder from a built-in's name ("bitplane", "classic") or NULL for the default.
 * Codes: INVAL (no such name), NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_ladder_create(const char *name, struct pcr_ladder **out,
                                             struct pcr_error *err);

/* Creates a ladder from its text: FORMAT.md's form, or cjpeg's -scans syntax with a line
 * `group` (or a comment `# group`) before each group. Checks that each script is a legal,
 * complete progression. Codes: INVAL (with the line), LIMIT, NOMEM. */
PCR_API PCR_MUST_CHECK int pcr_ladder_parse(const char *text, size_t nbytes,
                                            struct pcr_ladder **out, struct pcr_error *err);

/* The canonical text. Lives as long as the ladder. */
PCR_API const char *pcr_ladder_text(const struct pcr_ladder *ladder);

/* G, 1 to 32. */
PCR_API uint32_t pcr_ladder_group_count(const struct pcr_ladder *ladder);

/* Destroys *ladder and sets it to NULL. Accepts NULL and a NULL object. */
PCR_API void pcr_ladder_destroy(struct pcr_ladder **ladder);

#ifdef __cplusplus
}
#endif
#endif
