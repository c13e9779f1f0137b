/* SPDX-License-Identifier: BSD-2-Clause */
/* One sample: load it, judge it, code it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/sniff.h"
#include "../image/judge.h"
#include "../manifest/notes.h"
#include "write.h"

/* Judgements of an input. */
enum verdict {
    VERDICT_CODED,   /* coded by the coding */
    VERDICT_WHOLE,   /* coded, but its file could not be restored */
    VERDICT_INTACT,  /* an intact image that decodes, but that codings cannot hold */
    VERDICT_BAD,     /* its bytes are there, but are not an image that is known to be good */
    VERDICT_MISSING, /* no bytes */
};

void pcri_slot_free(struct pcri_slot *slot)
{
    pcri_coded_free(&slot->coded);
    pcri_blob_list_free(&slot->blobs);
    pcr_sample_release(&slot->held);
    free(slot->text);
    free(slot->attributes);
    free(slot->skip);
    slot->text = slot->attributes = slot->skip = NULL;
}

int pcri_sample_prefix(const struct pcr_source_sample *s, int code, struct pcr_error *err)
{
    enum { PATH_NBYTES = 300 };
    const char *path = s->path ? s->path : s->key;
    size_t n = strlen(path);
    if (n > PATH_NBYTES) /* its end says more than its beginning */
        return pcri_prefix(err, code, "...%s", path + n - PATH_NBYTES);
    return pcri_prefix(err, code, "%s", path);
}

/* Decodes t->file as readers will: they learn about larger pictures (needs.h), but not about
 * more scans. LIMIT also if it takes more memory than the options allow. */
static int try_decoding(struct pcri_worker *t, struct pcr_error *why)
{
    struct pcr_decode_options o = { .size = sizeof(o) };
    struct pcr_limits readers = { 0 };
    struct pcr_image_info info = { .size = sizeof(info) };
    uint64_t nbytes;
    pcri_limits_fill(&readers);
    struct pcr_limits own = *t->write->opts.limits;
    own.size = sizeof(own);
    if (own.max_scans > readers.max_scans)
        own.max_scans = readers.max_scans;
    o.limits = &own;
    int rc = pcri_decoder_measure(t->decoder, t->file.data, t->file.nbytes, &o, &info, &nbytes,
                                  why);
    if (!rc)
        rc = pcri_memory_take(t, nbytes, why);
    return rc ? rc : pcri_decoder_judge(t->decoder, t->file.data, t->file.nbytes, &o, why);
}

/* Decodes a file that could not be coded, for the reason *why, to know that it is complete and
 * that readers can show it. The decoder has the last word: what it shows is not a bad
 * input. */
static int judge_whole(struct pcri_worker *t, struct pcr_error *why)
{
    struct pcr_error decoding;
    int rc = try_decoding(t, &decoding);
    if (!rc)
        return VERDICT_INTACT;
    if (why->code == PCR_ERR_UNSUPPORTED || pcri_is_ours(rc))
        *why = decoding;
    return pcri_is_ours(rc) ? rc : VERDICT_BAD;
}

/* Adds what restores the file, which is kept whole if that is too much. */
static int keep_original(struct pcri_worker *t, struct pcri_coded *coded,
                         struct pcr_error *why)
{
    int rc = pcri_coder_restore(t->coder, coded, why);
    if (!rc)
        return VERDICT_CODED;
    pcri_coded_free(coded);
    return rc == PCR_ERR_UNSUPPORTED ? VERDICT_WHOLE : rc;
}

/* Codes t->file if it can be, else says in *why what is wrong. Negative: not the input's
 * fault, and *why is the failure. */
