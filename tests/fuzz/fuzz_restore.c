/* SPDX-License-Identifier: BSD-2-Clause */
/* Any JPEG file that can be coded: its program restores it, or it is refused for its size. Then
 * that program changed: refused, or a file that is not larger than allowed, the same with
 * coefficients as a decoder gives them.
 *
 * Input: number of changes; three bytes a change (place, value); the file. */
#include "fuzz.h"

#include "jpeg/original.h"

enum { MOST_PROGRAM_NBYTES = 65536 };

static struct pcr_ladder *ladder;
static struct pcr_limits limits = { .size = sizeof(limits),
                                    .max_pixels = 1 << 16,
                                    .max_scans = 24 };
static struct pcri_original original;
static struct pcr_buffer out[2];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct pcri_coder_memory memory;
    struct pcr_error err = { 0 };
    (void) argc;
    (void) argv;
    pcri_limits_fill(&limits);
    FUZZ_CHECK(!pcr_ladder_create("packed", &ladder, &err), "%s", err.message);
    pcri_original_init(&original, ladder, &limits, &memory);
    original.restorable = true;
    return 0;
}

static int run(const struct pcri_restore_input *in, bool with_coefs, struct pcr_buffer *file)
{
    struct pcr_error err = { 0 };
    struct pcri_restore_input one = *in;
    if (!with_coefs)
        one.coefs = NULL;
    int rc = pcri_restore_run(&original.restorer, &one, file, &err);
    FUZZ_CHECK(!rc || rc == PCR_ERR_CORRUPT || rc == PCR_ERR_UNSUPPORTED, "%d: %s", rc,
               err.message);
    FUZZ_CHECK(rc || file->nbytes <= one.max_nbytes, "%zu bytes", file->nbytes);
    return rc;
}

static void change(struct pcr_buffer *program, const uint8_t *changes, unsigned count)
{
    for (unsigned i = 0; i < count && program->nbytes; i++, changes += 3)
        program->data[pcri_load16(changes) % program->nbytes] = changes[2];
}

static void try_file(const struct pcri_coded *header, const uint8_t *changes, unsigned count)
{
    const struct pcri_jpeg_file *f = &original.file;
    struct pcri_blocks planes[4];
    struct pcr_buffer program = { 0 };
    struct pcr_error err = { 0 };
    pcri_coefs_view(&original.coefs, planes);
    const struct pcri_block_source source = { .file = f, .planes = planes };
    struct pcri_restore_input in = { .header = { header->strings.data,
                                                 header->strings.nbytes },
                                     .source = &source,
                                     .coefs = &original.coefs,
                                     .max_nbytes = f->nbytes };
    int rc = pcri_restore_make(&original.restorer, f, &in, MOST_PROGRAM_NBYTES, &program,
                               &err);
    FUZZ_CHECK(!rc || rc == PCR_ERR_UNSUPPORTED, "%d: %s", rc, err.message);
    in.program = program.data;
    in.program_nbytes = program.nbytes;
    if (!rc) {
        FUZZ_CHECK(!run(&in, false, &out[0]) && out[0].nbytes == f->nbytes &&
                       !memcmp(out[0].data, f->data, f->nbytes),
                   "restored to something else");
        change(&program, changes, count);
        rc = run(&in, true, &out[0]);
        FUZZ_CHECK(rc == PCR_ERR_UNSUPPORTED || rc == run(&in, false, &out[1]), "%d", rc);
        FUZZ_CHECK(rc || (out[0].nbytes == out[1].nbytes &&
                          !memcmp(out[0].data, out[1].data, out[0].nbytes)),
                   "two files");
    }
    pcr_buffer_free(&program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_error err = { 0 };
    struct pcri_coded header = { 0 };
    const unsigned count = nbytes ? data[0] % 16 : 0;
    const size_t head = 1 + 3 * (size_t) count;
    if (nbytes < head)
        return 0;
    if (!pcri_original_load(&original, data + head, nbytes - head, false, &err) &&
        !pcri_original_describe(&original, NULL, &header, &err))
        try_file(&header, data + 1, count);
    pcri_coded_free(&header);
    return 0;
}
