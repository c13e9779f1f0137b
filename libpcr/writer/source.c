/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking sources, and closing them. */
#include <errno.h>

#include "write.h"

void pcr_source_close(struct pcr_source **source)
{
    struct pcr_source *s = source ? *source : NULL;
    if (!s)
        return;
    *source = NULL;
    if (s->close)
        s->close(s->context);
}

int pcri_source_describe(const struct pcr_source *source, uint64_t index,
                         struct pcr_source_sample *out, struct pcr_error *err)
{
    *out = (struct pcr_source_sample) { .size = sizeof(*out) };
    int rc = source->describe(source->context, index, out, err);
    if (rc || out->size == sizeof(*out))
        return rc;
    return pcri_fail(
        err, PCR_ERR_INVAL,
        "sample %llu of the source: size became %u, expected %zu: describe() must set "
        "members, not the whole struct",
        (unsigned long long) index, (unsigned) out->size, sizeof(*out));
}

bool pcri_source_is_lost(const struct pcr_error *why)
{
    return pcri_is_of_data(why->code, why) || why->code == PCR_ERR_INVAL ||
           (why->code == PCR_ERR_IO &&
            (!why->sys_errno || why->sys_errno == EACCES || why->sys_errno == EPERM ||
             why->sys_errno == ENAMETOOLONG));
}
