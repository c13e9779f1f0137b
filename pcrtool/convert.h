/* SPDX-License-Identifier: BSD-2-Clause */
/* A conversion in progress, and the summary of a finished one. */
#ifndef PCRTOOL_CONVERT_H
#define PCRTOOL_CONVERT_H

#include <jansson.h>

#include <pcr/writer.h>

#include "options.h"

/* Bad inputs of one kind. */
struct pcrtool_bad {
    const char *format; /* what their bytes look like; not owned */
    uint64_t count;
};
enum { PCRTOOL_BAD_KINDS = 32 };

struct pcrtool_conversion {
    const struct pcrtool_command *command;
    const char *path; /* of the dataset */
    bool dry_run, quiet;
    uint64_t left_out_count; /* images that the importer found no place for */
    uint64_t named_count;    /* files left out, of these and others, that were named so
                                 * far */
    uint64_t repeated_count; /* files that are there more than once, of which some are named */
    uint64_t noted_count;    /* files that were not fully understood */
    uint64_t ignored_count;  /* files that it ignored because they are not images */
    struct pcr_buffer manifest; /* of a dry run */
    json_t *example;            /* of a dry run: the first sample (example.h) */
    struct pcr_write_progress report;
    double start, seconds;
    bool started;                              /* progress was called */
    uint64_t kept;                             /* samples done before anything was packed */
    uint64_t max_side, target_nbytes, quality; /* as requested; 0: not */
    uint32_t pictures;                         /* enum pcr_pictures, as requested */
    struct pcrtool_bad bad[PCRTOOL_BAD_KINDS]; /* of this run, by name */
    uint32_t bad_kinds;
    uint64_t bad_others; /* of further kinds */
    bool bad_damaged;    /* one of them was damaged, not only unsupported */
};

/* Call it before the library: from here signals stop the work. */
void pcrtool_conversion_begin(struct pcrtool_conversion *v);
/* pcr_write_options.progress, with the conversion as context. */
int pcrtool_conversion_progress(void *conversion, const struct pcr_write_progress *p);
/* After it has returned rc and *err. Returns an exit code. */
int pcrtool_conversion_end(struct pcrtool_conversion *v, int rc, const struct pcr_error *err);

/* Counts a bad input; format: static text, or NULL if it has no bytes. */
void pcrtool_conversion_count_bad(struct pcrtool_conversion *v, const char *format);

/* Ends the command: after success (rc 0) prints the summary to stdout, as JSON, or as text unless
 * `quiet`. Frees what the conversion holds. Returns an exit code. */
int pcrtool_conversion_report(struct pcrtool_conversion *v, int rc, bool json);

#endif
