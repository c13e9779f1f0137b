/* SPDX-License-Identifier: BSD-2-Clause */
/* Packing a JPEG file: its coefficients by coding 2, or as scans where those are smaller, then the
 * proof that nothing was lost. */
#include <stdlib.h>

#include <pcr/dataset.h>

#include "../jpeg/original.h"
#include "../jpeg/scan_file.h"
#include "coding.h"
#include "image.h"
#include "shared_tables.h"
#include "survey.h"

enum {
    SMALL_BLOCKS = 512,   /* pictures of fewer are coded as scans, too: the smaller is kept */
    SURVEY_BLOCKS = 8192, /* of larger ones so many, evenly over their height, are counted */
};

struct packed_coder {
    struct pcri_coder base;
    struct pcri_original original;
    const struct pcri_pk_tables *builtin, *tables; /* tables: of the image at hand */
    struct pcr_span brought;                       /* the segment that brings these; or none */
    struct pcri_pk_encoder encoder;
    struct pcri_pk_counts *counts; /* of a survey; NULL until then */
    struct pcr_buffer chunks[PCRI_LADDER_MAX_GROUPS];
    struct pcri_coder *scans;        /* for small pictures; NULL until then */
    void *proof;                     /* state of pcri_pk_block_decoder, and */
    struct pcr_spans spans;          /* what it decodes */
    struct pcr_buffer marks, params; /* segments */
    struct pcr_buffer whole;         /* what was packed last, as a file */
    bool is_scans;                   /* what was packed last */
};

static void destroy(struct pcri_coder *coder)
{
    struct packed_coder *c = (struct packed_coder *) coder;
    pcri_original_free(&c->original);
    pcri_pk_encoder_free(&c->encoder);
    pcri_pk_counts_destroy(&c->counts);
    for (uint32_t g = 0; g < PCRI_LADDER_MAX_GROUPS; g++)
        pcr_buffer_free(&c->chunks[g]);
    pcri_coder_destroy(&c->scans);
    pcri_pk_block_decoder.destroy(c->proof);
    pcr_spans_free(&c->spans);
    pcr_buffer_free(&c->marks);
    pcr_buffer_free(&c->params);
    pcr_buffer_free(&c->whole);
    free(c);
}

static int create(struct pcri_coder **out, const struct pcr_ladder *ladder,
                  const struct pcr_limits *limits, const struct pcri_coder_memory *memory,
                  struct pcr_error *err)
{
    struct packed_coder *c = pcri_calloc(1, sizeof(*c), err);
    if (!c)
        return PCR_ERR_NOMEM;
    pcri_original_init(&c->original, ladder, limits, memory);
    int rc = pcri_pk_builtin_shared(true, &c->builtin, err);
    if (!rc)
        rc = pcri_pk_block_decoder.create(&c->proof, err);
    if (!rc)
        *out = &c->base;
    else
        destroy(&c->base);
    return rc;
}

/* --- packing what was loaded --- */

static int describe(struct packed_coder *c, struct pcri_coded *p, struct pcr_error *err)
{
    struct pcr_buffer text = { 0 };
    c->marks.nbytes = 0;
    int rc = pcri_pk_segment_append(&c->marks, PCRI_PK_MARK, NULL, 0, err);
    size_t first = c->marks.nbytes;
    if (!rc)
        rc = pcri_ladder_script_text(c->original.ladder, c->original.script, &text, err);
    if (!rc)
        rc = pcri_pk_segment_append(&c->marks, PCRI_PK_LADDER, text.data, text.nbytes, err);
    const struct pcri_marks marks = {
        c->brought.data ? 3 : 2,
        { { c->marks.data, first },
          { c->marks.data + first, c->marks.nbytes - first },
          c->brought },
    };
    if (!rc)
        rc = pcri_original_describe(&c->original, &marks, p, err);
    pcr_buffer_free(&text);
    return rc;
}

static int encode_chunks(struct packed_coder *c, struct pcr_error *err)
{
    const struct pcri_original *o = &c->original;
    const struct pcri_pk_params params = pcri_pk_params_choose(&o->file, c->tables);
    struct pcr_buffer bytes = { 0 };
    for (uint32_t g = 0; g < o->ladder->group_count; g++)
        c->chunks[g].nbytes = 0;
    int rc = pcri_pk_encode(&c->encoder, &o->coefs, &o->file, &o->ladder->scripts[o->script],
                            o->ladder->group_count, c->tables, &params, c->chunks, err);
    c->params.nbytes = 0;
    if (!rc)
        rc = pcri_pk_params_print(&params, &bytes, err);
    if (!rc)
        rc = pcri_pk_segment_append(&c->params, PCRI_PK_PARAMS, bytes.data, bytes.nbytes, err);
    pcr_buffer_free(&bytes);
    return rc;
}

