/* SPDX-License-Identifier: BSD-2-Clause */
/* The state file of an unfinished conversion, `.pcr-convert` in the dataset's folder. It is
 * one writer's claim on the folder, and a fingerprint in it says which conversion the records
 * in the folder belong to. The policy for bad inputs is separate: records that were finished
 * under "fail" have no bad inputs, and are what every other policy would have made. The writer
 * that completes the dataset removes the file.
 *
 * The text is replaced atomically: it is empty or complete, and ends in a checksum. After a
 * loss of power only a part of it may remain, and a bit may flip. Such a state says nothing
 * about the folder's records: it counts as none. */
#include <stdio.h>
#include <stdlib.h>

#include "write.h"

static const char first_line[] = "libpcr conversion 1\n";

/* What is in the folder. */
struct contents {
    bool manifest;
    uint64_t record_count; /* objects that end in .pcr */
    char foreign[256];     /* something that is no part of a dataset; "": nothing is */
};

/* What file systems and their users keep in any folder does not count. */
static bool is_foreign(const char *name)
{
    return name[0] != '.' && strcmp(name, PCRI_ERRORS_NAME) != 0 &&
           strcmp(name, "lost+found") != 0;
}

static int note(void *context, const char *name, struct pcr_error *err)
{
    struct contents *c = context;
    size_t n = strlen(name);
    if (!strcmp(name, PCRI_MANIFEST_NAME))
        c->manifest = true;
    else if (n > 4 && name[0] != '.' && !strcmp(name + n - 4, ".pcr"))
        c->record_count++;
    else if (is_foreign(name))
        snprintf(c->foreign, sizeof(c->foreign), "%s", name);
    return 0;
}

static int scan(const struct pcri_storage *storage, const char *dir, struct contents *c,
                struct pcr_error *err)
{
    *c = (struct contents) { 0 };
    return pcri_storage_list(storage, dir, note, c, err);
}

void pcri_state_render(const struct pcri_state_text *t, char out[PCRI_STATE_NBYTES + 1])
{
    int n = snprintf(out, PCRI_STATE_NBYTES + 1, "%sfingerprint %016llx\nbad-policy %u\n",
                     first_line, (unsigned long long) t->fingerprint,
                     (unsigned) t->bad_policy % 10);
    snprintf(out + n, PCRI_STATE_NBYTES + 1 - (size_t) n, "check %016llx\n",
             (unsigned long long) pcri_xxh3(out, (size_t) n));
}

/* Whether it is the text of a state, apart from what was lost or changed. */
static bool is_damaged(const char *text, size_t nbytes)
{
    size_t line = sizeof(first_line) - 1;
    return !text[0] || !memcmp(text, first_line, nbytes < line ? nbytes : line);
}

void pcri_state_parse(const char *text, size_t nbytes, struct pcri_state_text *out)
{
    char copy[PCRI_STATE_NBYTES + 1] = "", again[PCRI_STATE_NBYTES + 1] = "";
    unsigned long long value;
    unsigned policy;
    *out = (struct pcri_state_text) { .is = PCRI_STATE_NOTHING };
    if (!nbytes)
        return;
    out->is = is_damaged(text, nbytes) ? PCRI_STATE_DAMAGED : PCRI_STATE_FOREIGN;
    if (nbytes != PCRI_STATE_NBYTES)
        return;
    memcpy(copy, text, nbytes);
    if (sscanf(copy + sizeof(first_line) - 1, "fingerprint %16llx\nbad-policy %1u\n", &value,
               &policy) != 2)
        return;
    struct pcri_state_text said = { PCRI_STATE_WHOLE, value, policy };
    pcri_state_render(&said, again);
    if (!memcmp(text, again, nbytes))
        *out = said;
}

static int read_state(const struct pcri_write_state *s, struct pcri_state_text *out,
                      struct pcr_error *err)
{
    enum { MOST_NBYTES = 1 << 16 };
    struct pcr_buffer b = { 0 };
    int rc = pcri_storage_read(s->storage, s->path, MOST_NBYTES, PCRI_TRIES_AGAIN, &b, err);
    *out = (struct pcri_state_text) { .is = PCRI_STATE_FOREIGN };
    if (!rc)
        pcri_state_parse((const char *) b.data, b.nbytes, out);
    pcr_buffer_free(&b);
    if (rc && rc != PCR_ERR_LIMIT)
        return rc;
    if (out->is != PCRI_STATE_FOREIGN)
        return 0;
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s: not a state known to this version; choose another folder", s->path);
}

