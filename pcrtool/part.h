/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of a dataset that is measured: whole records, spread over it, that fit in memory;
 * and whether their pages are in memory. */
#ifndef PCRTOOL_PART_H
#define PCRTOOL_PART_H

#include <stdlib.h>

#include "input.h"

/* calloc() for counts from files, which may be more than a size_t holds. */
static inline void *pcrtool_calloc(uint64_t count, size_t size)
{
    return count <= SIZE_MAX ? calloc((size_t) count, size) : NULL;
}

struct pcrtool_part {
    const struct pcrtool_command *command;
    const char *path, *split; /* of the dataset, borrowed */
    uint64_t *records;
    uint64_t record_count;
    uint64_t *indices; /* of their samples */
    uint64_t index_count;
    uint32_t group_count;
    uint64_t nbytes[PCRTOOL_MAX_FIDELITY + 1]; /* image bytes by fidelity */
    uint64_t throttle_nbytes_s;                /* bound on what storage delivers; 0: none */
};

/* Chooses records of an open dataset up to 256 MiB, at least one. Prints its own message;
 * returns an exit code. */
int pcrtool_part_choose(struct pcrtool_part *part, const struct pcrtool_input *in,
                        const char *path, const char *split);
void pcrtool_part_free(struct pcrtool_part *part);

/* Opens the part's dataset in another way. 0, or the library's code. */
int pcrtool_part_open(const struct pcrtool_part *part, uint32_t io_backend,
                      struct pcr_dataset **out, struct pcr_error *err);

/* Average image bytes of a sample. */
double pcrtool_part_sample_nbytes(const struct pcrtool_part *part, uint32_t fidelity);

/* Reads the part once, without throttle, so that it is in the page cache. 0, or the library's
 * code. */
int pcrtool_part_warm(const struct pcrtool_part *part, struct pcr_error *err);

/* Drops the part from the page cache. *stay_out: pages stayed, as on a file system in memory,
 * or if others use them. Returns 0 or PCR_ERR_IO. */
int pcrtool_part_cool(const struct pcrtool_part *part, struct pcr_dataset *ds, bool *stay_out,
                      struct pcr_error *err);

#endif
