/* SPDX-License-Identifier: BSD-2-Clause */
/* Verifying a record to the last byte, and on request to the last pixel. */
#include <stdlib.h>

#include <pcr/image.h>
#include <pcr/ladder.h>

#include "../image/judge.h"
#include "dataset.h"
#include "materialise.h"
#include "original.h"

struct verifier {
    const char *path; /* of the record, relative to the folder */
    const struct pcr_dataset *ds;
    struct pcri_record *record;
    struct pcr_verify_report report;
    struct pcr_buffer bytes[PCRI_MAX_GROUPS];
    uint8_t *bad;                         /* a flag for each sample */
    struct pcri_restore_column originals; /* of the tail */
    struct pcr_decoder *decoder;
    struct pcr_ladder *ladder;
    struct pcr_spans spans;
    struct pcr_buffer pixels;
    pcr_verify_callback callback;
    void *context;
    struct pcr_error *err; /* of the whole; findings have their own */
};

/* Reports a finding. A failure that says nothing of the record (no memory, no descriptor, a
 * disk that does not read) ends the work. */
static int find(struct verifier *v, uint32_t kind, const struct pcr_error *finding)
{
    if (!pcri_is_of_data(finding->code, finding)) {
        if (v->err)
            *v->err = *finding;
        return finding->code;
    }
    if (v->callback && v->callback(v->context, kind, v->path, v->report.record_count, finding))
        return pcri_fail(v->err, PCR_ERR_CANCELLED, "cancelled");
    return 0;
}

static int find_in_sample(struct verifier *v, uint32_t i, uint32_t kind,
                          struct pcr_error *finding)
{
    uint32_t n;
    const char *key = pcri_text(&v->record->head->keys, i, &n);
    pcri_prefix(finding, finding->code, "sample %s", key);
    if (!v->bad[i] && kind == PCR_VERIFY_UNDECODABLE)
        v->report.undecodable_samples++;
    else if (!v->bad[i])
        v->report.bad_samples++;
    v->bad[i] = 1;
    return find(v, kind, finding);
}

/* How many samples, from the first, have complete chunks in group k (from 0). */
static uint32_t whole_samples(const struct verifier *v, uint32_t k)
{
    const struct pcri_head *h = v->record->head;
    uint32_t n = h->sample_count;
    while (n && h->group_begin[k] + pcri_chunk_offset(h, k, n) > v->record->file->nbytes)
        n--;
    return n;
}

/* Reads group k (from 0) and checks it as a whole and chunk by chunk. */
static int verify_group(struct verifier *v, uint32_t k, bool *damaged)
{
    const struct pcri_head *h = v->record->head;
    struct pcr_error finding;
    uint32_t count = whole_samples(v, k);
    int rc = pcri_record_read_group(v->record, 0, count, k, &v->bytes[k], &finding);
    if (rc) {
        *damaged |= pcri_is_of_data(rc, &finding);
        memset(v->bad, 1, h->sample_count); /* so that none of them is decoded */
        return find(v, PCR_VERIFY_DAMAGE, &finding);
    }
    if (count == h->sample_count &&
        pcri_record_check_group(v->record, k, v->bytes[k].data, &finding)) {
        *damaged = true;
        if ((rc = find(v, PCR_VERIFY_DAMAGE, &finding)))
            return rc;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *chunk = v->bytes[k].data + pcri_chunk_offset(h, k, i);
        if (pcri_record_check_chunk(v->record, k, i, chunk, &finding) &&
            (rc = find_in_sample(v, i, PCR_VERIFY_DAMAGE, &finding)))
            return rc;
    }
    return 0;
}

/* A file that was cut off, or has bytes after its end, is one finding, and what is there is
 * verified. A sample that has bytes after a cut is a bad one. */
static int verify_end(struct verifier *v, bool *damaged)
{
    const struct pcri_head *h = v->record->head;
    struct pcr_error finding;
    if (!pcri_record_check_nbytes(v->record, &finding))
        return 0;
    *damaged = true;
    for (uint32_t k = 0; k < h->group_count; k++)
        for (uint32_t i = whole_samples(v, k); i < h->sample_count; i++)
            v->bad[i] |= pcri_chunk_nbytes(h, k, i) != 0;
    for (uint32_t i = 0; i < h->sample_count; i++)
        v->report.bad_samples += v->bad[i];
    return find(v, PCR_VERIFY_DAMAGE, &finding);
}

/* They are unpacked only when somebody asks for them. */
static int verify_attributes(struct verifier *v, bool *damaged)
{
    const struct pcri_attributes *a = v->record->head->attributes;
    const struct pcri_values *values;
    struct pcr_buffer text = { 0 };
    int rc = 0;
    for (uint32_t c = 0; a && c < a->count && !rc; c++) {
        struct pcr_error finding;
        int bad = pcri_attribute_values(a, c, &values, &finding);
        for (uint32_t i = 0;
             i < a->sample_count && !bad && a->columns[c].type.element == PCR_ELEMENT_JSON;
             i++)
            bad = pcri_attributes_text(a, i, &text, &finding);
        if (!bad)
            continue;
        *damaged |= pcri_is_of_data(bad, &finding);
        rc = find(v, PCR_VERIFY_DAMAGE, &finding);
        break;
    }
    pcr_buffer_free(&text);
    return rc;
}

