/* SPDX-License-Identifier: BSD-2-Clause */
/* Any head with any groups: samples materialise within bounds, and the decoder survives
 * what comes of it. */
#include "dataset/materialise.h"
#include "record_input.h"

#include <pcr/image.h>

enum { MAX_SAMPLES = 8 }; /* looked at in one input */

static struct pcr_decoder *decoder;
static struct pcr_buffer file, pixels;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return pcr_decoder_create(&decoder, NULL);
}

static void decode(void)
{
    struct pcr_decode_options o = { .size = sizeof(o) };
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_error err = { 0 };
    const struct pcr_limits limits = { .size = sizeof(limits),
                                       .max_pixels = 1 << 14,
                                       .max_scans = 16 };
    o.limits = &limits;
    int rc = pcr_decoder_decode_alloc(decoder, file.data, file.nbytes, &o, &pixels, &info,
                                      &err);
    FUZZ_CHECK(rc <= 0 && (!rc || err.code == rc), "%d", rc);
}

/* Each chunk in memory of just its size. False: the input ends before it. */
static bool copy_chunks(const struct record_input *in, uint32_t i, uint8_t *chunks[])
{
    const struct pcri_head *h = in->head;
    for (uint32_t g = 0; g < h->group_count; g++) {
        uint64_t begin = h->group_begin[g] - h->group_begin[0] + pcri_chunk_offset(h, g, i);
        uint64_t nbytes = pcri_chunk_nbytes(h, g, i);
        if (begin > in->groups_nbytes || nbytes > in->groups_nbytes - begin)
            return false;
        chunks[g] = malloc(nbytes ? (size_t) nbytes : 1);
        if (!chunks[g])
            return false;
        memcpy(chunks[g], in->groups + begin, (size_t) nbytes);
    }
    return true;
}

static void check_sample(const struct record_input *in, uint32_t i)
{
    uint8_t *chunks[PCRI_MAX_GROUPS] = { NULL };
    struct pcr_error err = { 0 };
    size_t before = 0;
    bool there = copy_chunks(in, i, chunks);
    for (uint32_t g = 1; there && g <= in->head->group_count; g++) {
        int rc = pcri_materialise(in->head, i, g, (const uint8_t *const *) chunks, &file,
                                  &err);
        /* The last group of an exact picture is decoded, and its file is a PNG. Of others it is
         * damage if there is a residual. */
        const bool exact = in->head->exact[i] && g == in->head->group_count;
        FUZZ_CHECK(!rc || rc == PCR_ERR_UNSUPPORTED || rc == PCR_ERR_NOMEM ||
                       rc == PCR_ERR_CORRUPT || exact,
                   "%s", err.message);
        if (rc)
            break;
        FUZZ_CHECK(file.nbytes >= before || exact, "fidelity %u is smaller", g);
        FUZZ_CHECK(file.nbytes <= record_limits.max_sample_nbytes, "%zu bytes", file.nbytes);
        before = file.nbytes;
        FUZZ_CHECK_WRITTEN(file.data, file.nbytes);
        if (!FUZZ_OWN_CODE_ALONE)
            decode();
    }
    for (uint32_t g = 0; g < PCRI_MAX_GROUPS; g++)
        free(chunks[g]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct record_input in;
    record_input_parse(data, nbytes, &in);
    if (!in.head)
        return 0;
    for (uint32_t i = 0; i < in.head->sample_count && i < MAX_SAMPLES; i++)
        check_sample(&in, i);
    pcri_head_destroy(&in.head);
    return 0;
}