static int refuse(const char *dir, const struct contents *c, bool stateless,
                  struct pcr_error *err)
{
    if (c->manifest)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: already holds another dataset", dir);
    if (!c->record_count)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "%s: holds other files (%s): choose a new or empty folder", dir,
                         c->foreign);
    return pcri_fail(err, PCR_ERR_INVAL,
                     "%s: holds %llu record(s) of an unfinished conversion %s: delete it or "
                     "choose another folder",
                     dir, (unsigned long long) c->record_count,
                     stateless ? "whose state (.pcr-convert) is lost or damaged"
                               : "with other options or sources");
}

/* Under the claim: is this folder ours to write into? */
static int take_folder(struct pcri_write_state *s, uint64_t fingerprint, uint32_t bad_policy,
                       struct pcr_error *err)
{
    const struct pcri_state_text state = { PCRI_STATE_WHOLE, fingerprint, bad_policy };
    char text[PCRI_STATE_NBYTES + 1];
    struct contents c;
    struct pcri_state_text old;
    int rc = scan(s->storage, s->dir, &c, err);
    if (!rc)
        rc = read_state(s, &old, err);
    if (rc)
        return rc;
    bool ours = old.is == PCRI_STATE_WHOLE && old.fingerprint == fingerprint &&
                (old.bad_policy == bad_policy || old.bad_policy == PCR_BAD_FAIL);
    if (!ours && (c.manifest || c.record_count || (c.foreign[0] && !old.is))) {
        /* Made by us just now, or by one that did nothing more? */
        if (old.is == PCRI_STATE_NOTHING)
            (void) pcri_claim_end(&s->claim, true, NULL);
        return refuse(s->dir, &c, old.is != PCRI_STATE_WHOLE, err);
    }
    rc = pcri_storage_tidy(s->storage, s->dir, err);
    if (rc || (ours && old.bad_policy == bad_policy))
        return rc;
    pcri_state_render(&state, text);
    return pcri_claim_write(s->claim, text, err);
}

/* What does not belong to an unfinished conversion is left alone, down to its time of change. */
int pcri_write_state_find(const struct pcri_storage *storage, const char *dir, bool *found,
                          struct pcr_error *err)
{
    struct pcri_found state = { 0 };
    int rc = pcri_storage_find(storage, dir, PCRI_STATE_NAME, &state, err);
    *found = state.exists;
    return rc;
}

int pcri_write_state_look(const struct pcri_storage *storage, const char *dir,
                          struct pcr_error *err)
{
    bool unfinished;
    struct contents c;
    struct pcr_error why;
    int rc = pcri_write_state_find(storage, dir, &unfinished, err);
    if (rc || unfinished)
        return rc;
    rc = scan(storage, dir, &c, &why);
    if (rc && pcri_is_absent(rc, &why))
        return 0;
    rc = pcri_hand_on(err, rc, &why);
    return !rc && (c.manifest || c.foreign[0]) ? refuse(dir, &c, true, err) : rc;
}

int pcri_write_state_open(struct pcri_write_state *s, const struct pcri_storage *storage,
                          const char *dir, uint64_t fingerprint, uint32_t bad_policy,
                          struct pcr_error *err)
{
    bool made = false;
    *s = (struct pcri_write_state) { .storage = storage,
                                     .dir = dir,
                                     .path = pcri_join(dir, PCRI_STATE_NAME, err) };
    if (!s->path)
        return PCR_ERR_NOMEM;
    int rc = pcri_storage_make_folder(storage, dir, &made, err);
    if (!rc && !made)
        rc = pcri_write_state_look(storage, dir, err);
    if (!rc)
        rc = pcri_claim_begin(storage, dir, PCRI_STATE_NAME, &s->claim, err);
    if (!rc)
        rc = take_folder(s, fingerprint, bad_policy, err);
    if (rc)
        pcri_write_state_close(s);
    return rc;
}

int pcri_write_state_finish(struct pcri_write_state *s, struct pcr_error *err)
{
    int rc = pcri_claim_end(&s->claim, true, err);
    pcri_write_state_close(s);
    return rc;
}

void pcri_write_state_close(struct pcri_write_state *s)
{
    (void) pcri_claim_end(&s->claim, false, NULL);
    free(s->path);
    *s = (struct pcri_write_state) { 0 };
}