static int verify_blobs(struct verifier *v, bool *damaged)
{
    const struct pcri_blobs *b = v->record->head->blobs;
    const size_t cells = b ? (size_t) b->sample_count * b->count : 0;
    struct pcr_buffer bytes = { 0 };
    int rc = 0;
    for (size_t cell = 0; cell < cells && !rc; cell++) {
        struct pcr_error finding;
        if (!b->present[cell] ||
            !pcri_record_read_blob(v->record, cell, &v->ds->limits, &bytes, &finding))
            continue;
        *damaged |= pcri_is_of_data(finding.code, &finding);
        pcri_prefix(&finding, finding.code, "blob %.100s", b->names[cell % b->count]);
        rc = find_in_sample(v, (uint32_t) (cell / b->count), PCR_VERIFY_DAMAGE, &finding);
    }
    pcr_buffer_free(&bytes);
    return rc;
}

static int verify_tail(struct verifier *v, bool *damaged)
{
    struct pcri_note_counts notes = { 0 };
    struct pcr_error finding;
    int rc = pcri_record_notes(v->record, &v->ds->limits, &notes, NULL, &finding);
    if (!rc)
        rc = pcri_restore_column_read(v->record, &v->ds->limits, &v->originals, &finding);
    if (!rc)
        return 0;
    *damaged |= pcri_is_of_data(rc, &finding);
    return find(v, PCR_VERIFY_DAMAGE, &finding);
}

/* Of what was kept whole no fidelity but this exists, and nobody wants to see it. */
static bool decodes_whole(struct verifier *v, uint32_t i, struct pcr_error *finding)
{
    const struct pcri_head *h = v->record->head;
    const struct pcr_decode_options opts = { .size = sizeof(opts), .limits = &v->ds->limits };
    const uint8_t *file = v->bytes[0].data + pcri_chunk_offset(h, 0, i);
    return !pcri_decoder_judge(v->decoder, file, (size_t) pcri_chunk_nbytes(h, 0, i), &opts,
                               finding);
}

/* Decodes sample i from fidelity g - 1, which was decoded last, to g; or from nothing. */
static bool decodes(struct verifier *v, uint32_t i, uint32_t g, bool fresh,
                    struct pcr_error *finding)
{
    const struct pcri_head *h = v->record->head;
    const struct pcr_decode_options opts = { .size = sizeof(opts),
                                             .limits = &v->ds->limits,
                                             .ladder = v->ladder };
    const uint8_t *chunks[PCRI_MAX_GROUPS];
    for (uint32_t k = 0; k < g; k++)
        chunks[k] = v->bytes[k].data + pcri_chunk_offset(h, k, i);
    int rc = pcri_known_spans(h, i, fresh ? 0 : g - 1, g, chunks, &v->spans, finding);
    if (!rc && fresh)
        rc = pcr_decoder_decode_spans(v->decoder, &v->spans, &opts, &v->pixels, NULL, finding);
    else if (!rc)
        rc = pcr_decoder_continue(v->decoder, &v->spans, &v->pixels, NULL, finding);
    if (rc)
        pcri_prefix(finding, rc, "fidelity %u", g);
    return !rc;
}

/* Decodes each sample whose chunks are intact, at each fidelity. The highest is decoded from
 * nothing: its header has metadata that the others' lack. */
static int verify_pixels(struct verifier *v, bool *damaged)
{
    const struct pcri_head *h = v->record->head;
    const char *ladder = pcr_dataset_ladder(v->ds);
    struct pcr_error bad;
    int rc = pcr_decoder_create(&v->decoder, v->err);
    if (!rc && *ladder && pcr_ladder_parse(ladder, strlen(ladder), &v->ladder, &bad)) {
        *damaged = true;
        pcri_prefix(&bad, bad.code, "ladder");
        rc = find(v, PCR_VERIFY_DAMAGE, &bad);
    }
    for (uint32_t i = 0; !rc && i < h->sample_count; i++) {
        /* An opaque sample whose chunk verifies is what was kept, whatever that is. */
        bool opaque = h->coding[i] == PCR_CODING_OPAQUE;
        uint32_t kind = opaque ? PCR_VERIFY_UNDECODABLE : PCR_VERIFY_DAMAGE;
        uint32_t first = opaque ? h->group_count : 1;
        for (uint32_t g = first; !rc && !v->bad[i] && g <= h->group_count; g++) {
            struct pcr_error finding;
            if (opaque ? !decodes_whole(v, i, &finding)
                       : !decodes(v, i, g, g == first || g == h->group_count, &finding))
                rc = find_in_sample(
                    v, i, finding.code == PCR_ERR_LIMIT ? PCR_VERIFY_UNDECODABLE : kind,
                    &finding);
        }
    }
    return rc;
}