static int judge(struct pcri_worker *t, struct pcri_coded *coded, struct pcr_error *why)
{
    const struct pcr_buffer *file = &t->file;
    if (!file->nbytes) {
        pcri_fail(why, PCR_ERR_TRUNCATED, "empty file");
        return VERDICT_MISSING;
    }
    int rc = pcri_coder_encode(t->coder, t->write->tables, file->data, file->nbytes, coded,
                               why);
    if (!rc)
        return t->write->originals ? keep_original(t, coded, why) : VERDICT_CODED;
    const char *format = pcri_decoder_format(file->data, file->nbytes);
    if (rc == PCR_ERR_FORMAT && format)
        rc = pcri_fail(why, PCR_ERR_UNSUPPORTED, "a %s file", format);
    if (rc == PCR_ERR_UNSUPPORTED || rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED)
        return judge_whole(t, why);
    return pcri_is_ours(rc) ? rc : VERDICT_BAD;
}

/* Notes of a bad file that is kept what it is, if it does not decode. */
static int note_undecodable(struct pcri_worker *t, struct pcri_coded *coded,
                            struct pcr_error *err)
{
    struct pcr_error why;
    int rc = try_decoding(t, &why);
    if (!rc)
        return 0;
    if (pcri_is_ours(rc))
        return pcri_hand_on(err, rc, &why);
    struct pcri_notes *notes = pcri_coded_notes(coded, err);
    if (!notes)
        return PCR_ERR_NOMEM;
    bool foreign = rc == PCR_ERR_FORMAT || rc == PCR_ERR_UNSUPPORTED;
    snprintf(notes->undecodable, sizeof(notes->undecodable), "%s%s",
             pcri_sniff(t->file.data, t->file.nbytes),
             foreign               ? ""
             : rc == PCR_ERR_LIMIT ? " beyond a limit"
                                   : ", damaged");
    return 0;
}

int pcri_sample_keep_whole(struct pcri_worker *t, bool bad, struct pcri_coded *coded,
                           struct pcr_error *err)
{
    const struct pcri_write *w = t->write;
    struct pcr_decode_options o = { .size = sizeof(o), .flags = PCR_DECODE_KEEP_ORIENTATION };
    struct pcr_image_info info = { .size = sizeof(info) };
    o.limits = w->opts.limits;
    /* A file that is not a known image has no size and no orientation. */
    int rc = pcr_decoder_inspect(t->decoder, t->file.data, t->file.nbytes, &o, &info, err);
    if (pcri_is_ours(rc))
        return rc;
    if (rc)
        info = (struct pcr_image_info) { .orientation = 1 };

    *coded = (struct pcri_coded) {
        .coding = PCRI_CODING_OPAQUE,
        .orientation = info.orientation,
        .width = info.width,
        .height = info.height,
        .source_nbytes = t->file.nbytes,
    };
    coded->pieces = pcri_calloc(w->piece_count, sizeof(*coded->pieces), err);
    rc = coded->pieces ? 0 : PCR_ERR_NOMEM;
    if (!rc && bad)
        rc = note_undecodable(t, coded, err);
    if (rc)
        return rc;
    coded->pieces[0].nbytes = (uint32_t) t->file.nbytes;
    coded->bytes = t->file;
    t->file = (struct pcr_buffer) { 0 };
    return 0;
}

/* Marks a sample as salvaged. */
static int mark_salvaged(struct pcri_slot *slot, const char *reason, struct pcr_error *err)
{
    struct pcri_notes *notes = pcri_coded_notes(&slot->coded, err);
    if (!notes)
        return PCR_ERR_NOMEM;
    snprintf(notes->salvaged, sizeof(notes->salvaged), "%.*s",
             (int) sizeof(notes->salvaged) - 1, reason);
    free(slot->attributes);
    return pcri_attributes_render(slot->sample.attributes, notes->salvaged, &slot->attributes,
                                  err);
}

/* A sample that cannot have the size that the options ask for is bad, the others are not. */
static int reduce(struct pcri_worker *t, struct pcri_slot *slot, struct pcr_error *why)
{
    int rc = pcri_sample_reduce(t, &slot->reduction, why);
    return rc == PCR_ERR_LIMIT ? VERDICT_BAD : rc;
}

