/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a JPEG source: what packs decodes at every fidelity, and at the highest to
 * the pixels of the source; what does not pack is salvaged and decodes, or is refused. Of the
 * fidelities an input tries the last, and one that its size picks. */
#include "fuzz.h"

#include <pcr/image.h>

#include "assemble.h"
#include "generator.h"
#include "in_range.h"
#include "jpeg/coding.h"

enum { LADDERS = 3, TRAINING = 6 };

static const char few_groups[] = "ladder few\nscript all\ngroup\nall 0-0 0 0\ngroup\n"
                                 "luma 1-63 0 0\nchroma 1-63 0 0\n";
static const struct pcr_limits limits = { .size = sizeof(limits),
                                          .max_pixels = 1 << 12,
                                          .max_scans = 24 };
static struct pcr_ladder *ladders[LADDERS];
static struct pcri_coder *coders[LADDERS];
static struct pcri_coder_tables *tables[LADDERS];
static struct pcr_decoder *decoder;
static struct pcr_buffer whole, want, got;

static int train(int which)
{
    struct pcri_coder_stats *stats[TRAINING] = { NULL };
    struct pcr_buffer photo = { 0 };
    int rc = 0;
    for (int i = 0; !rc && i < TRAINING; i++) {
        rc = pcr_gen_photo((uint64_t) i, 64, 48, 40 + 10 * i, (unsigned) i, &photo);
        if (!rc)
            rc = pcri_coder_survey(coders[which], photo.data, photo.nbytes, &stats[i], NULL);
    }
    if (!rc)
        rc = pcri_coder_train(&pcri_coding_scans, ladders[which], stats, TRAINING,
                              &tables[which], NULL);
    for (int i = 0; i < TRAINING; i++)
        pcri_coder_stats_destroy(&stats[i]);
    pcr_buffer_free(&photo);
    return rc;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    int rc = pcr_decoder_create(&decoder, NULL);
    for (int i = 0; !rc && i < LADDERS; i++) {
        if (i < 2)
            rc = pcr_ladder_create(i ? "classic" : "bitplane", &ladders[i], NULL);
        else
            rc = pcr_ladder_parse(few_groups, sizeof(few_groups) - 1, &ladders[i], NULL);
        if (!rc)
            rc = pcri_coder_create(&pcri_coding_scans, ladders[i], &limits, NULL, &coders[i],
                                   NULL);
        if (!rc)
            rc = train(i);
    }
    return rc;
}

static int decode(const void *data, size_t nbytes, struct pcr_buffer *pixels,
                  struct pcr_image_info *info, struct pcr_error *err)
{
    struct pcr_decode_options o = { .size = sizeof(o), .flags = PCR_DECODE_KEEP_ORIENTATION };
    return pcr_decoder_decode_alloc(decoder, data, nbytes, &o, pixels, info, err);
}

/* The fidelities of a packed sample against its source. */
static void check_packed(const struct pcri_coded *p, int which, const uint8_t *data,
                         size_t nbytes)
{
    struct pcr_error err = { 0 }, source_err = { 0 };
    struct pcr_image_info a = { .size = sizeof(a) }, b = a;
    uint32_t group_count = pcr_ladder_group_count(ladders[which]);
    int source = decode(data, nbytes, &want, &a, &source_err);
    /* Not all that libjpeg reads coefficients of can it make pixels of. */
    FUZZ_CHECK(!source || source == PCR_ERR_UNSUPPORTED, "%s", source_err.message);

    const uint32_t fidelities[] = { 1 + nbytes / LADDERS % group_count, group_count };
    for (int i = 0; i < 2; i++) {
        uint32_t g = fidelities[i];
        int rc = pcr_gen_assemble(p, ladders[which], g, &whole, &err);
        if (rc)
            return;
        rc = decode(whole.data, whole.nbytes, &got, &b, &err);
        FUZZ_CHECK(rc == source, "fidelity %u: %s, source: %s", g, rc ? err.message : "good",
                   source ? source_err.message : "good");
    }
    if (source)
        return;
    FUZZ_CHECK(a.width == b.width && a.height == b.height, "%ux%u, source: %ux%u", b.width,
               b.height, a.width, a.height);
    if (!fuzz_in_range(whole.data, whole.nbytes))
        return;
    FUZZ_CHECK(want.nbytes == got.nbytes && !memcmp(want.data, got.data, got.nbytes),
               "%ux%u: other pixels", a.width, a.height);
}

/* What is made of a damaged file decodes at every fidelity. */
static void check_salvaged(int which, const struct pcri_coder_tables *shared,
                           const uint8_t *data, size_t nbytes)
{
    struct pcri_coded p;
    struct pcr_image_info info = { .size = sizeof(info) };
    struct pcr_error err = { 0 };
    int rc = pcri_coder_salvage(coders[which], shared, data, nbytes, &p, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "code %d, error %d", rc,
               err.code);
    uint32_t group_count = pcr_ladder_group_count(ladders[which]);
    for (uint32_t g = 1; !rc && g <= group_count; g += group_count > 1 ? group_count - 1 : 1) {
        if (pcr_gen_assemble(&p, ladders[which], g, &whole, &err))
            break;
        int decoded = decode(whole.data, whole.nbytes, &got, &info, &err);
        FUZZ_CHECK(!decoded || decoded == PCR_ERR_UNSUPPORTED, "salvaged, fidelity %u: %s", g,
                   err.message);
    }
    if (!rc)
        pcri_coded_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcri_coded p;
    struct pcr_error err = { 0 };
    int which = (int) (nbytes % LADDERS);
    const struct pcri_coder_tables *shared = nbytes & 8 ? tables[which] : NULL;

    int rc = pcri_coder_encode(coders[which], shared, data, nbytes, &p, &err);
    FUZZ_CHECK(rc <= 0 && rc != PCR_ERR_INVAL && rc != PCR_ERR_IO, "%s", err.message);
    if (rc) {
        FUZZ_CHECK(err.code == rc && err.message[0], "code %d, error %d", rc, err.code);
        check_salvaged(which, shared, data, nbytes);
        return 0;
    }
    check_packed(&p, which, data, nbytes);
    pcri_coded_free(&p);
    return 0;
}