/* Restores the file of each sample whose chunks are intact, by what the tail has. */
static int verify_originals(struct verifier *v)
{
    const struct pcri_head *h = v->record->head;
    const uint8_t *chunks[PCRI_MAX_GROUPS];
    struct pcr_error finding;
    int rc = v->decoder ? 0 : pcr_decoder_create(&v->decoder, v->err);
    for (uint32_t i = 0; i < h->sample_count && !rc; i++) {
        int restored = 0;
        if (v->bad[i])
            continue;
        for (uint32_t k = 0; k < h->group_count; k++)
            chunks[k] = v->bytes[k].data + pcri_chunk_offset(h, k, i);
        if (h->coding[i] != PCR_CODING_OPAQUE)
            restored = pcri_restore_file(h, i, &v->originals, chunks, &v->ds->limits,
                                         v->decoder, &v->pixels, &finding);
        if (restored && restored != PCR_ERR_UNSUPPORTED)
            rc = find_in_sample(v, i, PCR_VERIFY_DAMAGE, &finding);
        v->report.restored_samples += !restored;
    }
    return rc;
}

static int verify_open_record(struct verifier *v, uint32_t flags)
{
    const struct pcri_head *h = v->record->head;
    bool damaged = false;
    v->bad = pcri_calloc(h->sample_count, 1, v->err);
    int rc = v->bad ? verify_end(v, &damaged) : PCR_ERR_NOMEM;
    for (uint32_t k = 0; !rc && k < h->group_count; k++) {
        rc = verify_group(v, k, &damaged);
        if (!flags)
            pcr_buffer_free(&v->bytes[k]);
    }
    if (!rc)
        rc = verify_attributes(v, &damaged);
    if (!rc)
        rc = verify_blobs(v, &damaged);
    if (!rc && pcri_record_check_nbytes(v->record, NULL) != PCR_ERR_TRUNCATED)
        rc = verify_tail(v, &damaged);
    if (!rc && flags & PCR_VERIFY_DEEP)
        rc = verify_pixels(v, &damaged);
    if (!rc && flags & PCR_VERIFY_ORIGINALS)
        rc = verify_originals(v);
    v->report.sample_count += h->sample_count;
    v->report.bad_records += damaged;
    return rc;
}

static int verify(struct verifier *v, uint64_t number, uint32_t flags)
{
    struct pcr_error finding;
    /* Checksums are compared here even if the dataset was opened without. */
    int rc = pcri_dataset_open_record(v->ds, number, PCRI_PARSE_ANY_END, &v->record, &finding);
    v->report.record_count++;
    if (rc) {
        v->report.bad_records += pcri_is_of_data(rc, &finding);
        rc = find(v, PCR_VERIFY_DAMAGE, &finding);
    } else {
        rc = verify_open_record(v, flags);
    }
    if (!rc && v->callback &&
        v->callback(v->context, PCR_VERIFY_PROGRESS, v->path, v->report.record_count, NULL))
        rc = pcri_fail(v->err, PCR_ERR_CANCELLED, "cancelled");
    return rc;
}

int pcr_dataset_verify_record(struct pcr_dataset *ds, uint64_t record, uint32_t flags,
                              struct pcr_verify_report *report, pcr_verify_callback callback,
                              void *context, struct pcr_error *err)
{
    struct pcr_record_info info = { .size = sizeof(info) };
    struct verifier v = { .ds = ds, .callback = callback, .context = context, .err = err };
    int rc = pcr_dataset_record(ds, record, &info, err);
    if (!rc)
        rc = pcri_flags_check("pcr_dataset_verify_record", flags,
                              PCR_VERIFY_DEEP | PCR_VERIFY_ORIGINALS, err);
    if (rc)
        return rc;
    if (!report)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "the pointer to struct pcr_verify_report is NULL");
    if ((rc = pcri_info_check(report, "pcr_verify_report", err)))
        return rc;
    memcpy(&v.report, report,
           report->size < sizeof(v.report) ? report->size : sizeof(v.report));
    v.path = info.path;
    rc = verify(&v, record, flags);

    pcri_info_fill(report, &v.report, sizeof(v.report));
    for (uint32_t k = 0; k < PCRI_MAX_GROUPS; k++)
        pcr_buffer_free(&v.bytes[k]);
    pcr_ladder_destroy(&v.ladder);
    pcr_spans_free(&v.spans);
    pcr_buffer_free(&v.pixels);
    pcri_restore_column_free(&v.originals);
    pcr_decoder_destroy(&v.decoder);
    pcri_record_close(&v.record);
    free(v.bad);
    return rc;
}
