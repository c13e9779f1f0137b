/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a manifest, its checksum left out: an accepted one can be written, and is
 * read again as the same. */
#include "fuzz.h"

#include "manifest/manifest.h"

static struct pcr_buffer first, second;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

static void check_records(const struct pcri_manifest *m)
{
    uint64_t samples = 0;
    for (uint64_t r = 0; r < m->record_count; r++) {
        const uint64_t *ends = m->ends + r * m->group_count;
        FUZZ_CHECK(pcri_manifest_name_ok(pcri_manifest_file(m, r)), "%s",
                   pcri_manifest_file(m, r));
        FUZZ_CHECK(m->head_ends[r] <= ends[0], "record %llu", (unsigned long long) r);
        for (uint32_t g = 1; g < m->group_count; g++)
            FUZZ_CHECK(ends[g - 1] <= ends[g], "record %llu", (unsigned long long) r);
        FUZZ_CHECK(ends[m->group_count - 1] <= m->nbytes[r], "record %llu",
                   (unsigned long long) r);
        samples += m->sample_counts[r];
    }
    FUZZ_CHECK(samples == m->sample_count, "%llu samples", (unsigned long long) samples);
    for (uint32_t k = 0; k < m->split_count; k++)
        samples -= m->splits[k].sample_count;
    FUZZ_CHECK(!samples, "%llu samples in no split", (unsigned long long) samples);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcri_manifest m, again;
    struct pcr_error err = { 0 };
    int rc = pcri_manifest_parse(data, nbytes, NULL, PCRI_PARSE_NO_VERIFY, &m, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
    if (rc)
        return 0;
    check_records(&m);
    rc = pcri_manifest_render(&m, &first, &err);
    FUZZ_CHECK(!rc, "%s", err.message);
    pcri_manifest_free(&m);
    rc = pcri_manifest_parse(first.data, first.nbytes, NULL, 0, &again, &err);
    FUZZ_CHECK(!rc, "%s", err.message);
    rc = pcri_manifest_render(&again, &second, &err);
    FUZZ_CHECK(!rc, "%s", err.message);
    pcri_manifest_free(&again);
    FUZZ_CHECK(first.nbytes == second.nbytes && !memcmp(first.data, second.data, first.nbytes),
               "another manifest");
    return 0;
}
