/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as what a conversion goes on from: a record's tail, with its skipped inputs,
 * restored samples and notes, and the state file's text, its checksum set right. */
#include "fuzz.h"

#include "manifest/notes.h"
#include "writer/write.h"
#include "record/columns.h"

enum { SAMPLES = 8, CHECK_AT = PCRI_STATE_NBYTES - 17 };

static struct pcr_buffer lines;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;
    return 0;
}

/* Texts lie within the tail, and there are as many as it says. */
static void check_list(const struct pcr_buffer *raw, uint16_t id)
{
    struct pcri_text_list t = { 0 };
    struct pcr_error err = { 0 };
    int rc = pcri_text_list_open(raw, id, &t, &err);
    FUZZ_CHECK(!rc || (rc == PCR_ERR_CORRUPT && err.message[0]), "%d", rc);
    FUZZ_CHECK(rc || t.left <= raw->nbytes, "%llu texts", (unsigned long long) t.left);
    while (!rc && t.left) {
        size_t n;
        const uint8_t *text = pcri_text_list_next(&t, &n);
        if (!text)
            break;
        FUZZ_CHECK(text >= raw->data && n <= raw->nbytes &&
                       text + n <= raw->data + raw->nbytes,
                   "%zu bytes", n);
    }
}

static void check_tail(const uint8_t *data, size_t nbytes)
{
    const struct pcr_buffer raw = { (uint8_t *) (uintptr_t) data, nbytes, nbytes };
    struct pcri_cursor cols[PCRI_TAIL_LAST + 1];
    struct pcri_note_counts sums = { 0 };
    struct pcr_error err = { 0 };
    if (!nbytes)
        return;
    int rc = pcri_columns_parse(&raw, PCRI_TAIL_LAST, cols, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
    if (rc)
        return;
    check_list(&raw, PCRI_TAIL_SKIPPED);
    check_list(&raw, PCRI_TAIL_RESTORE);
    lines.nbytes = 0;
    rc = pcri_notes_read(&raw, SAMPLES, &sums, &lines, &err);
    FUZZ_CHECK(rc <= 0 && (!rc || (err.code == rc && err.message[0])), "%d", rc);
    if (rc)
        return;
    struct pcri_note_counts again = { 0 };
    rc = pcri_notes_read(&raw, SAMPLES, &again, NULL, &err);
    FUZZ_CHECK(!rc && !memcmp(&sums, &again, sizeof(sums)), "%d", rc);
}

static void check_state(const uint8_t *data, size_t nbytes)
{
    char text[PCRI_STATE_NBYTES + 1] = "", again[PCRI_STATE_NBYTES + 1];
    struct pcri_state_text s;
    pcri_state_parse((const char *) data, nbytes, &s);
    FUZZ_CHECK(!nbytes == (s.is == PCRI_STATE_NOTHING), "%d", s.is);
    if (nbytes < CHECK_AT)
        return;
    memcpy(text, data, CHECK_AT);
    snprintf(text + CHECK_AT, 18, "%016llx\n",
             (unsigned long long) pcri_xxh3(text, CHECK_AT - 6));
    pcri_state_parse(text, PCRI_STATE_NBYTES, &s);
    if (s.is != PCRI_STATE_WHOLE)
        return;
    pcri_state_render(&s, again);
    FUZZ_CHECK(!strcmp(text, again), "%s, then %s", text, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    check_tail(data, nbytes);
    check_state(data, nbytes);
    return 0;
}
