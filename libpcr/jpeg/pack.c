/* SPDX-License-Identifier: BSD-2-Clause */
/* Packing a JPEG file: header items, then every scan of its script with the cheaper of its
 * own and the shared tables, then the proof that nothing was lost. */
#include <stdio.h>
#include <stdlib.h>

#include "coder.h"
#include "coefs.h"
#include "ladder_scans.h"
#include "prefix.h"
#include "scan.h"
#include "tables.h"
#include "trailer.h"

struct pcri_coder {
    const struct pcr_ladder *ladder;
    struct pcr_limits limits;
    struct pcri_coder_memory memory;
    struct pcri_jpeg_file file;
    struct pcri_coefs coefs;
    struct pcri_symbols symbols;
    struct pcr_buffer whole;   /* for the proof: the materialised file, */
    struct pcri_prefix prefix; /* and its decoder */
};

int pcri_coder_create(const struct pcr_ladder *ladder, const struct pcr_limits *limits,
                      const struct pcri_coder_memory *memory, struct pcri_coder **out,
                      struct pcr_error *err)
{
    struct pcri_coder *c = pcri_calloc(1, sizeof(*c), err);
    *out = c;
    if (!c)
        return PCR_ERR_NOMEM;
    c->ladder = ladder;
    if (limits)
        c->limits = *limits;
    pcri_limits_fill(&c->limits);
    if (memory)
        c->memory = *memory;
    return 0;
}

void pcri_coder_destroy(struct pcri_coder **c)
{
    if (!c || !*c)
        return;
    pcri_jpeg_file_free(&(*c)->file);
    pcri_coefs_free(&(*c)->coefs);
    pcri_symbols_free(&(*c)->symbols);
    pcr_buffer_free(&(*c)->whole);
    pcri_prefix_free(&(*c)->prefix);
    free(*c);
    *c = NULL;
}

/* --- the image's script --- */

static uint32_t choose_script(const struct pcri_coder *c)
{
    const uint16_t *q = c->file.quant[c->file.components[0].quant_slot];
    uint32_t step = 0;
    for (int k = 1; k <= 10; k++)
        step += q[k];
    return pcri_ladder_choose(c->ladder, step);
}

static uint32_t levels_of(const struct pcri_script *s)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < s->scan_count; i++) {
        uint32_t level = s->scans[i].ah > s->scans[i].al ? s->scans[i].ah : s->scans[i].al;
        most = level > most ? level : most;
    }
    return most + 1;
}

/* Is what our own decoder has of the file, or of another, the coefficients? */
static int compare(const struct pcri_coder *c, const char *what, struct pcr_error *err)
{
    const struct pcri_prefix *p = &c->prefix;
    for (uint32_t i = 0; i < c->file.component_count; i++) {
        const struct pcri_plane *a = &c->coefs.planes[i];
        size_t blocks = (size_t) a->blocks_x * a->blocks_y;
        for (int k = 0; k < 64; k++)
            if (p->bits[i][k])
                return pcri_fail(err, PCR_ERR_CORRUPT, "%s lacks coefficient %d of component "
                                 "%u", what, k, (unsigned) i);
        if (memcmp(a->coef, p->planes[i].coef, blocks * 64 * sizeof(a->coef[0])))
            return pcri_fail(err, PCR_ERR_CORRUPT, "%s differs in component %u", what,
                             (unsigned) i);
    }
    return 0;
}

/* libjpeg has passed over bytes of the source: they are stray if our own decoder finds every
 * coefficient without them, the same ones. */
static int settle_doubt(struct pcri_coder *c, struct pcr_error *err)
{
    int rc = pcri_prefix_decode(&c->prefix, c->file.data, c->file.nbytes, &c->limits, err);
    return rc ? rc : compare(c, "the file as libpcr reads it", err);
}

/* What the picture does not depend on, but makes readers warn or stop, becomes what it should
 * be (docs/FORMAT.md section 4); add_segment() writes it. */