/* A group's chunk is its first piece; the header ends with the string of the first of all. */
static int add_pieces(const struct packed_coder *c, struct pcri_coded *p,
                      struct pcr_error *err)
{
    const struct pcr_ladder *l = c->original.ladder;
    uint32_t at = 0;
    p->pieces = pcri_calloc(pcri_ladder_piece_total(l), sizeof(*p->pieces), err);
    int rc = p->pieces ? pcri_buffer_append(&p->strings, c->params.data, c->params.nbytes, err)
                       : PCR_ERR_NOMEM;
    for (uint32_t g = 0; !rc && g < l->group_count; at += l->piece_counts[g++]) {
        const struct pcr_buffer *chunk = &c->chunks[g];
        if (chunk->nbytes > UINT32_MAX / 4)
            return pcri_fail(err, PCR_ERR_LIMIT, "a group of more than 1 GiB");
        p->pieces[at].nbytes = (uint32_t) chunk->nbytes;
        rc = pcri_buffer_append(&p->bytes, chunk->data, chunk->nbytes, err);
    }
    if (!rc)
        p->pieces[0].string_nbytes = (uint32_t) c->params.nbytes;
    return rc;
}

/* The spans as a reader gets them. */
static int list_spans(struct packed_coder *c, const struct pcri_coded *p,
                      struct pcr_error *err)
{
    const uint8_t *string = p->strings.data, *bytes = p->bytes.data;
    const struct pcr_ladder *l = c->original.ladder;
    uint32_t at = 0;
    int rc = 0;
    c->spans.count = 0;
    for (uint32_t i = 0; !rc && i < p->item_count; string += p->items[i++].nbytes)
        rc = pcri_spans_add(&c->spans, string, p->items[i].nbytes, err);
    if (!rc)
        rc = pcri_spans_add(&c->spans, string, p->pieces[0].string_nbytes, err);
    for (uint32_t g = 0; !rc && g < l->group_count; at += l->piece_counts[g++]) {
        rc = pcri_spans_add(&c->spans, bytes, p->pieces[at].nbytes, err);
        bytes += p->pieces[at].nbytes;
    }
    return rc;
}

/* What was packed is decoded as readers do, the source was by libjpeg. */
static int prove(struct packed_coder *c, const struct pcri_coded *p, struct pcr_error *err)
{
    const struct pcri_block_decoder *d = &pcri_pk_block_decoder;
    const struct pcri_block_source *source;
    int rc = list_spans(c, p, err);
    if (!rc)
        rc = d->begin(c->proof, &c->spans, &c->original.limits, c->original.ladder, &source,
                      err);
    if (!rc)
        rc = d->run(c->proof, err);
    if (!rc)
        rc = pcri_original_compare(&c->original, source, "what was packed", err);
    if (!rc)
        rc = d->finish(c->proof, err);
    return rc && rc != PCR_ERR_NOMEM ? pcri_prefix(err, rc, "packed") : rc;
}

/* Are there too few bytes for readers to believe? Of a picture of nothing, as good as. */
static bool is_sparse(const struct packed_coder *c)
{
    return pcri_block_count(&c->original.file) >
           (uint64_t) PCRI_PK_BLOCKS_A_BYTE * c->chunks[0].nbytes;
}

/* PCR_END: it cannot be held so. */
static int pack_loaded(struct packed_coder *c, struct pcri_coded *out, struct pcr_error *err)
{
    struct pcri_coded p = { .coding = PCR_CODING_PACKED };
    c->is_scans = false;
    int rc = describe(c, &p, err);
    if (!rc)
        rc = encode_chunks(c, err);
    if (!rc)
        rc = add_pieces(c, &p, err);
    if (!rc && is_sparse(c))
        rc = PCR_END;
    if (!rc)
        rc = prove(c, &p, err);
    if (!rc)
        rc = pcri_original_measure(&c->original, &p, err);
    if (rc)
        pcri_coded_free(&p);
    else
        *out = p;
    return rc;
}

/* --- pictures that become scans --- */

