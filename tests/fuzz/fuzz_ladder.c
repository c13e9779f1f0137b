/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a ladder: one that is accepted is complete, and its canonical text is that of
 * the same ladder. */
#include "fuzz.h"

#include "jpeg/ladder.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

static void check_scripts(const struct pcr_ladder *a, const struct pcr_ladder *b)
{
    FUZZ_CHECK(a->group_count == b->group_count && a->script_count == b->script_count &&
                   !strcmp(a->name, b->name),
               "%s, %s", a->name, b->name);
    FUZZ_CHECK(a->group_count && a->group_count <= PCRI_LADDER_MAX_GROUPS && a->script_count,
               "%u groups", a->group_count);
    for (uint32_t k = 0; k < a->script_count; k++) {
        const struct pcri_script *x = &a->scripts[k], *y = &b->scripts[k];
        FUZZ_CHECK(x->below_step == y->below_step && x->scan_count == y->scan_count &&
                       !strcmp(x->name, y->name),
                   "script %u", k);
        for (uint32_t i = 0; i < x->scan_count; i++)
            FUZZ_CHECK(!memcmp(&x->scans[i], &y->scans[i], sizeof(x->scans[i])),
                       "script %u, scan %u", k, i);
    }
    FUZZ_CHECK(!memcmp(a->piece_counts, b->piece_counts, sizeof(a->piece_counts)), "pieces");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct pcr_ladder *first, *second;
    struct pcr_error err = { 0 };
    int rc = pcr_ladder_parse((const char *) data, nbytes, &first, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
    if (rc)
        return 0;
    FUZZ_CHECK(!pcri_ladder_check(first, &err), "%s", err.message);
    const char *text = pcr_ladder_text(first);
    rc = pcr_ladder_parse(text, strlen(text), &second, &err);
    FUZZ_CHECK(!rc, "%s: %s", text, err.message);
    check_scripts(first, second);
    FUZZ_CHECK(!strcmp(text, pcr_ladder_text(second)), "%s, then %s", text,
               pcr_ladder_text(second));
    pcr_ladder_destroy(&first);
    pcr_ladder_destroy(&second);
    return 0;
}
