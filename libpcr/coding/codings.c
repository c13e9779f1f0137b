/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding a coding. */
#include <pcr/ladder.h>

#include "codings.h"

const struct pcri_coding *pcri_coding_numbered(uint32_t number)
{
    for (size_t i = 0; pcri_codings[i]; i++)
        if (pcri_codings[i]->number == number)
            return pcri_codings[i];
    return NULL;
}

int pcri_coding_find(uint8_t number, const struct pcri_coding **out, struct pcr_error *err)
{
    *out = pcri_coding_numbered(number);
    return *out ? 0
                : pcri_fail(err, PCR_ERR_UNSUPPORTED,
                            "its coding is %u, which this version does not know", number);
}

int pcri_coding_of_bytes(const uint8_t *p, size_t nbytes)
{
    int part = -1;
    for (int i = 0; nbytes && pcri_codings[i]; i++) {
        size_t n = pcri_codings[i]->magic_nbytes;
        if (memcmp(p, pcri_codings[i]->magic, n < nbytes ? n : nbytes) != 0)
            continue;
        if (n <= nbytes)
            return i;
        part = i;
    }
    return part;
}

int pcr_ladder_check(const struct pcr_ladder *ladder, uint32_t coding, struct pcr_error *err)
{
    const struct pcri_coding *c = pcri_coding_numbered(coding);
    if (!ladder)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_ladder_check: no ladder");
    if (!c)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_ladder_check: no coding %u",
                         (unsigned) coding);
    return pcri_coding_check(c, ladder, err);
}