static void normalise(struct pcri_jpeg_file *f)
{
    bool equal = false;
    for (uint32_t i = 1; i < f->component_count; i++)
        for (uint32_t k = 0; k < i; k++)
            equal |= f->components[i].id == f->components[k].id;
    for (uint32_t i = 0; equal && i < f->component_count; i++)
        f->components[i].id = (uint8_t) (i + 1);
    if (f->adobe_transform && f->component_count >= 3)
        f->adobe_transform = f->component_count == 3 ? 1 : 2;
}

/* Chooses the script of the file that was parsed, and asks for the memory that packing by it
 * takes: coefficients with their masks, and once more as libjpeg or our own decoder has them. */
static int prepare(struct pcri_coder *c, uint32_t *script_out, uint32_t *levels_out,
                   struct pcr_error *err)
{
    *script_out = choose_script(c);
    *levels_out = levels_of(&c->ladder->scripts[*script_out]);
    return c->memory.take
        ? c->memory.take(c->memory.context, pcri_coefs_nbytes(&c->file, *levels_out) +
                         pcri_coefs_nbytes(&c->file, 0), err)
        : 0;
}

/* Parses the file and reads its coefficients. */
static int load(struct pcri_coder *c, const void *data, size_t nbytes,
                uint32_t *script_out, struct pcr_error *err)
{
    if (nbytes > c->limits.max_sample_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "%zu bytes, the limit is %llu", nbytes,
                         (unsigned long long) c->limits.max_sample_nbytes);
    int rc = pcri_jpeg_file_parse(data, nbytes, &c->limits, &c->file, err);
    if (rc)
        return rc;
    bool in_doubt;
    uint32_t levels;
    rc = prepare(c, script_out, &levels, err);
    if (rc)
        return rc;
    rc = pcri_coefs_read(&c->coefs, &c->file, levels, &in_doubt, err);
    if (!rc && in_doubt)
        rc = settle_doubt(c, err);
    normalise(&c->file);
    return rc;
}

/* --- header items --- */

static bool needed(const struct pcri_jpeg_file *f, const struct pcri_segment *s)
{
    const uint8_t *p = f->data + s->offset;
    switch (s->marker) {
    case M_DQT:
    case M_SOF0:
    case M_SOF1:
    case M_SOF2: return true;
    case M_APP0: return s->nbytes >= 9 && !memcmp(p + 4, "JFIF", 5);
    case M_APP14: return s->nbytes >= 9 && !memcmp(p + 4, "Adobe", 5);
    default: return false;
    }
}

/* A colour profile, by which any fidelity may be converted. As images share it whose tables
 * differ, it is a string by itself. */
static bool is_profile(const struct pcri_jpeg_file *f, const struct pcri_segment *s)
{
    return s->marker == M_APP0 + 2 && s->nbytes >= 18 &&
           !memcmp(f->data + s->offset + 4, "ICC_PROFILE", 12);
}

struct items {
    struct pcri_packed *out;
    bool no_mpf; /* what the index of a multi-picture file points at is left out: so is it */
    uint32_t capacity;
    bool open; /* the last item may be added to */
    struct pcr_error *err;
};

static int add_item(struct items *it, uint32_t kind, const void *p, size_t nbytes, bool join)
{
    struct pcri_packed *out = it->out;
    if (join && it->open && out->items[out->item_count - 1].kind == kind) {
        out->items[out->item_count - 1].nbytes += (uint32_t) nbytes;
    } else {
        if (out->item_count == it->capacity) {
            uint32_t n = it->capacity * 2 + 8;
            void *grown = realloc(out->items, n * sizeof(out->items[0]));
            if (!grown)
                return pcri_fail_nomem(it->err, n * sizeof(out->items[0]));
            out->items = grown;
            it->capacity = n;
        }
        out->items[out->item_count++] = (struct pcri_item) { kind, (uint32_t) nbytes };
    }
    it->open = join;
    return pcri_buffer_append(&out->strings, p, nbytes, it->err);
}

