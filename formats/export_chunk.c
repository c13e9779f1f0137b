/* SPDX-License-Identifier: BSD-2-Clause */
/* Exporting: a run of samples read, and encoded one by one. */
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/base/sniff.h"
#include "../libpcr/base/utf8.h"
#include "../libpcr/io/tree.h"
#include "exporter.h"

static bool is_damage(int rc)
{
    return rc == PCR_ERR_CORRUPT || rc == PCR_ERR_TRUNCATED;
}

int pcri_export_append_file(const struct pcri_export_sample *s, struct pcr_buffer *out,
                            struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < s->file->count && !rc; i++)
        rc = pcri_buffer_append(out, s->file->items[i].data, s->file->items[i].nbytes, err);
    return rc;
}

const char *pcri_export_ending(const struct pcri_export_sample *s)
{
    static const struct {
        const char *kind, *ending;
    } known[] = {
        { "PNG", "png" },  { "WebP", "webp" }, { "GIF", "gif" },   { "BMP", "bmp" },
        { "TIFF", "tif" }, { "HEIC", "heic" }, { "AVIF", "avif" }, { "PNM", "pnm" }
    };
    if (s->info->coding != PCR_CODING_OPAQUE && !s->info->exact)
        return "jpg";
    const struct pcr_span first = s->file->count ? s->file->items[0] : (struct pcr_span) { 0 };
    const char *kind = pcri_sniff(first.data, first.nbytes);
    if (strstr(kind, "JPEG") && !strstr(kind, "JPEG XL") && !strstr(kind, "JPEG 2000"))
        return "jpg";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(kind, known[i].kind))
            return known[i].ending;
    return "bin";
}

/* Notes text in the chunk; *at says where. */
static int note(struct pcri_export_chunk *c, const char *text, size_t *at,
                struct pcr_error *err)
{
    *at = c->texts.nbytes;
    return pcri_buffer_append(&c->texts, text, strlen(text) + 1, err);
}

static int find(struct pcri_export_chunk *c, struct pcri_export_item *item, uint32_t finding,
                const char *what, struct pcr_error *err)
{
    item->finding = finding;
    return note(c, what, &item->what, err);
}

/* The sample's line of the list. */
static int write_row(const struct pcri_export_sample *s, struct pcri_export_chunk *c,
                     struct pcri_export_item *item, struct pcr_error *err)
{
    if (!pcri_utf8_valid(s->info->key, s->info->key_nbytes))
        return item->finding ? 0
                             : find(c, item, PCR_EXPORT_UNLISTED,
                                    "left out of the list: not a UTF-8 name", err);
    item->row = c->texts.nbytes;
    int rc = pcri_export_row(s, &c->texts, err);
    item->row_nbytes = c->texts.nbytes - item->row;
    return rc;
}

/* Encodes the file at the end of the chunk's bytes. */
static int encode(const struct pcri_export *x, struct pcri_export_tools *t,
                  struct pcri_export_chunk *c, struct pcri_export_item *item,
                  const struct pcr_sample_info *info, bool taken, struct pcr_error *err)
{
    struct pcri_export_sample s = {
        .export = x,
        .info = info,
        .file = &t->spans,
        .taken = taken,
        .decoder = t->decoder,
        .file_info = t->file_info,
    };
    if (t->attributes.nbytes > 2) { /* more than {} */
        s.attributes = (const char *) t->attributes.data;
        s.attributes_nbytes = t->attributes.nbytes;
    }
    for (uint32_t i = 0; i < t->spans.count; i++)
        s.nbytes += t->spans.items[i].nbytes;
    int rc = pcri_export_settle_blobs(t, c, item, &s, err);
    if (rc)
        return rc;
    t->name.nbytes = 0;
    item->offset = c->bytes.nbytes;
    rc = x->exporter->encode(&s, &c->bytes, &t->name, err);
    item->nbytes = c->bytes.nbytes - item->offset;
    item->name_hash = pcri_siphash(&x->hash_key, t->name.data, t->name.nbytes);
    item->is_written = !rc;
    return rc || taken || !(x->o.flags & PCR_EXPORT_LIST) ? rc : write_row(&s, c, item, err);
}

