/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the processes that train together this one is. */
#include <errno.h>
#include <stdlib.h>

#include "rank.h"

static int number(const char *name, const char *text, uint32_t *out, struct pcr_error *err)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value > UINT32_MAX)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "environment variable %s is \"%.80s\", expected a number", name,
                         text);
    *out = (uint32_t) value;
    return 0;
}

int pcri_rank_set(struct pcr_loader_options *o, uint32_t rank, uint32_t world,
                  struct pcr_error *err)
{
    if (!world || world > 1 << 20 || rank >= world)
        return pcri_fail(
            err, PCR_ERR_INVAL,
            "loader's rank is %u of a world of %u, expected a world of 1 to %u and "
            "a rank below it",
            (unsigned) rank, (unsigned) world, 1u << 20);
    o->shard.rank = rank;
    o->shard.world = world;
    return 0;
}

int pcri_rank_from_environment(struct pcr_loader_options *o, struct pcr_error *err)
{
    static const char *const names[][2] = {
        { "RANK", "WORLD_SIZE" }, /* torchrun, and most others */
        { "SLURM_PROCID", "SLURM_NTASKS" },
        { "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE" },
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *rank = getenv(names[i][0]), *world = getenv(names[i][1]);
        if (!rank && !world)
            continue;
        if (!rank || !world)
            return pcri_fail(err, PCR_ERR_INVAL,
                             "environment variable %s is set, but %s is not",
                             names[i][rank == NULL], names[i][rank != NULL]);
        uint32_t r = 0, w = 0;
        int rc = number(names[i][0], rank, &r, err);
        if (!rc)
            rc = number(names[i][1], world, &w, err);
        if (rc || !(rc = pcri_rank_set(o, r, w, err)))
            return rc;
        return pcri_prefix(err, rc, "environment variables %s and %s", names[i][0],
                           names[i][1]);
    }
    return pcri_rank_set(o, 0, 1, err);
}
