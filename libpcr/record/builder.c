/* SPDX-License-Identifier: BSD-2-Clause */
/* Building a record from coded samples. The bytes depend only on what was added. */
#include <stdlib.h>

#include "builder.h"

enum {
    /* zstd's best level takes too long for very large heads. */
    BEST_LEVEL = 19,
    LARGE_LEVEL = 9,
    LARGE_HEAD_NBYTES = 4 << 20,
};

/* --- adding --- */

int pcri_builder_create(uint32_t group_count, const uint16_t *piece_counts, const char *ladder,
                        struct pcri_builder **out, struct pcr_error *err)
{
    if (group_count < 1 || group_count > PCRI_MAX_GROUPS)
        return pcri_fail(err, PCR_ERR_INVAL, "%u groups, expected 1 to %d", group_count,
                         PCRI_MAX_GROUPS);
    struct pcri_builder *b = pcri_calloc(1, sizeof(*b), err);
    if (!b)
        return PCR_ERR_NOMEM;
    int rc = 0;
    b->group_count = group_count;
    b->max_head_nbytes = UINT64_MAX;
    b->storage = &pcri_files;
    for (uint32_t g = 0; !rc && g < group_count; g++) {
        if (piece_counts[g] < 1 || piece_counts[g] > PCRI_MAX_PIECES)
            rc = pcri_fail(err, PCR_ERR_INVAL, "%u pieces in group %u, expected 1 to %d",
                           piece_counts[g], g + 1, PCRI_MAX_PIECES);
        b->piece_counts[g] = piece_counts[g];
        b->piece_count += piece_counts[g];
        b->piece_first[g + 1] = b->piece_count;
    }
    if (!rc && ladder && !(b->ladder = pcri_strndup(ladder, strlen(ladder), err)))
        rc = PCR_ERR_NOMEM;
    if (rc)
        pcri_builder_destroy(&b);
    else
        *out = b;
    return rc;
}

static void free_sample(struct pcri_builder_sample *s)
{
    free(s->key);
    free(s->attributes);
    free(s->labels);
    free(s->float_labels);
    pcri_coded_free(&s->coded);
    pcri_blob_list_free(&s->blobs);
}

void pcri_builder_destroy(struct pcri_builder **builder)
{
    struct pcri_builder *b = builder ? *builder : NULL;
    if (!b)
        return;
    for (uint32_t i = 0; i < b->count; i++)
        free_sample(&b->samples[i]);
    free(b->samples);
    free(b->ladder);
    pcri_texts_free(&b->skipped);
    pcri_texts_free(&b->notes);
    free(b);
    *builder = NULL;
}

void pcri_builder_limit_head(struct pcri_builder *b, uint64_t max_nbytes)
{
    b->max_head_nbytes = max_nbytes;
}

void pcri_builder_set_schema(struct pcri_builder *b, const struct pcri_schema *schema)
{
    b->schema = schema;
}

void pcri_builder_store_in(struct pcri_builder *b, const struct pcri_storage *storage)
{
    b->storage = storage;
}

uint32_t pcri_builder_count(const struct pcri_builder *b)
{
    return b->count;
}

/* Do the lengths of items and pieces make up the coded sample's bytes? */
static bool lengths_agree(const struct pcri_builder *b, const struct pcri_coded *p)
{
    uint64_t strings = 0, bytes = 0;
    for (uint32_t i = 0; i < p->item_count; i++)
        strings += p->items[i].nbytes;
    for (uint32_t i = 0; i < b->piece_count; i++) {
        strings += p->pieces[i].string_nbytes;
        bytes += p->pieces[i].nbytes;
    }
    return strings == p->strings.nbytes && bytes == p->bytes.nbytes;
}

static int check_coded(const struct pcri_builder *b, const struct pcri_coded *p,
                       struct pcr_error *err)
{
    if (p->coding > UINT8_MAX || p->component_count > 4 || p->orientation > 8 ||
        p->script > 255)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "coded sample: coding %u, %u components, orientation %u, script %u",
                         p->coding, p->component_count, p->orientation, p->script);
    if (!p->pieces || !lengths_agree(b, p))
        return pcri_fail(err, PCR_ERR_INVAL,
                         "coded sample: its lengths do not add up to its bytes");
    uint64_t first_group = 0;
    for (uint32_t i = 0; i < b->piece_first[1]; i++)
        first_group += p->pieces[i].nbytes;
    if (!p->coding && (p->strings.nbytes || p->item_count || first_group != p->bytes.nbytes))
        return pcri_fail(err, PCR_ERR_INVAL, "coded sample: opaque, but not all in group 1");
    return 0;
}

