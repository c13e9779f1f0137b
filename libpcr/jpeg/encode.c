/* SPDX-License-Identifier: BSD-2-Clause */
/* Packing a JPEG file as scans: each scan of its script with the cheaper of its own and the
 * shared tables, then the proof that nothing was lost. */
#include <stdlib.h>

#include <pcr/dataset.h>

#include "ladder_scans.h"
#include "original.h"
#include "encode.h"
#include "tables.h"

struct scans_coder {
    struct pcri_coder base;
    struct pcri_original original;
    struct pcri_symbols symbols;
    struct pcr_buffer whole; /* for the proof: the materialised file */
};

static int create(struct pcri_coder **out, const struct pcr_ladder *ladder,
                  const struct pcr_limits *limits, const struct pcri_coder_memory *memory,
                  struct pcr_error *err)
{
    struct scans_coder *c = pcri_calloc(1, sizeof(*c), err);
    if (!c)
        return PCR_ERR_NOMEM;
    pcri_original_init(&c->original, ladder, limits, memory);
    *out = &c->base;
    return 0;
}

static void destroy(struct pcri_coder *coder)
{
    struct scans_coder *c = (struct scans_coder *) coder;
    pcri_original_free(&c->original);
    pcri_symbols_free(&c->symbols);
    pcr_buffer_free(&c->whole);
    free(c);
}

/* --- scans --- */

struct choice {
    const struct pcri_huffman *tables; /* two of them */
    struct pcri_huffman own[2];
    bool shared;
};

/* The tables under which the scan takes the fewest bytes. */
static void choose_tables(const struct scans_coder *c, const struct pcri_slot_tables *shared,
                          const struct pcri_scan *scan, struct choice *out)
{
    const struct pcri_symbols *s = &c->symbols;
    uint64_t best = 0;
    for (int t = 0; t < 2; t++) {
        out->own[t].value_count = 0;
        if (!pcri_scan_uses(scan, t)) {
            memset(&out->own[t], 0, sizeof(out->own[t]));
            continue;
        }
        pcri_huffman_build(s->counts[t], &out->own[t]);
        best += pcri_huffman_cost(&out->own[t], s->counts[t]);
    }
    size_t dht = pcri_scan_dht_nbytes(scan, out->own);
    best += 8 * (uint64_t) (dht + 10); /* and the SOS segment */
    out->tables = out->own;
    /* Without a table (DC refinement) only the SOS segment is shared. */
    out->shared = dht == 0;

    for (uint32_t i = 0; dht && shared && i < shared->count; i++) {
        uint64_t bits = 0;
        for (int t = 0; t < 2 && bits != UINT64_MAX; t++) {
            uint64_t b = pcri_huffman_cost(&shared->sets[i].tables[t], s->counts[t]);
            bits = b == UINT64_MAX ? b : bits + b;
        }
        if (bits < best) {
            best = bits;
            out->tables = shared->sets[i].tables;
            out->shared = true;
        }
    }
}

/* `first`: the first scan of its piece, whose head may be in the dictionary. */
static int pack_scan(struct scans_coder *c, const struct pcri_slot_tables *shared,
                     const struct pcri_scan *scan, bool first, struct pcri_piece *piece,
                     struct pcri_coded *out, struct pcr_error *err)
{
    struct choice choice;
    int rc = pcri_scan_symbols(&c->original.coefs, &c->original.file, scan, &c->symbols, err);
    if (rc)
        return rc;
    choose_tables(c, first ? shared : NULL, scan, &choice);
    bool in_string = first && choice.shared;
    struct pcr_buffer *head = in_string ? &out->strings : &out->bytes;
    size_t strings_before = out->strings.nbytes, bytes_before = out->bytes.nbytes;
    rc = pcri_scan_head(scan, &c->original.file, choice.tables, head, err);
    if (!rc)
        rc = pcri_scan_write(&c->symbols, choice.tables, false, &out->bytes, err);
    if (!rc && out->bytes.nbytes - bytes_before > UINT32_MAX / 4)
        rc = pcri_fail(err, PCR_ERR_LIMIT, "a scan of more than 1 GiB");
    piece->string_nbytes += (uint32_t) (out->strings.nbytes - strings_before);
    piece->nbytes += (uint32_t) (out->bytes.nbytes - bytes_before);
    return rc;
}

static int pack_line(struct scans_coder *c, const struct pcri_slot_tables *shared,
                     const struct pcri_ladder_scan *line, struct pcri_piece *pieces,
                     struct pcri_coded *out, struct pcr_error *err)
{
    struct pcri_line_scans ls;
    pcri_line_scans(&c->original.file, line, &ls);
    int rc = 0;
    for (uint32_t i = 0; !rc && i < ls.count; i++) {
        struct pcri_piece *piece = &pieces[line->first_piece + ls.piece[i]];
        bool first = !piece->nbytes && !piece->string_nbytes;
        rc = pack_scan(c, shared, &ls.scans[i], first, piece, out, err);
    }
    return rc;
}

static int pack_scans(struct scans_coder *c, const struct pcri_scan_tables *tables,
                      struct pcri_coded *out, struct pcr_error *err)
{
    const struct pcr_ladder *l = c->original.ladder;
    const struct pcri_script *script = &l->scripts[out->script];
    uint32_t first[PCRI_LADDER_MAX_GROUPS + 1] = { 0 };
    for (uint32_t g = 0; g < l->group_count; g++)
        first[g + 1] = first[g] + l->piece_counts[g];
    out->pieces = pcri_calloc(first[l->group_count], sizeof(*out->pieces), err);
    if (!out->pieces)
        return PCR_ERR_NOMEM;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < script->scan_count; i++) {
        const struct pcri_ladder_scan *line = &script->scans[i];
        rc = pack_line(c, tables ? &tables->slots[out->script][i] : NULL, line,
                       out->pieces + first[line->group], out, err);
    }
    return rc;
}