static int add_segment(struct items *it, const struct pcri_jpeg_file *f,
                       const struct pcri_segment *s)
{
    enum { JFIF_MAJOR_AT = 9, JFIF_NBYTES = 18, ADOBE_TRANSFORM_AT = 15, ADOBE_NBYTES = 16 };
    bool sof = s->marker >= M_SOF0 && s->marker <= M_SOF2, profile = is_profile(f, s);
    if (it->no_mpf && pcri_segment_is_mpf(f, s))
        return 0;
    uint32_t kind = profile || needed(f, s) ? PCRI_ITEM_NEEDED : PCRI_ITEM_METADATA;
    size_t at = it->out->strings.nbytes;
    int rc = add_item(it, kind, f->data + s->offset, s->nbytes,
                      kind == PCRI_ITEM_NEEDED && !sof && !profile);
    if (rc)
        return rc;
    uint8_t *p = it->out->strings.data + at;
    p[0] = 0xFF; /* fill bytes may stand between it and the marker's code */
    p[1] = sof ? M_SOF2 : s->marker;
    p[2] = (uint8_t) ((s->nbytes - 2) >> 8); /* a length below 2 was taken for 2 */
    p[3] = (uint8_t) (s->nbytes - 2);
    for (uint32_t i = 0; sof && i < f->component_count; i++)
        p[10 + 3 * i] = f->components[i].id;
    bool known = kind == PCRI_ITEM_NEEDED;
    if (known && s->marker == M_APP0 && s->nbytes >= JFIF_NBYTES && p[JFIF_MAJOR_AT] != 1)
        p[JFIF_MAJOR_AT] = p[JFIF_MAJOR_AT + 1] = 1;
    if (known && s->marker == M_APP14 && s->nbytes >= ADOBE_NBYTES)
        p[ADOBE_TRANSFORM_AT] = f->adobe_transform;
    return 0;
}

/* What stands after the first SOS comes before the SOF. Tables for quantisation that were
 * there are either copies of earlier ones (dropped) or the only ones. */
static int add_late_segments(struct items *it, const struct pcri_jpeg_file *f)
{
    int rc = 0;
    for (uint32_t i = 0; !rc && i < f->segment_count; i++) {
        const struct pcri_segment *s = &f->segments[i];
        if (s->after_scan && ((s->marker >= M_APP0 && !f->salvaged) || s->marker == M_DQT))
            rc = add_segment(it, f, s);
    }
    return rc;
}

static int note_trailer(const struct pcri_trailer *t, struct pcri_packed *out,
                        struct pcr_error *err)
{
    if (!t->nbytes)
        return 0;
    struct pcri_notes *notes = pcri_packed_notes(out, err);
    if (!notes)
        return PCR_ERR_NOMEM;
    notes->dropped_nbytes = t->nbytes;
    snprintf(notes->dropped, sizeof(notes->dropped), "%s", t->name);
    return 0;
}

static int pack_header(const struct pcri_jpeg_file *f, struct pcri_packed *out,
                       struct pcr_error *err)
{
    static const uint8_t soi[2] = { 0xFF, M_SOI };
    struct items it = { .out = out, .err = err };
    struct pcri_trailer trailer = pcri_trailer_find(f);
    it.no_mpf = trailer.nbytes != 0;
    int rc = note_trailer(&trailer, out, err);
    if (!rc)
        rc = add_item(&it, PCRI_ITEM_NEEDED, soi, 2, true);
    for (uint32_t i = 0; !rc && i < f->segment_count; i++) {
        const struct pcri_segment *s = &f->segments[i];
        if (s->after_scan || s->marker == M_DHT || s->marker == M_DRI || s->marker == M_SOS
            || s->marker == M_DNL)
            continue;
        if (s->offset == f->sof_offset)
            rc = add_late_segments(&it, f);
        if (!rc)
            rc = add_segment(&it, f, s);
    }
    return rc;
}

/* --- scans --- */

struct choice {
    const struct pcri_huffman *tables; /* two of them */
    struct pcri_huffman own[2];
    bool shared;
};