static int grow(struct pcri_builder *b, struct pcr_error *err)
{
    if (b->count >> 31)
        return pcri_fail(err, PCR_ERR_LIMIT, "too many samples in one record");
    return PCRI_GROW(b->samples, b->capacity, b->count + 1, err);
}

/* An opaque sample may come without its pieces: all bytes are the first one's. */
static int default_pieces(const struct pcri_builder *b, struct pcri_coded *p,
                          struct pcr_error *err)
{
    if (p->coding || p->pieces)
        return 0;
    if (p->bytes.nbytes > UINT32_MAX)
        return pcri_fail(err, PCR_ERR_LIMIT, "an opaque sample of %zu bytes", p->bytes.nbytes);
    p->pieces = pcri_calloc(b->piece_count, sizeof(*p->pieces), err);
    if (!p->pieces)
        return PCR_ERR_NOMEM;
    p->pieces[0].nbytes = (uint32_t) p->bytes.nbytes;
    return 0;
}

static int copy_meta(struct pcri_builder_sample *s, const struct pcri_sample_meta *meta,
                     struct pcr_error *err)
{
    const bool floats = meta->float_labels != NULL;
    *s = (struct pcri_builder_sample) { .label_count = meta->label_count, .file = meta->file };
    s->key = pcri_strndup(meta->key, strlen(meta->key), err);
    void *labels = pcri_calloc(meta->label_count, 8, err);
    if (floats)
        s->float_labels = labels;
    else
        s->labels = labels;
    if (meta->attributes && *meta->attributes)
        s->attributes = pcri_strndup(meta->attributes, strlen(meta->attributes), err);
    if (!s->key || !labels || (meta->attributes && *meta->attributes && !s->attributes)) {
        free_sample(s);
        return PCR_ERR_NOMEM;
    }
    if (meta->label_count)
        memcpy(labels, floats ? (const void *) meta->float_labels : meta->labels,
               (size_t) meta->label_count * 8);
    return 0;
}

int pcri_builder_add(struct pcri_builder *b, const struct pcri_sample_meta *meta,
                     struct pcri_coded *coded, struct pcr_error *err)
{
    if (!meta->key)
        return pcri_fail(err, PCR_ERR_INVAL, "a sample without a key");
    if (meta->labels && meta->float_labels)
        return pcri_fail(err, PCR_ERR_INVAL, "a sample with integer and float labels");
    int rc = default_pieces(b, coded, err);
    if (!rc)
        rc = check_coded(b, coded, err);
    if (!rc)
        rc = grow(b, err);
    if (!rc)
        rc = copy_meta(&b->samples[b->count], meta, err);
    if (rc)
        return rc;
    b->restorable |= coded->restore.nbytes != 0;
    b->has_files |= meta->file.known != 0;
    b->samples[b->count++].coded = *coded;
    *coded = (struct pcri_coded) { 0 };
    if (meta->blobs) {
        b->samples[b->count - 1].blobs = *meta->blobs;
        *meta->blobs = (struct pcri_blob_list) { 0 };
    }
    return 0;
}

int pcri_builder_skip(struct pcri_builder *b, const char *json, struct pcr_error *err)
{
    return pcri_texts_add(&b->skipped, json, err);
}

int pcri_builder_note(struct pcri_builder *b, const char *json, struct pcr_error *err)
{
    return pcri_texts_add(&b->notes, json, err);
}

/* --- finishing --- */

/* Enters all strings, sample by sample; then numbers the kept ones in that order. */
static int build_dictionary(struct pcri_build *x, struct pcr_error *err)
{
    const struct pcri_builder *b = x->b;
    size_t count = 0;
    for (uint32_t i = 0; i < b->count; i++)
        count += (size_t) b->samples[i].coded.item_count + b->piece_count;
    x->refs = pcri_calloc(count, sizeof(*x->refs), err);
    x->ref_first = pcri_calloc((uint64_t) b->count + 1, sizeof(*x->ref_first), err);
    if (!x->refs || !x->ref_first)
        return PCR_ERR_NOMEM;

    size_t ref = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct pcri_coded *p = &b->samples[i].coded;
        const uint8_t *s = p->strings.data;
        x->ref_first[i] = ref;
        for (uint32_t k = 0; k < p->item_count + b->piece_count; k++, ref++) {
            bool item = k < p->item_count;
            uint32_t n = item ? p->items[k].nbytes
                              : p->pieces[k - p->item_count].string_nbytes;
            bool needed = !item || p->items[k].kind == PCRI_ITEM_NEEDED;
            int rc = 0;
            if (!item && !n)
                x->refs[ref] = PCRI_NO_STRING;
            else
                rc = pcri_dictionary_add(&x->dictionary, s, n, i, needed, &x->refs[ref], err);
            if (rc)
                return rc;
            if (n)
                s += n;
        }
    }
    x->ref_first[b->count] = ref;
    for (size_t r = 0; r < ref; r++)
        if (x->refs[r] != PCRI_NO_STRING)
            pcri_dictionary_number(&x->dictionary, x->refs[r]);
    return 0;
}

