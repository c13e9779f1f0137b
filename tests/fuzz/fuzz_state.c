/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a loader's state, the checksum of a binary one set right: what is accepted is
 * written again, as bytes and as JSON, and read again as the same. */
#include "fuzz.h"

#include "../../loaders/order/saved.h"

enum { FIDELITIES = 10, CHECK_AT = PCR_LOADER_STATE_NBYTES - 8 };

static struct pcr_buffer text, second;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

static void check_same(const struct pcri_saved *a, const struct pcri_saved *b)
{
    uint8_t packed[2][PCR_LOADER_STATE_NBYTES];
    pcri_saved_pack(a, packed[0]);
    pcri_saved_pack(b, packed[1]);
    FUZZ_CHECK(!memcmp(packed[0], packed[1], sizeof(packed[0])), "another state");
}

/* A state of any numbers of its own survives its JSON. */
static void check_text(const struct pcri_saved *s)
{
    struct pcri_saved again;
    struct pcr_error err = { 0 };
    FUZZ_CHECK(!pcri_saved_render(s, &text, &err), "%s", err.message);
    FUZZ_CHECK(!pcri_saved_parse(text.data, text.nbytes, &again, &err), "%s: %s", text.data,
               err.message);
    check_same(s, &again);
    FUZZ_CHECK(!pcri_saved_render(&again, &second, &err), "%s", err.message);
    FUZZ_CHECK(second.nbytes == text.nbytes && !memcmp(second.data, text.data, text.nbytes),
               "%s, then %s", text.data, second.data);
}

/* What the loader that goes on must be of: the numbers that the state itself says. */
static struct pcri_saved own_numbers(const uint8_t *p, size_t nbytes)
{
    struct pcri_saved here = { 0 };
    if (nbytes && *p == '{') {
        if (!pcri_saved_parse(p, nbytes, &here, NULL))
            check_text(&here);
    } else if (nbytes >= 56) {
        here.sample_count = pcri_load64(p + 24);
        here.seed = pcri_load64(p + 32);
        here.dataset_digest = pcri_load64(p + 40);
        here.options_digest = pcri_load64(p + 48);
    }
    return here;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    uint8_t copy[PCR_LOADER_STATE_NBYTES];
    struct pcri_saved s, again;
    struct pcr_error err = { 0 };
    if (nbytes == sizeof(copy) && *data != '{') {
        memcpy(copy, data, CHECK_AT);
        uint64_t check = pcri_xxh3(copy, CHECK_AT);
        for (int i = 0; i < 8; i++)
            copy[CHECK_AT + i] = (uint8_t) (check >> 8 * i);
        data = copy;
    }
    struct pcri_saved here = own_numbers(data, nbytes);
    int rc = pcri_saved_unpack(data, nbytes, &here, FIDELITIES, &s, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
    if (rc)
        return 0;
    FUZZ_CHECK(s.position <= s.sample_count && s.changes.fidelity <= FIDELITIES,
               "position %llu", (unsigned long long) s.position);
    uint8_t packed[PCR_LOADER_STATE_NBYTES];
    pcri_saved_pack(&s, packed);
    FUZZ_CHECK(*data == '{' || !memcmp(packed, data, sizeof(packed)), "other bytes");
    FUZZ_CHECK(!pcri_saved_unpack(packed, sizeof(packed), &here, FIDELITIES, &again, &err),
               "%s", err.message);
    check_same(&s, &again);
    check_text(&s);
    return 0;
}
