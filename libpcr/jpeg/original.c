/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the JPEG file that is coded, its header items, and holding what was coded against
 * it. */
#include <stdio.h>

#include "original.h"
#include "trailer.h"

void pcri_original_init(struct pcri_original *o, const struct pcr_ladder *ladder,
                        const struct pcr_limits *limits,
                        const struct pcri_coder_memory *memory)
{
    *o = (struct pcri_original) { .ladder = ladder, .limits = *limits, .memory = *memory };
}

void pcri_original_free(struct pcri_original *o)
{
    pcri_jpeg_file_free(&o->file);
    pcri_coefs_free(&o->coefs);
    pcri_quality_free(&o->quality);
    pcri_prefix_free(&o->prefix);
    pcri_restorer_free(&o->restorer);
}

static uint32_t choose_script(const struct pcri_original *o)
{
    const uint16_t *q = o->file.quant[o->file.components[0].quant_slot];
    uint32_t step = 0;
    for (int k = 1; k <= 10; k++)
        step += q[k];
    return pcri_ladder_choose(o->ladder, step);
}

uint32_t pcri_script_levels(const struct pcri_script *s)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < s->scan_count; i++) {
        uint32_t level = s->scans[i].ah > s->scans[i].al ? s->scans[i].ah : s->scans[i].al;
        most = level > most ? level : most;
    }
    return most + 1;
}

static bool same_header(const struct pcri_jpeg_file *a, const struct pcri_jpeg_file *b)
{
    bool same = a->width == b->width && a->height == b->height &&
                a->component_count == b->component_count && a->ycc == b->ycc;
    for (uint32_t i = 0; same && i < a->component_count; i++) {
        const struct pcri_component *x = &a->components[i], *y = &b->components[i];
        same = x->id == y->id && x->h == y->h && x->v == y->v &&
               !memcmp(a->quant[x->quant_slot], b->quant[y->quant_slot], sizeof(a->quant[0]));
    }
    return same;
}

static int compare_row(const struct pcri_plane *a, const struct pcri_block_source *b,
                       uint32_t i, uint32_t row, const char *what, struct pcr_error *err)
{
    const struct pcri_blocks *p = &b->planes[i];
    size_t at = (size_t) row * a->blocks_x;
    if (b->advance)
        b->advance(b->state, i, row + 1);
    return memcmp(a->coef + 64 * at, p->coef + 64 * pcri_row_place(p, row),
                  64 * sizeof(a->coef[0]) * a->blocks_x)
               ? pcri_fail(err, PCR_ERR_CORRUPT, "%s differs in component %u", what,
                           (unsigned) i)
               : 0;
}

int pcri_original_compare(const struct pcri_original *o, const struct pcri_block_source *b,
                          const char *what, struct pcr_error *err)
{
    uint32_t most = 0, count = o->file.component_count;
    if (!same_header(&o->file, b->file))
        return pcri_fail(err, PCR_ERR_CORRUPT, "%s has another frame or quantisation", what);
    for (uint32_t i = 0; i < count; i++) {
        most = o->coefs.planes[i].blocks_y > most ? o->coefs.planes[i].blocks_y : most;
        for (int k = 0; k < 64; k++)
            if (b->bits[i][k])
                return pcri_fail(err, PCR_ERR_CORRUPT,
                                 "%s lacks coefficient %d of component "
                                 "%u",
                                 what, k, (unsigned) i);
    }
    /* Down the picture: a component's block rows, taken along with those of the tallest. */
    for (uint32_t y = 0; y < most; y++)
        for (uint32_t i = 0; i < count; i++) {
            const struct pcri_plane *a = &o->coefs.planes[i];
            uint32_t from = (uint32_t) ((uint64_t) y * a->blocks_y / most);
            uint32_t to = (uint32_t) ((uint64_t) (y + 1) * a->blocks_y / most);
            for (uint32_t row = from; row < to; row++) {
                int rc = compare_row(a, b, i, row, what, err);
                if (rc)
                    return rc;
            }
        }
    return 0;
}

/* libjpeg skipped bytes of the file: they are stray if libpcr's decoder finds every
 * coefficient without them, with the same values. */
static int settle_doubt(struct pcri_original *o, struct pcr_error *err)
{
    const struct pcri_block_source b = pcri_prefix_source(&o->prefix);
    int rc = pcri_prefix_decode(&o->prefix, o->file.data, o->file.nbytes, &o->limits, err);
    return rc ? rc : pcri_original_compare(o, &b, "the file as libpcr reads it", err);
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

/* The number of levels of masks that coding the file's own scans takes. */
static uint32_t file_levels(const struct pcri_jpeg_file *f)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < f->segment_count; i++) {
        const struct pcri_segment *s = &f->segments[i];
        const uint8_t planes = f->data[s->offset + s->nbytes - 1];
        if (s->marker != M_SOS || f->sof != M_SOF2)
            continue;
        most = planes >> 4 > most ? planes >> 4 : most;
        most = (planes & 15) > most ? planes & 15 : most;
    }
    return most + 1;
}