/* Appends the sample's metadata that no other sample of the record has. */
static int append_metadata(const struct pcri_build *x, uint32_t i, struct pcr_buffer *out,
                           struct pcr_error *err)
{
    const struct pcri_coded *p = &x->b->samples[i].coded;
    for (uint32_t k = 0; k < p->item_count; k++) {
        size_t ref = x->ref_first[i] + k;
        const struct pcri_entry *e = &x->dictionary.entries[x->refs[ref]];
        int rc = pcri_item_in_chunk(x, ref) ? pcri_buffer_append(out, e->p, e->nbytes, err)
                                            : 0;
        if (rc)
            return rc;
    }
    return 0;
}

/* Bytes of pieces [from, to) of a sample. */
static uint64_t pieces_nbytes(const struct pcri_coded *p, uint32_t from, uint32_t to)
{
    uint64_t n = 0;
    for (uint32_t k = from; k < to; k++)
        n += p->pieces[k].nbytes;
    return n;
}

/* Puts group g's (from 0) bytes together; the chunks' checks go to check[] if not NULL. This is
 * done twice, as a record begins with its checks: groups that were kept in between would take the
 * memory of all samples again. */
static int assemble_group(const struct pcri_build *x, uint32_t g, struct pcr_buffer *out,
                          uint32_t *check, struct pcr_error *err)
{
    const struct pcri_builder *b = x->b;
    out->nbytes = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct pcri_coded *p = &b->samples[i].coded;
        size_t begin = out->nbytes;
        uint64_t skip = pieces_nbytes(p, 0, b->piece_first[g]);
        uint64_t n = pieces_nbytes(p, b->piece_first[g], b->piece_first[g + 1]);
        int rc = g + 1 == b->group_count ? append_metadata(x, i, out, err) : 0;
        if (!rc && n)
            rc = pcri_buffer_append(out, p->bytes.data + skip, (size_t) n, err);
        if (rc)
            return rc;
        if (check)
            check[i] = pcri_check32(out->data ? out->data + begin : NULL, out->nbytes - begin);
    }
    return 0;
}

/* Works out checksums and sizes; group ends count from 0 until the head's size is known. */
static int measure_groups(struct pcri_build *x, struct pcri_header *h,
                          struct pcr_buffer *scratch, struct pcr_error *err)
{
    const struct pcri_builder *b = x->b;
    uint64_t end = 0;
    x->check = pcri_calloc((uint64_t) b->group_count * b->count, sizeof(*x->check), err);
    if (!x->check)
        return PCR_ERR_NOMEM;
    for (uint32_t g = 0; g < b->group_count; g++) {
        int rc = assemble_group(x, g, scratch, x->check + (size_t) g * b->count, err);
        if (rc)
            return rc;
        end += scratch->nbytes;
        h->groups[g] = (struct pcri_group) {
            .end = end,
            .check = pcri_xxh3(scratch->data, scratch->nbytes),
            .piece_count = b->piece_counts[g],
        };
    }
    return 0;
}

static int check_head(const struct pcri_builder *b, const char *name, size_t nbytes,
                      struct pcr_error *err)
{
    if (nbytes <= b->max_head_nbytes)
        return 0;
    return pcri_fail(err, PCR_ERR_LIMIT,
                     "its %s takes %zu bytes, above the limit of %llu: put fewer samples "
                     "into a record",
                     name, nbytes, (unsigned long long) b->max_head_nbytes);
}

/* Compresses a head or tail, which readers must be able to take. */
static int pack_end(const char *name, const struct pcr_buffer *raw, int level,
                    struct pcr_buffer *out, struct pcr_error *err)
{
    int rc = pcri_zstd_pack(raw->data, raw->nbytes, level, out, err);
    if (!rc && pcri_expands_too_far(out->nbytes, raw->nbytes))
        rc = pcri_fail(err, PCR_ERR_LIMIT,
                       "its %s of %zu bytes is stored as %zu, and readers accept %d times "
                       "as many: put fewer samples into a record",
                       name, raw->nbytes, out->nbytes, PCRI_EXPANSION);
    return rc;
}