/* --- the proof --- */

/* Puts the parts together as FORMAT 3.4 says. */
static int materialise(struct scans_coder *c, const struct pcri_coded *p,
                       struct pcr_error *err)
{
    struct pcr_buffer *w = &c->whole;
    const uint8_t *string = p->strings.data, *bytes = p->bytes.data;
    w->nbytes = 0;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < p->item_count; i++) {
        rc = pcri_buffer_append(w, string, p->items[i].nbytes, err);
        string += p->items[i].nbytes;
    }
    const uint32_t pieces = pcri_ladder_piece_total(c->original.ladder);
    for (uint32_t i = 0; !rc && i < pieces; i++) {
        rc = pcri_buffer_append(w, string, p->pieces[i].string_nbytes, err);
        if (!rc)
            rc = pcri_buffer_append(w, bytes, p->pieces[i].nbytes, err);
        string += p->pieces[i].string_nbytes;
        bytes += p->pieces[i].nbytes;
    }
    return rc ? rc : pcri_buffer_append(w, "\xFF\xD9", 2, err);
}

/* What was coded is decoded by our own decoder, the source was by libjpeg: geometry,
 * quantisation and every coefficient must be the same. */
static int prove(struct scans_coder *c, const struct pcri_coded *coded, struct pcr_error *err)
{
    struct pcri_prefix *p = &c->original.prefix;
    const struct pcri_block_source source = pcri_prefix_source(p);
    struct pcr_limits limits = c->original.limits;
    limits.max_scans = 0;
    pcri_limits_fill(&limits); /* what readers take, whatever a source may have */
    int rc = materialise(c, coded, err);
    if (!rc)
        rc = pcri_prefix_decode(p, c->whole.data, c->whole.nbytes, &limits, err);
    if (rc == PCR_ERR_LIMIT)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "the ladder makes more than %u scans of it, which readers refuse",
                         (unsigned) limits.max_scans);
    if (rc)
        return rc == PCR_ERR_NOMEM ? rc
                                   : pcri_prefix(err, rc, "what was coded does not decode");
    return pcri_original_compare(&c->original, &source, "what was coded", err);
}

/* Codes what was loaded. */
static int pack_loaded(struct scans_coder *c, const struct pcri_coder_tables *tables,
                       struct pcri_coded *out, struct pcr_error *err)
{
    struct pcri_coded p = { .coding = PCR_CODING_SCANS };
    int rc = pcri_original_describe(&c->original, NULL, &p, err);
    if (!rc)
        rc = pack_scans(c, (const struct pcri_scan_tables *) tables, &p, err);
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

static int encode_file(struct pcri_coder *coder, const struct pcri_coder_tables *tables,
                       const void *data, size_t nbytes, bool salvage, struct pcri_coded *out,
                       struct pcr_error *err)
{
    struct scans_coder *c = (struct scans_coder *) coder;
    c->original.restorable = coder->restorable;
    int rc = pcri_original_load(&c->original, data, nbytes, salvage, err);
    return rc ? rc : pack_loaded(c, tables, out, err);
}

static int file(struct pcri_coder *coder, struct pcr_span *out, struct pcr_error *err)
{
    const struct scans_coder *c = (const struct scans_coder *) coder;
    (void) err;
    *out = (struct pcr_span) { c->whole.data, c->whole.nbytes };
    return 0;
}

static int restore(struct pcri_coder *coder, struct pcri_coded *coded, struct pcr_error *err)
{
    return pcri_original_restore(&((struct scans_coder *) coder)->original, coded, err);
}

static int survey(struct pcri_coder *coder, const void *data, size_t nbytes,
                  struct pcri_coder_stats **out, struct pcr_error *err)
{
    struct scans_coder *c = (struct scans_coder *) coder;
    const struct pcri_original *o = &c->original;
    c->original.restorable = coder->restorable;
    struct pcri_scan_stats *s = pcri_calloc(1, sizeof(*s), err);
    if (!s)
        return PCR_ERR_NOMEM;
    int rc = pcri_original_load(&c->original, data, nbytes, false, err);
    s->script = o->script;
    const struct pcri_script *script = &o->ladder->scripts[s->script];
    for (uint32_t i = 0; !rc && i < script->scan_count; i++) {
        struct pcri_line_scans ls;
        pcri_line_scans(&o->file, &script->scans[i], &ls);
        for (uint32_t k = 0; !rc && k < ls.count; k++) {
            rc = pcri_scan_symbols(&o->coefs, &o->file, &ls.scans[k], &c->symbols, err);
            if (!rc)
                rc = pcri_scan_stats_add(s, i, &c->symbols, err);
        }
    }
    if (rc)
        pcri_scan_stats_destroy(&s->base);
    else
        *out = &s->base;
    return rc;
}

const struct pcri_encoder pcri_scans_encoder = {
    .create = create,
    .destroy = destroy,
    .stats_destroy = pcri_scan_stats_destroy,
    .tables_destroy = pcri_scan_tables_destroy,
    .survey = survey,
    .train = pcri_scan_tables_train,
    .encode = encode_file,
    .file = file,
    .restore = restore,
};
