/* SPDX-License-Identifier: BSD-2-Clause */
/* Decks: rows of entries.
 *
 * The copies of a sample are in different rows, and so in different spans, which the order
 * spreads over the epoch: no copies come together because they are read together. Copy 0 of
 * all samples fills slices as a plain epoch does; the higher ones have fewer and fewer
 * samples of each record. */
#include <stdlib.h>

#include "contents.h"
#include "draw.h"

/* A contents in the making, and a part of it. */
struct making {
    const struct pcri_catalog *c;
    struct pcri_contents *contents;
    uint64_t entry_count;
    uint32_t *counts;      /* of the part's members */
    uint64_t first, count; /* the part's members */
    uint64_t first_record, end_record;
    struct pcr_error *err;
};

static int reserve_rows(struct making *m, uint64_t count)
{
    return pcri_resize(&m->contents->rows, m->contents->row_count + count + 1,
                       sizeof(*m->contents->rows), m->err);
}

/* --- as many copies of each --- */

static void add_record(struct making *m, uint64_t record, uint32_t copy)
{
    const struct pcri_catalog_record *r = &m->c->records[record];
    if (r[1].first_member == r->first_member)
        return;
    m->contents->rows[m->contents->row_count++] = (struct pcri_contents_row) {
        .record = record,
        .first_entry = m->entry_count,
        .copy = copy,
    };
    for (uint64_t i = r->first_member; m->contents->places && i < r[1].first_member; i++)
        m->contents->places[m->entry_count + i - r->first_member] =
            (uint32_t) (pcri_catalog_number(m->c, i) - r->first_number);
    m->entry_count += r[1].first_member - r->first_member;
}

static int add_copies(struct making *m, uint64_t copies)
{
    uint64_t records = m->end_record - m->first_record, rows;
    if (__builtin_mul_overflow(records, copies, &rows))
        return pcri_fail_nomem(m->err, SIZE_MAX);
    int rc = reserve_rows(m, rows);
    for (uint64_t copy = 0; copy < copies && !rc; copy++)
        for (uint64_t r = m->first_record; r < m->end_record; r++)
            add_record(m, r, (uint32_t) copy);
    return rc;
}

/* --- drawn counts --- */

/* The copies with one number, of all members of the part that have as many. */
struct layer {
    uint64_t entry_count, row_count; /* then: where the next ones go */
    uint64_t last_record;            /* that the layer has a row of */
};

/* Calls for each copy of each member, record by record: its layer grows. */
static void count_layers(const struct making *m, struct layer *layers)
{
    for (uint64_t r = m->first_record; r < m->end_record; r++)
        for (uint64_t i = m->c->records[r].first_member; i < m->c->records[r + 1].first_member;
             i++)
            for (uint32_t copy = 0; copy < m->counts[i - m->first]; copy++) {
                struct layer *l = &layers[copy];
                l->entry_count++;
                l->row_count += l->last_record != r;
                l->last_record = r;
            }
}

/* Turns their sizes into the places where they begin. */
static uint64_t place_layers(struct making *m, struct layer *layers, uint64_t count)
{
    uint64_t entry = m->entry_count, row = m->contents->row_count;
    for (uint64_t k = 0; k < count; k++) {
        uint64_t entries = layers[k].entry_count, rows = layers[k].row_count;
        layers[k] = (struct layer) { entry, row, UINT64_MAX };
        entry += entries;
        row += rows;
    }
    m->entry_count = entry;
    return row;
}

static void fill_layers(struct making *m, struct layer *layers)
{
    struct pcri_contents *contents = m->contents;
    for (uint64_t r = m->first_record; r < m->end_record; r++)
        for (uint64_t i = m->c->records[r].first_member; i < m->c->records[r + 1].first_member;
             i++)
            for (uint32_t copy = 0; copy < m->counts[i - m->first]; copy++) {
                struct layer *l = &layers[copy];
                if (l->last_record != r)
                    contents->rows[l->row_count++] = (struct pcri_contents_row) {
                        .record = r,
                        .first_entry = l->entry_count,
                        .copy = copy,
                    };
                l->last_record = r;
                contents->places[l->entry_count++] =
                    (uint32_t) (pcri_catalog_number(m->c, i) - m->c->records[r].first_number);
            }
}

