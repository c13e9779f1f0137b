/* SPDX-License-Identifier: BSD-2-Clause */
/* Any pixels and any of a JPEG's: their residual gives the former back. Then its bytes changed, and
 * the input itself taken for one: refused, or some pixels.
 *
 * Input: width, height, flags (1: three channels, 2: the JPEG's pixels are close, 4: the input is
 * the residual), number of changes; three bytes a change (place, exclusive or); then what pixels,
 * or the residual, are made of. */
#include "fuzz.h"

#include "residual/residual.h"

enum { HEAD = 4, CHANGE = 3, MOST_SIDE = 70, MOST = MOST_SIDE * MOST_SIDE * 3 };

static uint8_t exact[MOST], jpeg[MOST], made[MOST];
static struct pcri_rs_reader reader;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

/* Copied, so that nothing after it may be read. */
static int read_all(const uint8_t *data, size_t nbytes, uint32_t width, uint32_t height,
                    uint32_t channels)
{
    struct pcr_error err = { 0 };
    uint8_t *copy = malloc(nbytes ? nbytes : 1);
    FUZZ_CHECK(copy, "memory");
    if (nbytes)
        memcpy(copy, data, nbytes);
    const struct pcr_span span = { copy, nbytes };
    const size_t stride = (size_t) width * channels;
    memcpy(made, jpeg, stride * height);
    int rc = pcri_rs_open(&reader, &span, width, height, channels, &err);
    for (uint32_t i = 0; !rc && i < reader.strip_count; i++)
        rc = pcri_rs_apply(&reader, i, made + stride * reader.strip_rows * i, stride, &err);
    FUZZ_CHECK(!rc || ((rc == PCR_ERR_CORRUPT || rc == PCR_ERR_NOMEM) && err.message[0]), "%d",
               rc);
    if (!rc)
        FUZZ_CHECK_WRITTEN(made, stride * height);
    free(copy);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_buffer residual = { 0 };
    if (nbytes < HEAD)
        return 0;
    const uint32_t width = 1 + data[0] % MOST_SIDE, height = 1 + data[1] % MOST_SIDE;
    const uint32_t channels = data[2] & 1 ? 3 : 1, n = width * height * channels;
    const uint8_t flags = data[2];
    size_t changes = data[3];
    data += HEAD;
    nbytes -= HEAD;
    if (changes * CHANGE > nbytes)
        changes = nbytes / CHANGE;
    const uint8_t *change = data;
    data += changes * CHANGE;
    nbytes -= changes * CHANGE;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t v = nbytes ? data[i % nbytes] : 0;
        exact[i] = (uint8_t) (v + i / 7);
        jpeg[i] = (uint8_t) (flags & 2 ? exact[i] + (v & 7u) - 3u : i / 7 + (v >> 4u));
    }
    if (flags & 4) {
        (void) read_all(data, nbytes, width, height, channels);
        return 0;
    }
    FUZZ_CHECK(!pcri_rs_make(exact, jpeg, width, height, channels, &residual, NULL), "memory");
    FUZZ_WRITTEN(residual.data, residual.nbytes);
    FUZZ_CHECK(!read_all(residual.data, residual.nbytes, width, height, channels), "refused");
    FUZZ_CHECK(!memcmp(made, exact, n), "other pixels");
    for (size_t i = 0; i < changes; i++, change += CHANGE)
        residual.data[(change[0] | (size_t) change[1] << 8) % residual.nbytes] ^= change[2];
    if (changes)
        (void) read_all(residual.data, residual.nbytes, width, height, channels);
    pcr_buffer_free(&residual);
    return 0;
}