/* Makes scans of the picture, and keeps what has fewer bytes: *p, or these where there is no *p. */
static int choose(struct packed_coder *c, const void *data, size_t nbytes, bool salvage,
                  struct pcri_coded *p, struct pcr_error *err)
{
    struct pcri_coded scans = { 0 };
    int rc = 0;
    if (!p->pieces)
        pcri_coefs_free(&c->original.coefs); /* of any size, and loaded once more */
    if (!c->scans)
        rc = pcri_coder_create(&pcri_coding_scans, c->original.ladder, &c->original.limits,
                               &c->original.memory, &c->scans, err);
    if (!rc)
        c->scans->restorable = c->base.restorable;
    if (!rc)
        rc = salvage ? pcri_coder_salvage(c->scans, NULL, data, nbytes, &scans, err)
                     : pcri_coder_encode(c->scans, NULL, data, nbytes, &scans, err);
    if (rc)
        return rc;
    c->is_scans = !p->pieces || scans.bytes.nbytes < p->bytes.nbytes;
    if (c->is_scans) {
        struct pcri_coded packed = *p;
        *p = scans;
        scans = packed;
    }
    pcri_coded_free(&scans);
    return 0;
}

static void choose_tables(struct packed_coder *c, const struct pcri_coder_tables *tables)
{
    const struct pcri_pk_dataset_tables *t = (const struct pcri_pk_dataset_tables *) tables;
    const bool trained = t && t->tables;
    c->tables = trained ? t->tables : c->builtin;
    c->brought = trained ? (struct pcr_span) { t->segment.data, t->segment.nbytes }
                         : (struct pcr_span) { NULL, 0 };
}

static int encode_file(struct pcri_coder *coder, const struct pcri_coder_tables *tables,
                       const void *data, size_t nbytes, bool salvage, struct pcri_coded *out,
                       struct pcr_error *err)
{
    struct packed_coder *c = (struct packed_coder *) coder;
    struct pcri_coded p = { 0 };
    choose_tables(c, tables);
    c->original.restorable = coder->restorable;
    int rc = pcri_original_load(&c->original, data, nbytes, salvage, err);
    if (!rc)
        rc = pack_loaded(c, &p, err);
    if (rc && rc != PCR_END)
        return rc;
    rc = rc || pcri_block_count(&c->original.file) < SMALL_BLOCKS
             ? choose(c, data, nbytes, salvage, &p, err)
             : 0;
    if (rc)
        pcri_coded_free(&p);
    else
        *out = p;
    return rc;
}

/* Out of the coefficients that are still there. */
static int file(struct pcri_coder *coder, struct pcr_span *out, struct pcr_error *err)
{
    struct packed_coder *c = (struct packed_coder *) coder;
    const struct pcri_original *o = &c->original;
    struct pcri_coded header = { 0 };
    if (c->is_scans)
        return pcri_coder_file(c->scans, out, err);
    c->whole.nbytes = 0;
    int rc = pcri_original_describe(o, NULL, &header, err);
    if (!rc)
        rc = pcri_buffer_append(&c->whole, header.strings.data, header.strings.nbytes, err);
    if (!rc)
        rc = pcri_scans_append(&o->coefs, &o->file, &o->ladder->scripts[o->script],
                               o->ladder->group_count, &c->whole, err);
    pcri_coded_free(&header);
    *out = (struct pcr_span) { c->whole.data, c->whole.nbytes };
    return rc;
}

static int restore(struct pcri_coder *coder, struct pcri_coded *coded, struct pcr_error *err)
{
    struct packed_coder *c = (struct packed_coder *) coder;
    return c->is_scans ? pcri_coder_restore(c->scans, coded, err)
                       : pcri_original_restore(&c->original, coded, err);
}

static int survey(struct pcri_coder *coder, const void *data, size_t nbytes,
                  struct pcri_coder_stats **out, struct pcr_error *err)
{
    struct packed_coder *c = (struct packed_coder *) coder;
    const struct pcri_original *o = &c->original;
    int rc = c->counts ? 0 : pcri_pk_counts_create(&c->counts, err);
    c->is_scans = false;
    c->original.restorable = coder->restorable;
    if (!rc)
        rc = pcri_original_load(&c->original, data, nbytes, false, err);
    if (rc)
        return rc;
    c->encoder.count_every = (uint32_t) (pcri_block_count(&o->file) / SURVEY_BLOCKS + 1);
    rc = pcri_pk_count(&c->encoder, &o->coefs, &o->file, &o->ladder->scripts[o->script],
                       o->ladder->group_count, c->counts, err);
    if (rc)
        pcri_pk_counts_destroy(&c->counts); /* half an image */
    return rc ? rc : pcri_pk_stats_take(c->counts, out, err);
}

const struct pcri_encoder pcri_pk_encoder_functions = {
    .create = create,
    .destroy = destroy,
    .stats_destroy = pcri_pk_stats_destroy,
    .tables_destroy = pcri_pk_dataset_tables_destroy,
    .survey = survey,
    .train = pcri_pk_dataset_train,
    .encode = encode_file,
    .file = file,
    .restore = restore,
};