/* --- the files of samples --- */

/* Attributes and blobs. */
static int read_rest(const struct pcri_export *x, struct pcri_export_tools *t,
                     const struct pcr_sample *s, struct pcri_export_chunk *c,
                     struct pcri_export_item *item, struct pcr_error *err)
{
    t->attributes.nbytes = 0;
    int rc = x->info.column_count ? pcr_sample_attributes(s, &t->attributes, err) : 0;
    return rc ? rc : pcri_export_read_blobs(x, t, s, c, item, err);
}

static int one_span(struct pcri_export_tools *t, const struct pcr_buffer *b,
                    struct pcr_error *err)
{
    t->spans.count = 0;
    return pcri_spans_add(&t->spans, b->data, b->nbytes, err);
}

/* The file of the i-th sample of the slice, as spans. */
static int slice_file(const struct pcri_export *x, struct pcri_export_tools *t,
                      const struct pcri_export_chunk *c, uint32_t i,
                      const struct pcr_sample_info *info, struct pcr_error *err)
{
    const bool exact = info->exact && x->o.fidelity == x->info.group_count;
    if (x->o.jpeg != PCR_EXPORT_JPEG_BASELINE || info->coding == PCR_CODING_OPAQUE || exact)
        return pcr_slice_file(c->slice, i, 0, &t->spans, &t->memory, err);
    const struct pcr_baseline_options o = { .size = sizeof(o), .limits = &x->limits };
    int rc = pcr_slice_spans(c->slice, i, 0, 0, &t->spans, err);
    if (!rc)
        rc = pcr_decoder_baseline(t->decoder, &t->spans, &o, &t->file, err);
    return rc ? rc : one_span(t, &t->file, err);
}

/* The same of a sample alone. */
static int sample_file(const struct pcri_export *x, struct pcri_export_tools *t,
                       const struct pcr_sample *s, uint32_t fidelity, struct pcr_error *err)
{
    int rc = x->o.jpeg == PCR_EXPORT_JPEG_BASELINE
                 ? pcr_sample_baseline(s, fidelity, t->decoder, NULL, &t->file, err)
             : x->o.jpeg == PCR_EXPORT_JPEG_SOURCE
                 ? pcr_sample_original(s, t->decoder, &t->file, err)
                 : pcr_sample_read(s, fidelity, &t->file, err);
    if (!rc && x->o.jpeg == PCR_EXPORT_JPEG_SOURCE)
        rc = pcr_sample_file_info(s, &t->file_info, err);
    return rc ? rc : one_span(t, &t->file, err);
}

/* The file at the highest fidelity below the export's at which a damaged sample can be read; *g_out
 * is 0 if there is none. */
static int lower_file(const struct pcri_export *x, struct pcri_export_tools *t,
                      const struct pcr_sample *s, uint32_t *g_out, struct pcr_error *err)
{
    int rc = PCR_ERR_CORRUPT;
    uint32_t g = x->o.fidelity - 1;
    while (g && is_damage(rc = sample_file(x, t, s, g, err)))
        g--;
    *g_out = g;
    return is_damage(rc) ? 0 : rc;
}

/* --- samples --- */

static int start_item(const struct pcri_export *x, struct pcri_export_chunk *c,
                      struct pcri_export_item *item, const struct pcr_sample_info *info,
                      struct pcr_error *err)
{
    char text[96];
    const char *unsafe = x->exporter->abilities & PCRI_EXPORT_NAMES
                             ? pcri_tree_unsafe(info->key)
                             : NULL;
    *item = (struct pcri_export_item) { .index = item->index };
    int rc = note(c, info->key, &item->key, err);
    if (rc || !unsafe)
        return rc;
    snprintf(text, sizeof(text), "left out: not a safe name, %s", unsafe);
    return find(c, item, PCR_EXPORT_UNSAFE, text, err);
}

