/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing heads and tails, column by column (docs/FORMAT.md 3.2, 3.5). */
#include <stdlib.h>

#include "builder.h"
#include "columns.h"
#include "file_infos.h"

/* Columns as they are made: each appends to `bytes`, and notes what it took. */
struct table {
    const struct pcri_build *x;
    const struct pcri_builder *b;
    struct pcr_buffer bytes, entries;
    uint32_t count;
    size_t begin; /* of the column that is being made */
    int rc;       /* the first failure; later calls do nothing */
    struct pcr_error *err;
};

static void put(struct table *t, const void *p, size_t nbytes)
{
    if (!t->rc)
        t->rc = pcri_buffer_append(&t->bytes, p, nbytes, t->err);
}

static void put_varint(struct table *t, uint64_t v)
{
    if (!t->rc)
        t->rc = pcri_buffer_append_varint(&t->bytes, v, t->err);
}

static void put_byte(struct table *t, uint64_t v)
{
    uint8_t byte = (uint8_t) v;
    put(t, &byte, 1);
}

static void put_word(struct table *t, uint64_t v)
{
    uint8_t word[4];
    pcri_store32(word, (uint32_t) v);
    put(t, word, sizeof(word));
}

static void end_column(struct table *t, uint16_t id, uint16_t flags)
{
    uint8_t entry[16] = { 0 };
    pcri_store16(entry, id);
    pcri_store16(entry + 2, flags);
    pcri_store64(entry + 8, t->bytes.nbytes - t->begin);
    if (!t->rc)
        t->rc = pcri_buffer_append(&t->entries, entry, sizeof(entry), t->err);
    t->begin = t->bytes.nbytes;
    t->count++;
}

/* Keeps the column if it says anything but what its absence says. */
static void end_optional(struct table *t, uint16_t id, uint16_t flags, bool any)
{
    if (any)
        end_column(t, id, flags);
    else
        t->bytes.nbytes = t->begin;
}

static const struct pcri_coded *coded(const struct table *t, uint32_t i)
{
    return &t->b->samples[i].coded;
}

static void put_keys(struct table *t)
{
    for (uint32_t i = 0; i < t->b->count; i++)
        put_varint(t, strlen(t->b->samples[i].key));
    for (uint32_t i = 0; i < t->b->count; i++)
        put(t, t->b->samples[i].key, strlen(t->b->samples[i].key));
    end_column(t, PCRI_COLUMN_KEY, PCRI_COLUMN_REQUIRED);
}

static uint32_t label_count(const struct table *t, uint32_t i, bool floats)
{
    const struct pcri_builder_sample *s = &t->b->samples[i];
    return (s->float_labels != NULL) == floats ? s->label_count : 0;
}

static void put_labels(struct table *t)
{
    for (uint32_t i = 0; i < t->b->count; i++)
        put_varint(t, label_count(t, i, false));
    for (uint32_t i = 0; i < t->b->count; i++)
        for (uint32_t k = 0; k < label_count(t, i, false); k++)
            put_varint(t, pcri_zigzag(t->b->samples[i].labels[k]));
    end_column(t, PCRI_COLUMN_LABELS, PCRI_COLUMN_REQUIRED);
}

static void put_float_labels(struct table *t)
{
    bool any = false;
    for (uint32_t i = 0; i < t->b->count; i++) {
        any |= label_count(t, i, true) != 0;
        put_varint(t, label_count(t, i, true));
    }
    for (uint32_t i = 0; i < t->b->count; i++)
        for (uint32_t k = 0; k < label_count(t, i, true); k++) {
            uint64_t bits;
            uint8_t bytes[8];
            memcpy(&bits, &t->b->samples[i].float_labels[k], sizeof(bits));
            pcri_store64(bytes, bits);
            put(t, bytes, sizeof(bytes));
        }
    end_optional(t, PCRI_COLUMN_FLOAT_LABELS, PCRI_COLUMN_REQUIRED, any);
}

static void put_attributes(struct table *t)
{
    const uint32_t n = t->b->count;
    struct pcri_attribute_row *rows = pcri_calloc(n, sizeof(*rows), t->err);
    if (!rows)
        t->rc = PCR_ERR_NOMEM;
    for (uint32_t i = 0; rows && i < n; i++)
        rows[i] = (struct pcri_attribute_row) { t->b->samples[i].key,
                                                t->b->samples[i].attributes };
    if (!t->rc)
        t->rc = pcri_attributes_pack(t->b->schema, rows, n, &t->bytes, t->err);
    free(rows);
    end_optional(t, PCRI_COLUMN_ATTRIBUTES, 0, t->bytes.nbytes > t->begin);
}

static void put_blobs(struct table *t)
{
    const uint32_t n = t->b->count;
    const struct pcri_blob_list **lists = pcri_calloc(n, sizeof(*lists), t->err);
    if (!lists)
        t->rc = PCR_ERR_NOMEM;
    for (uint32_t i = 0; lists && i < n; i++)
        lists[i] = &t->b->samples[i].blobs;
    if (!t->rc)
        t->rc = pcri_blobs_pack(lists, n, &t->bytes, t->err);
    free(lists);
    end_optional(t, PCRI_COLUMN_BLOBS, 0, t->bytes.nbytes > t->begin);
}