/* Chooses the script of the file that was parsed, and asks for the memory that coding by it
 * takes: coefficients with their masks, and once more as libjpeg or our own decoder has them. */
static int prepare(struct pcri_original *o, uint32_t *levels_out, struct pcr_error *err)
{
    o->script = choose_script(o);
    o->coefs.keep_padding = o->restorable;
    *levels_out = pcri_script_levels(&o->ladder->scripts[o->script]);
    if (o->restorable && file_levels(&o->file) > *levels_out)
        *levels_out = file_levels(&o->file);
    return o->memory.take ? o->memory.take(o->memory.context,
                                           pcri_coefs_nbytes(&o->file, *levels_out) +
                                               pcri_coefs_nbytes(&o->file, 0),
                                           err)
                          : 0;
}

static int check_nbytes(const struct pcri_original *o, size_t nbytes, struct pcr_error *err)
{
    if (nbytes <= o->limits.max_sample_nbytes)
        return 0;
    return pcri_fail(err, PCR_ERR_LIMIT, "%zu bytes, the limit is %llu", nbytes,
                     (unsigned long long) o->limits.max_sample_nbytes);
}

int pcri_original_load(struct pcri_original *o, const void *data, size_t nbytes, bool salvage,
                       struct pcr_error *err)
{
    bool in_doubt = false;
    uint32_t levels;
    int rc = check_nbytes(o, nbytes, err);
    if (!rc)
        rc = salvage ? pcri_jpeg_file_salvage(data, nbytes, &o->limits, &o->file, err)
                     : pcri_jpeg_file_parse(data, nbytes, &o->limits, &o->file, err);
    if (!rc)
        rc = prepare(o, &levels, err);
    if (rc)
        return rc;
    rc = salvage ? pcri_coefs_salvage(&o->coefs, &o->file, levels, err)
                 : pcri_coefs_read(&o->coefs, &o->file, levels, &in_doubt, err);
    if (!rc && in_doubt)
        rc = settle_doubt(o, err);
    normalise(&o->file);
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
    case M_SOF2:
        return true;
    case M_APP0:
        return s->nbytes >= 9 && !memcmp(p + 4, "JFIF", 5);
    case M_APP14:
        return s->nbytes >= 9 && !memcmp(p + 4, "Adobe", 5);
    default:
        return false;
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
    struct pcri_coded *out;
    bool no_mpf; /* what the index of a multi-picture file points at is left out: so is it */
    size_t capacity;
    bool open; /* the last item may be added to */
    struct pcr_error *err;
};

static int add_item(struct items *it, uint32_t kind, const void *p, size_t nbytes, bool join)
{
    struct pcri_coded *out = it->out;
    if (join && it->open && out->items[out->item_count - 1].kind == kind) {
        out->items[out->item_count - 1].nbytes += (uint32_t) nbytes;
    } else {
        if (PCRI_GROW(out->items, it->capacity, (size_t) out->item_count + 1, it->err))
            return PCR_ERR_NOMEM;
        out->items[out->item_count++] = (struct pcri_item) { kind, (uint32_t) nbytes };
    }
    it->open = join;
    return pcri_buffer_append(&out->strings, p, nbytes, it->err);
}

