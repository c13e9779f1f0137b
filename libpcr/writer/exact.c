/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures of other formats than JPEG as exact ones: the coding of a JPEG, and in the last group a
 * residual that makes its pixels those of the file. */
#include "../residual/residual.h"
#include "write.h"

enum {
    HEAD_NBYTES = 64
}; /* about what a coded sample takes in the head, and an opaque one does not */

static const uint8_t mark[PCRI_RS_MARK_NBYTES] = PCRI_RS_MARK;

/* The first piece of the last group. */
static uint32_t last_piece(const struct pcri_write *w)
{
    return w->piece_count - w->piece_counts[w->group_count - 1];
}

int pcri_exact_attach(const struct pcri_write *w, const struct pcri_exact *e,
                      struct pcri_coded *coded, struct pcr_error *err)
{
    struct pcri_piece *last = coded->pieces + last_piece(w);
    if (e->residual.nbytes > UINT32_MAX / 4)
        return pcri_fail(err, PCR_ERR_LIMIT, "a residual of more than 1 GiB");
    coded->bytes.nbytes -= last->nbytes; /* of a group without scans: nothing, or next to it */
    last->nbytes = (uint32_t) e->residual.nbytes;
    last->string_nbytes = sizeof(mark);
    int rc = pcri_buffer_append(&coded->strings, mark, sizeof(mark), err);
    if (!rc)
        rc = pcri_buffer_append(&coded->bytes, e->residual.data, e->residual.nbytes, err);
    coded->exact = true;
    /* Profile and orientation are all there is, and JPEGs of lower fidelities have them, too. */
    for (uint32_t i = 0; i < coded->item_count; i++)
        coded->items[i].kind = PCRI_ITEM_NEEDED;
    if (!rc && coded->quality)
        pcri_exact_qualities(e, w->group_count - 1, coded->quality);
    return rc;
}

/* The spans as a reader gets them. */
static int list_spans(const struct pcri_write *w, const struct pcri_coded *p,
                      struct pcr_spans *out, struct pcr_error *err)
{
    const uint8_t *string = p->strings.data, *bytes = p->bytes.data;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < p->item_count; string += p->items[i++].nbytes)
        rc = pcri_spans_add(out, string, p->items[i].nbytes, err);
    for (uint32_t i = 0; !rc && i < w->piece_count; i++) {
        const struct pcri_piece *piece = &p->pieces[i];
        rc = pcri_spans_add(out, string, piece->string_nbytes, err);
        if (!rc)
            rc = pcri_spans_add(out, bytes, piece->nbytes, err);
        string += piece->string_nbytes;
        bytes += piece->nbytes;
    }
    return rc;
}

static int prove(struct pcri_worker *t, const struct pcri_coded *coded, struct pcr_error *err)
{
    struct pcr_spans spans = { 0 };
    int rc = list_spans(t->write, coded, &spans, err);
    if (!rc)
        rc = pcri_exact_prove(t->decoder, &spans, t->write->opts.limits, &t->exact, err);
    pcr_spans_free(&spans);
    return rc;
}

/* Makes t->exact of t->file. PCR_END: it is not such a file. */
static int make(struct pcri_worker *t, struct pcr_error *err)
{
    const struct pcr_write_options *opts = &t->write->opts;
    struct pcr_decode_options o = { .size = sizeof(o), .limits = opts->limits };
    struct pcr_image_info info = { .size = sizeof(info) };
    uint64_t nbytes;
    if (opts->pictures != PCR_PICTURES_PROGRESSIVE ||
        !pcri_decoder_format(t->file.data, t->file.nbytes))
        return PCR_END;
    int rc = pcri_decoder_measure(t->decoder, t->file.data, t->file.nbytes, &o, &info, &nbytes,
                                  err);
    if (!rc)
        rc = pcri_memory_take(t, nbytes + pcri_exact_held(info.width, info.height), err);
    return rc ? rc
              : pcri_exact_make(t->decoder, &t->file, opts->quality, opts->limits, &t->exact,
                                err);
}

int pcri_exact_code(struct pcri_worker *t, struct pcri_coded *coded, bool *made,
                    struct pcr_error *err)
{
    struct pcri_coded p = { 0 };
    struct pcr_error why; /* it is kept whole, or judged as it is */
    int rc = make(t, &why);
    if (!rc)
        rc = pcri_coder_encode(t->coder, t->write->tables, t->exact.jpeg.data,
                               t->exact.jpeg.nbytes, &p, &why);
    if (!rc)
        rc = pcri_exact_attach(t->write, &t->exact, &p, &why);
    if (!rc && p.bytes.nbytes + HEAD_NBYTES >= t->file.nbytes)
        rc = PCR_END;
    if (!rc)
        rc = prove(t, &p, &why);
    *made = !rc;
    if (*made)
        *coded = p;
    else
        pcri_coded_free(&p);
    return pcri_is_ours(rc) ? pcri_hand_on(err, rc, &why) : 0;
}

int pcri_exact_to_jpeg(struct pcri_worker *t, struct pcr_error *err)
{
    struct pcr_error why;
    int rc = make(t, &why);
    if (rc)
        return pcri_is_ours(rc) ? pcri_hand_on(err, rc, &why) : 0;
    const struct pcr_buffer file = t->file;
    t->file = t->exact.jpeg;
    t->exact.jpeg = file;
    return 0;
}