static uint64_t value_of(const struct pcri_coded *c, enum pcri_column id)
{
    switch (id) {
    case PCRI_COLUMN_WIDTH:
        return c->width;
    case PCRI_COLUMN_HEIGHT:
        return c->height;
    case PCRI_COLUMN_COMPONENTS:
        return c->component_count;
    case PCRI_COLUMN_SAMPLING:
        return c->sampling;
    case PCRI_COLUMN_ORIENTATION:
        return c->orientation ? c->orientation : 1;
    case PCRI_COLUMN_SCRIPT:
        return c->script;
    default:
        return c->source_nbytes;
    }
}

/* One value per sample. A column that is not required is left out if all values are those of
 * its absence. */
static void put_values(struct table *t, enum pcri_column id,
                       void (*put_one)(struct table *t, uint64_t v), bool required)
{
    uint64_t absent = id == PCRI_COLUMN_ORIENTATION;
    bool any = required;
    for (uint32_t i = 0; i < t->b->count; i++) {
        uint64_t v = value_of(coded(t, i), id);
        any |= v != absent;
        put_one(t, v);
    }
    end_optional(t, (uint16_t) id, required ? PCRI_COLUMN_REQUIRED : 0, any);
}

/* A sample without qualities is opaque, and whole in group 1. */
static unsigned quality_at(const struct table *t, uint32_t i, size_t k)
{
    const uint8_t *q = coded(t, i)->quality;
    return q ? q[k] : 255;
}

static void put_quality(struct table *t)
{
    const size_t cells = (size_t) (t->b->group_count - 1) * PCRI_QUALITY_SCALES;
    bool any = false;
    for (uint32_t i = 0; i < t->b->count; i++)
        any |= coded(t, i)->quality != NULL;
    for (size_t k = 0; any && k < cells; k++) {
        const size_t step = pcri_quality_step(k);
        for (uint32_t i = 0; i < t->b->count; i++)
            put_byte(t, quality_at(t, i, k) - (step ? quality_at(t, i, k - step) : 0));
    }
    end_optional(t, PCRI_COLUMN_QUALITY, 0, any);
}

static void put_image_columns(struct table *t)
{
    for (uint32_t g = 0; g < t->b->group_count; g++)
        for (uint32_t i = 0; i < t->b->count; i++)
            put_byte(t, coded(t, i)->exact && g + 1 == t->b->group_count
                            ? PCRI_CODING_RESIDUAL
                            : coded(t, i)->coding);
    end_column(t, PCRI_COLUMN_CODING, PCRI_COLUMN_REQUIRED);
    put_values(t, PCRI_COLUMN_WIDTH, put_varint, true);
    put_values(t, PCRI_COLUMN_HEIGHT, put_varint, true);
    put_values(t, PCRI_COLUMN_COMPONENTS, put_byte, true);
    put_values(t, PCRI_COLUMN_SAMPLING, put_word, false);
    put_values(t, PCRI_COLUMN_ORIENTATION, put_byte, false);
    put_values(t, PCRI_COLUMN_SCRIPT, put_byte, false);
    if (t->b->ladder) {
        put(t, t->b->ladder, strlen(t->b->ladder));
        end_column(t, PCRI_COLUMN_LADDER, 0);
    }
    put_values(t, PCRI_COLUMN_SOURCE_NBYTES, put_varint, false);
    put_quality(t);
}

static void put_dictionary(struct table *t)
{
    const struct pcri_dictionary *d = &t->x->dictionary;
    if (!d->number_count)
        return;
    put_varint(t, d->number_count);
    /* Numbers rise with the entries' first use as a kept string, which need not be the order
     * of the entries; hence the detour over `order`. */
    const struct pcri_entry **order = pcri_calloc(d->number_count, sizeof(*order), t->err);
    if (!order) {
        t->rc = PCR_ERR_NOMEM;
        return;
    }
    for (uint32_t i = 0; i < d->count; i++)
        if (d->entries[i].numbered)
            order[d->entries[i].number] = &d->entries[i];
    for (uint32_t i = 0; i < d->number_count; i++)
        put_varint(t, order[i]->nbytes);
    for (uint32_t i = 0; i < d->number_count; i++)
        put(t, order[i]->p, order[i]->nbytes);
    free(order);
    end_column(t, PCRI_COLUMN_DICTIONARY, PCRI_COLUMN_REQUIRED);
}