/* Reduces and codes again what was salvaged, if the options want it smaller. */
static int reduce_salvaged(struct pcri_worker *t, struct pcri_slot *slot,
                           struct pcr_error *why)
{
    const uint32_t side = t->write->opts.max_side;
    const bool large = side && (slot->coded.width > side || slot->coded.height > side);
    struct pcr_span whole;
    if (!large && !t->write->opts.target_nbytes)
        return VERDICT_CODED;
    int verdict = pcri_coder_file(t->coder, &whole, why);
    struct pcr_buffer damaged = t->file;
    t->file = (struct pcr_buffer) { 0 };
    if (!verdict)
        verdict = pcri_buffer_append(&t->file, whole.data, whole.nbytes, why);
    if (!verdict)
        verdict = reduce(t, slot, why);
    const bool again = large || slot->reduction.made;
    if (verdict || again)
        pcri_coded_free(&slot->coded);
    if (!verdict && again)
        verdict = slot->reduction.made ? judge(t, &slot->coded, why) : VERDICT_BAD;
    pcr_buffer_free(&t->file);
    t->file = damaged;
    return verdict;
}

/* Codes as much of t->file, a damaged file, as decodes: VERDICT_CODED, or VERDICT_BAD if
 * nothing can be made of it. Negative: *why is the failure. */
static int salvage(struct pcri_worker *t, struct pcri_slot *slot, struct pcr_error *why)
{
    struct pcr_error failure = { .offset = PCR_NO_OFFSET };
    int rc = pcri_coder_salvage(t->coder, t->write->tables, t->file.data, t->file.nbytes,
                                &slot->coded, &failure);
    int verdict = !rc                ? reduce_salvaged(t, slot, &failure)
                  : pcri_is_ours(rc) ? rc
                                     : VERDICT_BAD;
    if (verdict == VERDICT_CODED) {
        slot->coded.source_nbytes = t->file.nbytes;
        rc = mark_salvaged(slot, why->message, &failure);
        verdict = rc ? rc : verdict;
    }
    if (verdict < 0)
        *why = failure;
    return verdict < 0 || verdict == VERDICT_CODED ? verdict : VERDICT_BAD;
}

static int note_whole(struct pcri_slot *slot, const struct pcr_error *why,
                      struct pcr_error *err)
{
    struct pcri_notes *notes = pcri_coded_notes(&slot->coded, err);
    if (!notes)
        return PCR_ERR_NOMEM;
    snprintf(notes->unrestorable, sizeof(notes->unrestorable), "%.*s",
             (int) sizeof(notes->unrestorable) - 1, why->message);
    return 0;
}

static int note_encoded(struct pcri_slot *slot, struct pcr_error *err)
{
    struct pcri_notes *notes = pcri_coded_notes(&slot->coded, err);
    if (!notes)
        return PCR_ERR_NOMEM;
    snprintf(notes->encoded, sizeof(notes->encoded), "%s", slot->reduction.picture);
    return 0;
}

/* Applies the policies to an input that cannot be coded. */
static int settle_bad(struct pcri_worker *t, int verdict, struct pcri_slot *slot,
                      const struct pcr_error *why, struct pcr_error *err)
{
    struct pcri_write *w = t->write;
    uint32_t policy = w->opts.bad_policy;
    const char *format = t->file.nbytes && verdict != VERDICT_MISSING
                             ? pcri_sniff(t->file.data, t->file.nbytes)
                             : NULL;
    bool intact = verdict == VERDICT_INTACT || verdict == VERDICT_WHOLE;
    bool keepable = verdict != VERDICT_MISSING && t->file.nbytes <= UINT32_MAX;

    if (intact && w->opts.opaque_policy == PCR_OPAQUE_KEEP && keepable) {
        int rc = pcri_sample_keep_whole(t, false, &slot->coded, err);
        return rc || verdict == VERDICT_INTACT ? rc : note_whole(slot, why, err);
    }
    if (policy == PCR_BAD_FAIL)
        return pcri_hand_on(err, why->code, why);
    int rc = pcri_write_bad(w, slot->sample.path ? slot->sample.path : slot->sample.key,
                            format, why, err);
    if (rc)
        return rc;
    if (policy == PCR_BAD_OPAQUE && keepable)
        return pcri_sample_keep_whole(t, true, &slot->coded, err);
    return pcri_skip_render(&slot->sample, format, NULL, why, &slot->skip, err);
}