/* Does with a damaged sample what the user wants. 0: it is left out, or there is a file of
 * item->fidelity. */
static int take_damage(const struct pcri_export *x, struct pcri_export_tools *t,
                       struct pcri_export_chunk *c, struct pcri_export_item *item,
                       const struct pcr_sample *s, int rc, struct pcr_error *err)
{
    char text[PCR_MESSAGE_NBYTES];
    const bool lost = rc == PCR_ERR_UNSUPPORTED && x->o.jpeg == PCR_EXPORT_JPEG_SOURCE;
    if (!lost && (!is_damage(rc) || x->o.damage == PCR_EXPORT_DAMAGE_FAIL))
        return rc;
    snprintf(text, sizeof(text), "%s", err->message);
    if (lost)
        return find(c, item, PCR_EXPORT_UNRESTORABLE, text, err);
    rc = 0;
    if (x->o.damage == PCR_EXPORT_DAMAGE_DEGRADE)
        rc = lower_file(x, t, s, &item->fidelity, err);
    if (!rc && item->fidelity)
        rc = read_rest(x, t, s, c, item, err);
    if (is_damage(rc))
        rc = item->fidelity = 0;
    if (rc)
        return rc;
    if (!item->fidelity)
        return find(c, item, PCR_EXPORT_DAMAGED, text, err);
    snprintf(text, sizeof(text), "damaged: written at fidelity %u", (unsigned) item->fidelity);
    return find(c, item, PCR_EXPORT_DEGRADED, text, err);
}

static int take_alone(const struct pcri_export *x, struct pcri_export_tools *t,
                      struct pcri_export_chunk *c, struct pcri_export_item *item,
                      struct pcr_error *err)
{
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_sample *s = NULL;
    int rc = pcr_sample_acquire(x->ds, item->index, &s, err);
    if (!rc)
        rc = pcr_sample_describe(s, &info, err);
    if (!rc)
        rc = start_item(x, c, item, &info, err);
    if (!rc && !item->finding) {
        rc = sample_file(x, t, s, x->o.fidelity, err);
        if (!rc)
            rc = read_rest(x, t, s, c, item, err);
        if (rc)
            rc = take_damage(x, t, c, item, s, rc, err);
        else
            item->fidelity = x->o.fidelity;
        if (!rc && item->fidelity)
            rc = encode(x, t, c, item, &info, false, err);
    }
    pcr_sample_release(&s);
    return rc;
}

/* What is written of a sample of the slice. */
static int read_from_slice(const struct pcri_export *x, struct pcri_export_tools *t,
                           struct pcri_export_chunk *c, struct pcri_export_item *item,
                           const struct pcr_sample_info *info, struct pcr_error *err)
{
    struct pcr_sample *s = NULL;
    int rc = slice_file(x, t, c, (uint32_t) (item->index - c->index), info, err);
    t->attributes.nbytes = 0;
    t->blob_count = 0;
    if (!rc && (x->info.column_count || x->blobs))
        rc = pcr_sample_acquire(x->ds, item->index, &s, err);
    if (!rc && s)
        rc = read_rest(x, t, s, c, item, err);
    pcr_sample_release(&s);
    return rc;
}

static int take(const struct pcri_export *x, struct pcri_export_tools *t,
                struct pcri_export_chunk *c, uint32_t i, struct pcr_error *err)
{
    struct pcri_export_item *item = &c->items[i];
    struct pcr_sample_info info = { .size = sizeof(info) };
    if (!c->slice)
        return take_alone(x, t, c, item, err);
    int rc = pcr_slice_describe(c->slice, i, &info, err);
    if (!rc)
        rc = start_item(x, c, item, &info, err);
    if (rc || item->finding)
        return rc;
    item->fidelity = x->o.fidelity;
    rc = read_from_slice(x, t, c, item, &info, err);
    if (is_damage(rc))
        return take_alone(x, t, c, item, err);
    return rc ? rc : encode(x, t, c, item, &info, false, err);
}