static void put_items(struct table *t)
{
    bool any = false;
    for (uint32_t i = 0; i < t->b->count; i++) {
        any |= coded(t, i)->item_count != 0;
        put_varint(t, coded(t, i)->item_count);
    }
    for (uint32_t i = 0; i < t->b->count; i++)
        for (uint32_t k = 0; k < coded(t, i)->item_count; k++) {
            size_t ref = t->x->ref_first[i] + k;
            const struct pcri_entry *e = &t->x->dictionary.entries[t->x->refs[ref]];
            put_varint(t, e->kept ? (uint64_t) e->number << 1 : (uint64_t) e->nbytes << 1 | 1);
        }
    end_optional(t, PCRI_COLUMN_HEADER, PCRI_COLUMN_REQUIRED, any);
}

/* The number of the string before a piece, plus 1; 0 if there is none. */
static uint32_t piece_string(const struct table *t, uint32_t piece, uint32_t i)
{
    uint32_t ref = t->x->refs[t->x->ref_first[i] + coded(t, i)->item_count + piece];
    return ref == PCRI_NO_STRING ? 0 : t->x->dictionary.entries[ref].number + 1;
}

static void put_pieces(struct table *t)
{
    bool any = false;
    for (uint32_t k = 0; k < t->b->piece_count; k++)
        for (uint32_t i = 0; i < t->b->count; i++) {
            any |= piece_string(t, k, i) != 0;
            put_varint(t, piece_string(t, k, i));
        }
    end_optional(t, PCRI_COLUMN_PIECE_STRING, PCRI_COLUMN_REQUIRED, any);
    for (uint32_t k = 0; k < t->b->piece_count; k++)
        for (uint32_t i = 0; i < t->b->count; i++)
            put_varint(t, coded(t, i)->pieces[k].nbytes);
    end_column(t, PCRI_COLUMN_PIECE_NBYTES, PCRI_COLUMN_REQUIRED);
    for (size_t c = 0; c < (size_t) t->b->group_count * t->b->count; c++)
        put_word(t, t->x->check[c]);
    end_column(t, PCRI_COLUMN_CHECK, PCRI_COLUMN_REQUIRED);
}

/* Joins the table of columns and their bytes. */
static int finish_table(struct table *t, struct pcr_buffer *out)
{
    uint8_t count[4];
    pcri_store32(count, t->count);
    out->nbytes = 0;
    if (!t->rc)
        t->rc = pcri_buffer_append(out, count, sizeof(count), t->err);
    if (!t->rc)
        t->rc = pcri_buffer_append(out, t->entries.data, t->entries.nbytes, t->err);
    if (!t->rc)
        t->rc = pcri_buffer_append(out, t->bytes.data, t->bytes.nbytes, t->err);
    pcr_buffer_free(&t->bytes);
    pcr_buffer_free(&t->entries);
    return t->rc;
}

int pcri_head_render(const struct pcri_build *x, struct pcr_buffer *out, struct pcr_error *err)
{
    struct table t = { .x = x, .b = x->b, .err = err };
    put_keys(&t);
    put_labels(&t);
    put_float_labels(&t);
    put_attributes(&t);
    put_image_columns(&t);
    put_dictionary(&t);
    put_items(&t);
    put_pieces(&t);
    put_blobs(&t);
    return finish_table(&t, out);
}

static void put_texts(struct table *t, const struct pcri_texts_made *texts, uint16_t id)
{
    if (!texts->count)
        return;
    put_varint(t, texts->count);
    put(t, texts->lengths.data, texts->lengths.nbytes);
    put(t, texts->bytes.data, texts->bytes.nbytes);
    end_column(t, id, 0);
}

/* A sample without a program has no check, either. */
static void put_restore(struct table *t)
{
    if (!t->b->restorable)
        return;
    for (uint32_t i = 0; i < t->b->count; i++)
        put_word(t, coded(t, i)->restore.nbytes ? coded(t, i)->restore_check : 0);
    for (uint32_t i = 0; i < t->b->count; i++)
        put_varint(t, coded(t, i)->restore.nbytes);
    for (uint32_t i = 0; i < t->b->count; i++)
        put(t, coded(t, i)->restore.data, coded(t, i)->restore.nbytes);
    end_column(t, PCRI_TAIL_RESTORE, 0);
}

static void put_files(struct table *t)
{
    struct pcr_buffer bytes = { 0 };
    if (!t->b->has_files || t->rc)
        return;
    struct pcr_file_info *infos = pcri_calloc(t->b->count, sizeof(*infos), t->err);
    for (uint32_t i = 0; infos && i < t->b->count; i++)
        infos[i] = t->b->samples[i].file;
    t->rc = infos ? pcri_file_infos_render(infos, t->b->count, &bytes, t->err) : PCR_ERR_NOMEM;
    put(t, bytes.data, bytes.nbytes);
    end_column(t, PCRI_TAIL_FILES, 0);
    pcr_buffer_free(&bytes);
    free(infos);
}

int pcri_tail_render(const struct pcri_builder *b, struct pcr_buffer *out,
                     struct pcr_error *err)
{
    struct table t = { .b = b, .err = err };
    put_texts(&t, &b->skipped, PCRI_TAIL_SKIPPED);
    put_restore(&t);
    put_texts(&t, &b->notes, PCRI_TAIL_NOTES);
    put_files(&t);
    return finish_table(&t, out);
}