/* The tables under which the scan takes the fewest bytes. */
static void choose_tables(const struct pcri_coder *c, const struct pcri_slot_tables *shared,
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
    /* Without a table (DC refinement) the SOS segment alone is shared. */
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

/* `first`: the first scan of its piece, whose head may stand in the dictionary. */
static int pack_scan(struct pcri_coder *c, const struct pcri_slot_tables *shared,
                     const struct pcri_scan *scan, bool first, struct pcri_piece *piece,
                     struct pcri_packed *out, struct pcr_error *err)
{
    struct choice choice;
    int rc = pcri_scan_symbols(&c->coefs, &c->file, scan, &c->symbols, err);
    if (rc)
        return rc;
    choose_tables(c, first ? shared : NULL, scan, &choice);
    bool in_string = first && choice.shared;
    struct pcr_buffer *head = in_string ? &out->strings : &out->bytes;
    size_t strings_before = out->strings.nbytes, bytes_before = out->bytes.nbytes;
    rc = pcri_scan_head(scan, &c->file, choice.tables, head, err);
    if (!rc)
        rc = pcri_scan_write(&c->symbols, choice.tables, &out->bytes, err);
    if (!rc && out->bytes.nbytes - bytes_before > UINT32_MAX / 4)
        rc = pcri_fail(err, PCR_ERR_LIMIT, "a scan of more than 1 GiB");
    piece->string_nbytes += (uint32_t) (out->strings.nbytes - strings_before);
    piece->nbytes += (uint32_t) (out->bytes.nbytes - bytes_before);
    return rc;
}

static int pack_line(struct pcri_coder *c, const struct pcri_slot_tables *shared,
                     const struct pcri_ladder_scan *line, struct pcri_piece *pieces,
                     struct pcri_packed *out, struct pcr_error *err)
{
    struct pcri_line_scans ls;
    pcri_line_scans(&c->file, line, &ls);
    int rc = 0;
    for (uint32_t i = 0; !rc && i < ls.count; i++) {
        struct pcri_piece *piece = &pieces[line->first_piece + ls.piece[i]];
        bool first = !piece->nbytes && !piece->string_nbytes;
        rc = pack_scan(c, shared, &ls.scans[i], first, piece, out, err);
    }
    return rc;
}

static int pack_scans(struct pcri_coder *c, const struct pcri_tables *tables,
                      struct pcri_packed *out, struct pcr_error *err)
{
    const struct pcr_ladder *l = c->ladder;
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
static int materialise(struct pcri_coder *c, const struct pcri_packed *p,
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
    uint32_t pieces = 0;
    for (uint32_t g = 0; g < c->ladder->group_count; g++)
        pieces += c->ladder->piece_counts[g];
    for (uint32_t i = 0; !rc && i < pieces; i++) {
        rc = pcri_buffer_append(w, string, p->pieces[i].string_nbytes, err);
        if (!rc)
            rc = pcri_buffer_append(w, bytes, p->pieces[i].nbytes, err);
        string += p->pieces[i].string_nbytes;
        bytes += p->pieces[i].nbytes;
    }
    return rc ? rc : pcri_buffer_append(w, "\xFF\xD9", 2, err);
}

static bool same_header(const struct pcri_jpeg_file *a, const struct pcri_jpeg_file *b)
{
    bool same = a->width == b->width && a->height == b->height
        && a->component_count == b->component_count && a->ycc == b->ycc;
    for (uint32_t i = 0; same && i < a->component_count; i++) {
        const struct pcri_component *x = &a->components[i], *y = &b->components[i];
        same = x->id == y->id && x->h == y->h && x->v == y->v
            && !memcmp(a->quant[x->quant_slot], b->quant[y->quant_slot],
                       sizeof(a->quant[0]));
    }
    return same;
}

/* What was packed is decoded by our own decoder, the source was by libjpeg: geometry,
 * quantisation and every coefficient must be the same. */
static int prove(struct pcri_coder *c, const struct pcri_packed *packed,
                 struct pcr_error *err)
{
    struct pcri_prefix *p = &c->prefix;
    struct pcr_limits limits = c->limits;
    limits.max_scans = 0;
    pcri_limits_fill(&limits); /* what readers take, whatever a source may have */
    int rc = materialise(c, packed, err);
    if (!rc)
        rc = pcri_prefix_decode(p, c->whole.data, c->whole.nbytes, &limits, err);
    if (rc == PCR_ERR_LIMIT)
        return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                         "the ladder makes more than %u scans of it, and readers refuse that",
                         (unsigned) limits.max_scans);
    if (rc)
        return rc == PCR_ERR_NOMEM
            ? rc : pcri_prefix(err, rc, "what was packed does not decode");
    if (!same_header(&c->file, &p->file))
        return pcri_fail(err, PCR_ERR_CORRUPT,
                         "what was packed has another frame or quantisation");
    return compare(c, "what was packed", err);
}

static void describe(const struct pcri_coder *c, struct pcri_packed *out)
{
    const struct pcri_jpeg_file *f = &c->file;
    out->form = 1;
    out->width = f->width;
    out->height = f->height;
    out->component_count = f->component_count;
    out->orientation = pcri_orientation_of(&f->orientation);
    out->source_nbytes = f->nbytes;
    for (uint32_t i = 0; i < f->component_count; i++)
        out->sampling |= (uint32_t) (f->components[i].h << 4 | f->components[i].v) << 8 * i;
}

/* Packs what was loaded. */
static int pack(struct pcri_coder *c, const struct pcri_tables *tables, struct pcri_packed *p,
                struct pcr_error *err)
{
    describe(c, p);
    int rc = pack_header(&c->file, p, err);
    if (!rc)
        rc = pack_scans(c, tables, p, err);
    if (!rc)
        rc = prove(c, p, err);
    if (rc)
        pcri_packed_free(p);
    return rc;
}

int pcri_coder_pack(struct pcri_coder *c, const struct pcri_tables *tables,
                    const void *data, size_t nbytes, struct pcri_packed *out,
                    struct pcr_error *err)
{
    struct pcri_packed p = { 0 };
    int rc = load(c, data, nbytes, &p.script, err);
    if (!rc)
        rc = pack(c, tables, &p, err);
    if (!rc)
        *out = p;
    return rc;
}

int pcri_coder_salvage(struct pcri_coder *c, const struct pcri_tables *tables,
                       const void *data, size_t nbytes, struct pcri_packed *out,
                       struct pcr_error *err)
{
    struct pcri_packed p = { 0 };
    if (nbytes > c->limits.max_sample_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "%zu bytes, the limit is %llu", nbytes,
                         (unsigned long long) c->limits.max_sample_nbytes);
    int rc = pcri_jpeg_file_salvage(data, nbytes, &c->limits, &c->file, err);
    if (rc)
        return rc;
    uint32_t levels;
    rc = prepare(c, &p.script, &levels, err);
    if (rc)
        return rc;
    rc = pcri_coefs_salvage(&c->coefs, &c->file, levels, err);
    normalise(&c->file);
    if (!rc)
        rc = pack(c, tables, &p, err);
    if (!rc)
        *out = p;
    return rc;
}

struct pcr_span pcri_coder_file(const struct pcri_coder *c)
{
    return (struct pcr_span) { c->whole.data, c->whole.nbytes };
}

int pcri_coder_survey(struct pcri_coder *c, const void *data, size_t nbytes,
                      struct pcri_symbol_stats **out, struct pcr_error *err)
{
    struct pcri_symbol_stats *s = pcri_calloc(1, sizeof(*s), err);
    *out = NULL;
    if (!s)
        return PCR_ERR_NOMEM;
    int rc = load(c, data, nbytes, &s->script, err);
    s->nbytes = nbytes;
    const struct pcri_script *script = &c->ladder->scripts[s->script];
    for (uint32_t i = 0; !rc && i < script->scan_count; i++) {
        struct pcri_line_scans ls;
        pcri_line_scans(&c->file, &script->scans[i], &ls);
        for (uint32_t k = 0; !rc && k < ls.count; k++) {
            rc = pcri_scan_symbols(&c->coefs, &c->file, &ls.scans[k], &c->symbols, err);
            if (!rc)
                rc = pcri_symbol_stats_add(s, i, &c->symbols, err);
        }
    }
    if (rc)
        pcri_symbol_stats_destroy(&s);
    *out = s;
    return rc;
}