/* Makes head and tail, compressed, and completes the header. */
static int build_ends(struct pcri_build *x, struct pcri_header *h, struct pcr_buffer *head,
                      struct pcr_buffer *tail, struct pcr_error *err)
{
    struct pcr_buffer raw = { 0 };
    struct pcr_limits limits = { 0 };
    pcri_limits_fill(&limits); /* what readers take */
    int rc = pcri_head_render(x, &raw, err);
    if (!rc && raw.nbytes > limits.max_head_nbytes)
        rc = pcri_fail(err, PCR_ERR_LIMIT,
                       "a head of %zu bytes, and readers accept %llu: put fewer "
                       "samples into a record",
                       raw.nbytes, (unsigned long long) limits.max_head_nbytes);
    if (!rc)
        rc = check_head(x->b, "head", raw.nbytes, err);
    if (!rc)
        rc = pack_end("head", &raw, raw.nbytes <= LARGE_HEAD_NBYTES ? BEST_LEVEL : LARGE_LEVEL,
                      head, err);
    if (!rc) {
        h->head_nbytes = head->nbytes;
        h->head_raw_nbytes = raw.nbytes;
        h->head_check = pcri_xxh3(head->data, head->nbytes);
    }
    if (!rc &&
        (x->b->skipped.count || x->b->notes.count || x->b->restorable || x->b->has_files)) {
        rc = pcri_tail_render(x->b, &raw, err);
        if (!rc)
            rc = check_head(x->b, "tail", raw.nbytes, err);
        if (!rc)
            rc = pack_end("tail", &raw, BEST_LEVEL, tail, err);
        if (!rc) {
            h->tail_nbytes = tail->nbytes;
            h->tail_raw_nbytes = raw.nbytes;
            h->tail_check = pcri_xxh3(tail->data, tail->nbytes);
        }
    }
    pcr_buffer_free(&raw);
    return rc;
}

static int write_blobs(const struct pcri_blob_list *l, struct pcri_put *p,
                       struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t k = 0; k < l->count && !rc; k++)
        if (l->items[k].bytes.nbytes)
            rc = pcri_put_write(p, l->items[k].bytes.data, l->items[k].bytes.nbytes, err);
    return rc;
}

static int write_record(const struct pcri_build *x, const uint8_t *header,
                        const struct pcri_header *h, const struct pcr_buffer *head,
                        const struct pcr_buffer *tail, struct pcr_buffer *scratch,
                        const char *dir, const char *name, struct pcr_error *err)
{
    struct pcri_put *p = NULL;
    int rc = pcri_put_begin(x->b->storage, dir, name, &p, err);
    if (rc)
        return rc;
    rc = pcri_put_write(p, header, (size_t) h->header_nbytes, err);
    if (!rc)
        rc = pcri_put_write(p, head->data, head->nbytes, err);
    for (uint32_t g = 0; !rc && g < x->b->group_count; g++) {
        rc = assemble_group(x, g, scratch, NULL, err);
        if (!rc)
            rc = pcri_put_write(p, scratch->data, scratch->nbytes, err);
    }
    for (uint32_t i = 0; !rc && i < x->b->count; i++)
        rc = write_blobs(&x->b->samples[i].blobs, p, err);
    if (!rc)
        rc = pcri_put_write(p, tail->data, tail->nbytes, err);
    return pcri_put_end(&p, rc, err);
}

int pcri_builder_finish(struct pcri_builder *b, const char *dir, const char *name,
                        struct pcri_header *header_out, struct pcr_error *err)
{
    if (!b->count)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: a record without samples", name);
    struct pcri_build x = { .b = b };
    struct pcri_header h = {
        .major = 1,
        .sample_count = b->count,
        .group_count = b->group_count,
    };
    for (uint32_t i = 0; i < b->count; i++)
        for (uint32_t k = 0; k < b->samples[i].blobs.count; k++)
            h.blobs_nbytes += b->samples[i].blobs.items[k].bytes.nbytes;
    struct pcr_buffer scratch = { 0 }, head = { 0 }, tail = { 0 };
    uint8_t header[PCRI_HEADER_MAX_NBYTES];

    int rc = build_dictionary(&x, err);
    if (!rc)
        rc = measure_groups(&x, &h, &scratch, err);
    if (!rc)
        rc = build_ends(&x, &h, &head, &tail, err);
    if (!rc) {
        h.header_nbytes = pcri_header_nbytes(b->group_count);
        for (uint32_t g = 0; g < b->group_count; g++)
            h.groups[g].end += h.header_nbytes + head.nbytes;
        pcri_header_write(&h, header);
        if (dir)
            rc = write_record(&x, header, &h, &head, &tail, &scratch, dir, name, err);
    }
    if (!rc && header_out)
        *header_out = h;
    pcri_dictionary_free(&x.dictionary);
    free(x.refs);
    free(x.ref_first);
    free(x.check);
    pcr_buffer_free(&scratch);
    pcr_buffer_free(&head);
    pcr_buffer_free(&tail);
    return rc;
}