static int add_segment(struct items *it, const struct pcri_jpeg_file *f,
                       const struct pcri_segment *s)
{
    enum {
        JFIF_MAJOR_AT = 9,
        JFIF_NBYTES = 18,
        ADOBE_TRANSFORM_AT = 15,
        ADOBE_NBYTES = 16,
        OWN_NAME_AT = 4
    };
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
    if (s->marker == M_APP15 && s->nbytes >= OWN_NAME_AT + PCRI_OWN_NAME_NBYTES &&
        !memcmp(p + OWN_NAME_AT, PCRI_OWN_NAME, PCRI_OWN_NAME_NBYTES))
        return pcri_fail(it->err, PCR_ERR_UNSUPPORTED,
                         "JPEG: an APP15 segment \"" PCRI_OWN_NAME
                         "\", which samples of codings have");
    p[0] = 0xFF; /* fill bytes may be between it and the marker's code */
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

/* Segments after the first SOS move before the SOF. Quantisation tables among them are either
 * copies of earlier ones (dropped) or the only ones. */
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

static int note_trailer(const struct pcri_trailer *t, struct pcri_coded *out,
                        struct pcr_error *err)
{
    if (!t->nbytes)
        return 0;
    struct pcri_notes *notes = pcri_coded_notes(out, err);
    if (!notes)
        return PCR_ERR_NOMEM;
    notes->dropped_nbytes = t->nbytes;
    snprintf(notes->dropped, sizeof(notes->dropped), "%s", t->name);
    return 0;
}

static int pack_header(const struct pcri_jpeg_file *f, const struct pcri_marks *marks,
                       struct pcri_coded *out, struct pcr_error *err)
{
    static const uint8_t soi[2] = { 0xFF, M_SOI };
    struct items it = { .out = out, .err = err };
    struct pcri_trailer trailer = pcri_trailer_find(f);
    it.no_mpf = trailer.nbytes != 0;
    int rc = note_trailer(&trailer, out, err);
    if (!rc)
        rc = add_item(&it, PCRI_ITEM_NEEDED, soi, 2, true);
    for (uint32_t i = 0; !rc && marks && i < marks->count; i++) {
        const struct pcr_span *m = &marks->items[i];
        rc = add_item(&it, PCRI_ITEM_NEEDED, m->data, m->nbytes, !i);
        it.open = false;
    }
    for (uint32_t i = 0; !rc && i < f->segment_count; i++) {
        const struct pcri_segment *s = &f->segments[i];
        if (s->after_scan || s->marker == M_DHT || s->marker == M_DRI || s->marker == M_SOS ||
            s->marker == M_DNL)
            continue;
        if (s->offset == f->sof_offset)
            rc = add_late_segments(&it, f);
        if (!rc)
            rc = add_segment(&it, f, s);
    }
    return rc;
}

int pcri_original_describe(const struct pcri_original *o, const struct pcri_marks *marks,
                           struct pcri_coded *out, struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = &o->file;
    out->script = o->script;
    out->width = f->width;
    out->height = f->height;
    out->component_count = f->component_count;
    out->orientation = pcri_orientation_of(&f->orientation);
    out->source_nbytes = f->nbytes;
    for (uint32_t i = 0; i < f->component_count; i++)
        out->sampling |= (uint32_t) (f->components[i].h << 4 | f->components[i].v) << 8 * i;
    return pack_header(f, marks, out, err);
}

int pcri_original_measure(struct pcri_original *o, struct pcri_coded *out,
                          struct pcr_error *err)
{
    const uint32_t group_count = o->ladder->group_count;
    if (group_count < 2)
        return 0;
    out->quality = pcri_malloc(group_count - 1, PCRI_QUALITY_SCALES, err);
    if (!out->quality)
        return PCR_ERR_NOMEM;
    return pcri_quality_measure(&o->quality, &o->file, &o->coefs,
                                &o->ladder->scripts[o->script], group_count, out->quality,
                                err);
}

/* --- restoring --- */

/* A file may take so many bytes to restore: with many more, files would be smaller as they are, and
 * tails have a limit. */
static size_t most_restore_nbytes(size_t file_nbytes)
{
    enum { ANY = 512, PART = 16, MOST = 65536 };
    return file_nbytes / PART + ANY < MOST ? file_nbytes / PART + ANY : MOST;
}

/* Whether a program that comes with a sample restores the same file of what was loaded, whose own
 * scans may have other planes. */
static int check_program(struct pcri_original *o, const struct pcri_restore_input *in,
                         const struct pcri_coded *coded, struct pcr_error *err)
{
    struct pcri_restore_input one = *in;
    struct pcr_buffer file = { 0 };
    one.coefs = NULL;
    one.program = coded->restore.data;
    one.program_nbytes = coded->restore.nbytes;
    one.max_nbytes = o->limits.max_sample_nbytes;
    int rc = pcri_restore_run(&o->restorer, &one, &file, err);
    bool same = !rc && pcri_check32(file.data, file.nbytes) == coded->restore_check;
    pcr_buffer_free(&file);
    if (rc == PCR_ERR_NOMEM || same)
        return rc;
    return rc == PCR_ERR_UNSUPPORTED
               ? rc
               : pcri_fail(err, PCR_ERR_UNSUPPORTED, "its source file would not be restored");
}

int pcri_original_restore(struct pcri_original *o, struct pcri_coded *out,
                          struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = &o->file;
    struct pcri_blocks planes[4];
    struct pcri_coded header = { 0 };
    int rc = pack_header(f, NULL, &header, err);
    pcri_coefs_view(&o->coefs, planes);
    const struct pcri_block_source source = { .file = f, .planes = planes };
    const struct pcri_restore_input in = { .header = { header.strings.data,
                                                       header.strings.nbytes },
                                           .source = &source,
                                           .coefs = &o->coefs };
    if (!rc && out->restore.nbytes)
        rc = check_program(o, &in, out, err);
    else if (!rc &&
             !(rc = pcri_restore_make(&o->restorer, f, &in, most_restore_nbytes(f->nbytes),
                                      &out->restore, err)))
        out->restore_check = pcri_check32(f->data, f->nbytes);
    if (!rc && out->notes)
        out->notes->dropped_nbytes = 0;
    pcri_coded_free(&header);
    return rc;
}
