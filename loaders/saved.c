/* SPDX-License-Identifier: BSD-2-Clause */
/* A loader's state to bytes and back. */
#include <inttypes.h>

#include "saved.h"

enum { VERSION = 1 };
static const char magic[4] = { 'P', 'C', 'R', 'S' };

void pcri_saved_init(const struct pcr_loader_options *o, const struct pcri_order *order,
                     struct pcri_saved *out)
{
    *out = (struct pcri_saved) {
        .sample_count = pcri_order_sample_count(order),
        .seed = o->seed,
        .dataset_digest = pcri_order_dataset_digest(order),
        .options_digest = pcri_order_options_digest(order),
    };
}

static uint8_t *put(uint8_t *p, uint64_t value, int nbytes)
{
    for (int i = 0; i < nbytes; i++)
        *p++ = (uint8_t) (value >> 8 * i);
    return p;
}

void pcri_saved_pack(const struct pcri_saved *s, void *out)
{
    uint8_t *p = out;
    memcpy(p, magic, sizeof(magic));
    p = put(p + sizeof(magic), VERSION, 4);
    p = put(p, s->epoch, 8);
    p = put(p, s->position, 8);
    p = put(p, s->sample_count, 8);
    p = put(p, s->seed, 8);
    p = put(p, s->dataset_digest, 8);
    p = put(p, s->options_digest, 8);
    p = put(p, s->fidelity, 4);
    put(p, 0, 4);
}

static int check(const struct pcri_saved *s, const struct pcri_saved *here,
                 struct pcr_error *err)
{
    if (s->dataset_digest != here->dataset_digest)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader state: it is of another dataset or split (digest of the "
                         "records %016" PRIx64 ", this one's is %016" PRIx64 ")",
                         s->dataset_digest, here->dataset_digest);
    if (s->seed != here->seed)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader state: seed %" PRIu64 ", but the loader's is %" PRIu64,
                         s->seed, here->seed);
    if (s->options_digest != here->options_digest ||
        s->sample_count != here->sample_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader state: it is of another order (shuffle, block_samples, "
                         "window_samples, window_nbytes or indices) of %" PRIu64
                         " samples, this one has %" PRIu64, s->sample_count,
                         here->sample_count);
    if (s->position > s->sample_count)
        return pcri_fail(err, PCR_ERR_FORMAT,
                         "loader state: position is %" PRIu64 ", at most %" PRIu64
                         " expected", s->position, s->sample_count);
    if (!s->fidelity)
        return pcri_fail(err, PCR_ERR_FORMAT,
                         "loader state: fidelity is 0, expected 1 or more");
    return 0;
}

int pcri_saved_unpack(const void *state, size_t nbytes, const struct pcri_saved *here,
                      struct pcri_saved *out, struct pcr_error *err)
{
    const uint8_t *p = state;
    if (nbytes >= sizeof(magic) && memcmp(p, magic, sizeof(magic)))
        return pcri_fail(err, PCR_ERR_FORMAT, "loader state: does not begin with PCRS");
    if (nbytes >= 8 && pcri_load32(p + 4) != VERSION)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "loader state: version %u, expected %u",
                         (unsigned) pcri_load32(p + 4), (unsigned) VERSION);
    if (nbytes < PCR_LOADER_STATE_NBYTES)
        return pcri_fail(err, PCR_ERR_TRUNCATED,
                         "loader state: %zu bytes, expected %d", nbytes,
                         PCR_LOADER_STATE_NBYTES);
    if (nbytes > PCR_LOADER_STATE_NBYTES || pcri_load32(p + 60))
        return pcri_fail(err, PCR_ERR_FORMAT,
                         "loader state: %zu bytes with a tail of %u, expected %d with 0",
                         nbytes, (unsigned) pcri_load32(p + 60), PCR_LOADER_STATE_NBYTES);
    *out = (struct pcri_saved) {
        .epoch = pcri_load64(p + 8),
        .position = pcri_load64(p + 16),
        .sample_count = pcri_load64(p + 24),
        .seed = pcri_load64(p + 32),
        .dataset_digest = pcri_load64(p + 40),
        .options_digest = pcri_load64(p + 48),
        .fidelity = pcri_load32(p + 56),
    };
    return check(out, here, err);
}
