/* SPDX-License-Identifier: BSD-2-Clause */
/* A loader's state to bytes and back. */
#include <inttypes.h>

#include "saved.h"

enum { POSITIONS_AT = 64, FIDELITIES_AT = 96, ZERO_AT = 112, CHECK_AT = 120 };
_Static_assert(PCRI_CHANGES_MAX == 4 && CHECK_AT + 8 == PCR_LOADER_STATE_NBYTES,
               "a state is its fields");
static const char magic[4] = { 'P', 'C', 'R', 'S' };

void pcri_saved_init(const struct pcri_catalog *c, struct pcri_saved *out)
{
    *out = (struct pcri_saved) {
        .sample_count = c->entry_count,
        .seed = c->options.seed,
        .dataset_digest = c->dataset_digest,
        .options_digest = c->options_digest,
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
    p = put(p + sizeof(magic), PCRI_SAVED_VERSION, 4);
    p = put(p, s->epoch, 8);
    p = put(p, s->position, 8);
    p = put(p, s->sample_count, 8);
    p = put(p, s->seed, 8);
    p = put(p, s->dataset_digest, 8);
    p = put(p, s->options_digest, 8);
    p = put(p, s->changes.fidelity, 4);
    p = put(p, s->changes.count, 4);
    memset(p, 0, CHECK_AT - POSITIONS_AT);
    p = out;
    for (uint32_t i = 0; i < s->changes.count; i++) {
        put(p + POSITIONS_AT + 8 * i, s->changes.items[i].position, 8);
        put(p + FIDELITIES_AT + 4 * i, s->changes.items[i].fidelity, 4);
    }
    put(p + CHECK_AT, pcri_xxh3(out, CHECK_AT), 8);
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
    if (s->options_digest != here->options_digest || s->sample_count != here->sample_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "loader state: it is of another order (shuffle, block_samples, "
                         "window_samples, window_nbytes, indices, weights, epoch_samples, "
                         "proportions or ONCE) of %" PRIu64 " samples, this one has %" PRIu64,
                         s->sample_count, here->sample_count);
    if (s->position > s->sample_count)
        return pcri_fail(err, PCR_ERR_FORMAT,
                         "loader state: position is %" PRIu64 ", at most %" PRIu64 " expected",
                         s->position, s->sample_count);
    return 0;
}

/* Reads the changes, which are those of the state's epoch to come. */
static int unpack_changes(const uint8_t *p, uint32_t group_count, struct pcri_saved *s,
                          struct pcr_error *err)
{
    struct pcri_changes *c = &s->changes;
    uint64_t at = s->position, rest = pcri_load64(p + ZERO_AT);
    c->fidelity = pcri_load32(p + 56);
    c->count = pcri_load32(p + 60);
    bool good = c->count <= PCRI_CHANGES_MAX && c->fidelity <= group_count;
    for (uint32_t i = 0; good && i < PCRI_CHANGES_MAX; i++) {
        uint64_t position = pcri_load64(p + POSITIONS_AT + 8 * (size_t) i);
        uint32_t fidelity = pcri_load32(p + FIDELITIES_AT + 4 * (size_t) i);
        if (i >= c->count) {
            rest |= position | fidelity;
            continue;
        }
        good = position > at && fidelity && fidelity <= group_count;
        c->items[i].position = at = position;
        c->items[i].fidelity = fidelity;
    }
    if (good && !rest)
        return 0;
    return pcri_fail(err, PCR_ERR_FORMAT,
                     "loader state: fidelity %u with %u changes, or one of these, is not as "
                     "expected (fidelities to %u, rising positions)",
                     (unsigned) c->fidelity, (unsigned) c->count, (unsigned) group_count);
}

int pcri_saved_unpack(const void *state, size_t nbytes, const struct pcri_saved *here,
                      uint32_t group_count, struct pcri_saved *out, struct pcr_error *err)
{
    const uint8_t *p = state;
    uint8_t packed[PCR_LOADER_STATE_NBYTES];
    struct pcri_saved parsed;
    if (nbytes && *p == '{') {
        int rc = pcri_saved_parse(state, nbytes, &parsed, err);
        if (rc)
            return rc;
        pcri_saved_pack(&parsed, packed);
        p = packed;
        nbytes = sizeof(packed);
    }
    if (nbytes >= sizeof(magic) && memcmp(p, magic, sizeof(magic)))
        return pcri_fail(err, PCR_ERR_FORMAT, "loader state: does not begin with PCRS");
    if (nbytes >= 8 && pcri_load32(p + 4) != PCRI_SAVED_VERSION)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED, "loader state: version %u, expected %u",
                         (unsigned) pcri_load32(p + 4), (unsigned) PCRI_SAVED_VERSION);
    if (nbytes < PCR_LOADER_STATE_NBYTES)
        return pcri_fail(err, PCR_ERR_TRUNCATED, "loader state: %zu bytes, expected %d",
                         nbytes, PCR_LOADER_STATE_NBYTES);
    if (nbytes > PCR_LOADER_STATE_NBYTES)
        return pcri_fail(err, PCR_ERR_FORMAT, "loader state: %zu bytes, expected %d", nbytes,
                         PCR_LOADER_STATE_NBYTES);
    if (pcri_load64(p + CHECK_AT) != pcri_xxh3(p, CHECK_AT))
        return pcri_fail_at(err, PCR_ERR_CORRUPT, CHECK_AT,
                            "loader state: its checksum is wrong");
    *out = (struct pcri_saved) {
        .epoch = pcri_load64(p + 8),
        .position = pcri_load64(p + 16),
        .sample_count = pcri_load64(p + 24),
        .seed = pcri_load64(p + 32),
        .dataset_digest = pcri_load64(p + 40),
        .options_digest = pcri_load64(p + 48),
    };
    int rc = check(out, here, err);
    return rc ? rc : unpack_changes(p, group_count, out, err);
}