static int try_to_load(struct pcri_worker *t, uint64_t index, struct pcr_error *why)
{
    const struct pcr_source *source = &t->write->source;
    uint64_t max_nbytes = t->write->opts.limits->max_sample_nbytes;
    for (uint32_t attempt = 0;; attempt++) {
        *why = (struct pcr_error) { .offset = PCR_NO_OFFSET };
        t->file.nbytes = 0;
        int rc = t->write->recode
                     ? pcri_recode_load(t, index, why)
                     : source->load(source->context, index, max_nbytes, &t->file, why);
        if (!rc)
            return 0;
        rc = pcri_settle(why, rc, "the source");
        if (!pcri_try_again(attempt, PCRI_TRIES_AGAIN, &rc, why))
            return rc;
    }
}

int pcri_sample_load(struct pcri_worker *t, uint64_t index, bool *lost, struct pcr_error *why)
{
    int rc = try_to_load(t, index, why);
    *lost = rc && pcri_source_is_lost(why);
    return rc;
}

static int pack_sample(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                       struct pcr_error *err)
{
    struct pcr_error why;
    const struct pcri_lost *before = pcri_lost_find(t->write, index);
    bool lost = before != NULL;
    int verdict = VERDICT_MISSING;
    if (lost)
        why = before->why;
    else
        verdict = pcri_sample_load(t, index, &lost, &why);
    if (!lost && !verdict)
        verdict = pcri_sample_load_blobs(t, index, slot, &lost, &why);
    if (lost) {
        verdict = VERDICT_MISSING;
    } else if (!verdict) {
        uint64_t source_nbytes = t->file.nbytes;
        if (t->write->identities && source_nbytes)
            slot->identity = pcri_file_identity(source_nbytes,
                                                pcri_check32(t->file.data, t->file.nbytes));
        verdict = reduce(t, slot, &why);
        bool exact = false;
        if (!verdict && !slot->reduction.made)
            verdict = pcri_exact_code(t, &slot->coded, &exact, &why);
        if (!verdict && !exact)
            verdict = judge(t, &slot->coded, &why);
        if (verdict == VERDICT_CODED)
            slot->coded.source_nbytes = source_nbytes;
        if (verdict == VERDICT_CODED && slot->reduction.picture)
            verdict = note_encoded(slot, &why);
    }
    if (verdict == VERDICT_BAD && t->write->opts.bad_policy == PCR_BAD_SALVAGE)
        verdict = salvage(t, slot, &why);
    if (verdict == VERDICT_CODED)
        return 0;
    if (verdict < 0)
        return pcri_sample_prefix(&slot->sample, pcri_hand_on(err, verdict, &why), err);
    int rc = settle_bad(t, verdict, slot, &why, err);
    return rc ? pcri_sample_prefix(&slot->sample, rc, err) : 0;
}

int pcri_sample_encode(struct pcri_worker *t, uint64_t index, struct pcri_slot *slot,
                       struct pcr_error *err)
{
    int rc = pack_sample(t, index, slot, err);
    if (!rc && !slot->skip && t->write->identities) /* each is one thread's */
        t->write->identities[index] = slot->identity;
    int given = pcri_worker_rest(t, rc ? NULL : err);
    return rc ? rc : given;
}