static int add_counts(struct making *m)
{
    uint64_t count = 0, rows = 0;
    for (uint64_t i = 0; i < m->count; i++)
        count = m->counts[i] > count ? m->counts[i] : count;
    struct layer *layers = pcri_calloc(count, sizeof(*layers), m->err);
    if (!layers)
        return PCR_ERR_NOMEM;
    for (uint64_t k = 0; k < count; k++)
        layers[k].last_record = UINT64_MAX;
    count_layers(m, layers);
    for (uint64_t k = 0; k < count; k++)
        rows += layers[k].row_count;
    int rc = reserve_rows(m, rows);
    if (!rc) {
        rows = place_layers(m, layers, count);
        fill_layers(m, layers);
        m->contents->row_count = rows;
    }
    free(layers);
    return rc;
}

static int draw_part(struct making *m, uint32_t part, uint64_t epoch)
{
    const struct pcri_catalog *c = m->c;
    struct pcri_draw d = {
        .weights = c->weights ? c->weights + m->first : NULL,
        .count = m->count,
        .take = c->parts[part].take,
        .once = c->options.flags & PCR_LOADER_ONCE,
        .key = pcri_stream_key(c->options.seed, PCRI_STREAM_DRAW, epoch, part),
    };
    m->counts = pcri_calloc(m->count, sizeof(*m->counts), m->err);
    int rc = m->counts ? pcri_draw(&d, m->counts, m->err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = add_counts(m);
    free(m->counts);
    return rc;
}

/* --- the whole --- */

static int add_part(struct making *m, uint32_t part, uint64_t epoch)
{
    const struct pcri_catalog_part *p = &m->c->parts[part];
    m->first = p->first_member;
    m->count = p[1].first_member - m->first;
    m->first_record = p->first_record;
    m->end_record = p[1].first_record;
    if (!p->take)
        return 0;
    return m->c->drawn ? draw_part(m, part, epoch) : add_copies(m, p->take / m->count);
}

/* Cuts the rows from first_row on into spans, which begin with number `span`. */
static uint64_t cut_spans(const struct making *m, uint64_t first_row, uint64_t span)
{
    struct pcri_contents *contents = m->contents;
    contents->rows[contents->row_count] = (struct pcri_contents_row) {
        .first_entry = m->entry_count
    };
    for (uint64_t i = first_row; i < contents->row_count; i++) {
        struct pcri_contents_row *row = &contents->rows[i];
        uint64_t size = m->c->records[row->record].span_samples;
        row->first_span = span;
        span += (row[1].first_entry - row->first_entry + size - 1) / size;
    }
    contents->rows[contents->row_count].first_span = span;
    return span;
}

int pcri_contents_create(const struct pcri_catalog *c, uint64_t epoch,
                         struct pcri_contents **out, struct pcr_error *err)
{
    struct pcri_contents *contents = pcri_calloc(1, sizeof(*contents), err);
    struct making m = { .c = c, .contents = contents, .err = err };
    int rc = contents ? reserve_rows(&m, 0) : PCR_ERR_NOMEM;
    if (!rc && !(contents->first_spans = pcri_calloc((uint64_t) c->part_count + 1,
                                                     sizeof(uint64_t), err)))
        rc = PCR_ERR_NOMEM;
    if (!rc && (c->drawn || c->indices) &&
        !(contents->places = pcri_calloc(c->entry_count, sizeof(uint32_t), err)))
        rc = PCR_ERR_NOMEM;
    for (uint32_t k = 0; k < c->part_count && !rc; k++) {
        uint64_t first_row = contents->row_count;
        rc = add_part(&m, k, epoch);
        if (!rc)
            contents->span_count = cut_spans(&m, first_row, contents->first_spans[k]);
        contents->first_spans[k + 1] = contents->span_count;
    }
    if (rc)
        pcri_contents_destroy(&contents);
    else
        *out = contents;
    return rc;
}

void pcri_contents_destroy(struct pcri_contents **contents)
{
    if (!contents || !*contents)
        return;
    free((*contents)->rows);
    free((*contents)->places);
    free((*contents)->first_spans);
    free(*contents);
    *contents = NULL;
}
