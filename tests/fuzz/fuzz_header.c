/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a record's fixed header, checksums left out: what is accepted hangs together
 * and is written back as the same header. */
#include "fuzz.h"

#include "record/record.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

static void check_offsets(const struct pcri_header *h)
{
    uint64_t end = h->header_nbytes + h->head_nbytes;
    FUZZ_CHECK(h->group_count >= 1 && h->group_count <= PCRI_MAX_GROUPS, "%u groups",
               h->group_count);
    FUZZ_CHECK(h->sample_count && h->head_nbytes && end > h->head_nbytes, "%u samples",
               h->sample_count);
    for (uint32_t g = 0; g < h->group_count; g++) {
        FUZZ_CHECK(h->groups[g].end >= end, "group %u", g);
        FUZZ_CHECK(h->groups[g].piece_count - 1u < PCRI_MAX_PIECES, "group %u", g);
        end = h->groups[g].end;
    }
    FUZZ_CHECK(end + h->blobs_nbytes >= end, "blobs of %llu",
               (unsigned long long) h->blobs_nbytes);
    end += h->blobs_nbytes;
    FUZZ_CHECK(end + h->tail_nbytes >= end, "tail of %llu",
               (unsigned long long) h->tail_nbytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static uint8_t written[PCRI_HEADER_MAX_NBYTES];
    struct pcri_header h, again;
    struct pcr_error err = { 0 };

    int rc = pcri_header_parse(data, nbytes, 0, NULL, PCRI_PARSE_NO_VERIFY, &h, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || err.code == rc), "%d", rc);
    if (rc)
        return 0;
    check_offsets(&h);
    pcri_header_write(&h, written);
    rc = pcri_header_parse(written, (size_t) h.header_nbytes, 0, NULL, 0, &again, &err);
    FUZZ_CHECK(!rc, "%s", err.message);
    FUZZ_CHECK(h.check == again.check && h.minor == again.minor &&
                   h.sample_count == again.sample_count &&
                   h.head_raw_nbytes == again.head_raw_nbytes &&
                   h.tail_check == again.tail_check && h.blobs_nbytes == again.blobs_nbytes &&
                   !memcmp(h.groups, again.groups, sizeof(h.groups)),
               "another header");
    /* The size of the file is held against the header's. */
    uint64_t total = h.groups[h.group_count - 1].end + h.blobs_nbytes + h.tail_nbytes;
    rc = pcri_header_parse(data, nbytes, total, NULL, PCRI_PARSE_NO_VERIFY, &h, &err);
    FUZZ_CHECK(!rc, "%s", err.message);
    rc = pcri_header_parse(data, nbytes, total - 1, NULL, PCRI_PARSE_NO_VERIFY, &h, &err);
    FUZZ_CHECK(rc == PCR_ERR_TRUNCATED, "%d", rc);
    return 0;
}