int pcri_export_rename(const struct pcri_export *x, struct pcri_export_tools *t,
                       struct pcri_export_chunk *c, struct pcri_export_item *item,
                       struct pcr_error *err)
{
    struct pcr_sample_info info = { .size = sizeof(info) };
    struct pcr_sample *s = NULL;
    int rc = pcr_sample_acquire(x->ds, item->index, &s, err);
    if (!rc && !t->decoder)
        rc = pcr_decoder_create(&t->decoder, err);
    if (!rc)
        rc = pcr_sample_describe(s, &info, err);
    if (!rc)
        rc = sample_file(x, t, s, item->fidelity, err);
    if (!rc)
        rc = read_rest(x, t, s, c, item, err);
    if (!rc)
        rc = encode(x, t, c, item, &info, true, err);
    pcr_sample_release(&s);
    return rc;
}

void pcri_export_tools_free(struct pcri_export_tools *t)
{
    pcr_decoder_destroy(&t->decoder);
    pcr_spans_free(&t->spans);
    pcr_buffer_free(&t->file);
    pcr_buffer_free(&t->memory);
    pcr_buffer_free(&t->name);
    pcr_buffer_free(&t->attributes);
    pcri_export_free_blobs(t);
}

/* --- chunks --- */

/* The record cannot be read at all: one item for all of the chunk. */
static int lose_record(const struct pcri_export *x, struct pcri_export_chunk *c,
                       struct pcr_error *err)
{
    char text[PCR_MESSAGE_NBYTES];
    if (x->o.damage == PCR_EXPORT_DAMAGE_FAIL)
        return err->code;
    snprintf(text, sizeof(text), "%s", err->message);
    c->is_lost = true;
    return find(c, &c->items[0], PCR_EXPORT_DAMAGED, text, err);
}

static int read_chunk(const struct pcri_export *x, struct pcri_export_chunk *c,
                      struct pcr_error *err)
{
    struct pcr_sample *s = NULL;
    int rc = pcr_sample_acquire(x->ds, c->index, &s, err);
    if (is_damage(rc))
        rc = lose_record(x, c, err);
    else if (!rc && x->o.jpeg != PCR_EXPORT_JPEG_SOURCE) /* these are restored one by one */
        rc = pcr_slice_read(x->ds, c->record, c->first, c->count, x->o.fidelity, &c->slice,
                            err);
    pcr_sample_release(&s);
    if (is_damage(rc) && !c->is_lost) /* each sample says what it has */
        return 0;
    /* Room for what will be encoded, so that it need not move. */
    return rc || !c->slice
               ? rc
               : pcri_buffer_reserve(
                     &c->bytes, (size_t) pcr_slice_nbytes(c->slice) + (size_t) c->count * 2048,
                     err);
}

void pcri_export_prepare(const struct pcri_export *x, struct pcri_export_tools *t,
                         struct pcri_export_chunk *c)
{
    c->bytes.nbytes = c->texts.nbytes = 0;
    c->is_lost = false;
    c->rc = PCRI_GROW(c->items, c->item_capacity, c->count, &c->err);
    if (!c->rc && !t->decoder)
        c->rc = pcr_decoder_create(&t->decoder, &c->err);
    if (c->rc)
        return;
    for (uint32_t i = 0; i < c->count; i++)
        c->items[i] = (struct pcri_export_item) { .index = c->index + i };
    c->rc = read_chunk(x, c, &c->err);
    for (uint32_t i = 0; i < c->count && !c->rc && !c->is_lost; i++)
        c->rc = take(x, t, c, i, &c->err);
}
