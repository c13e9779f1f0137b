/* SPDX-License-Identifier: BSD-2-Clause */
/* Running restore programs. Segments are put together; at each scan those since the last are
 * parsed as a decoder would, and coefficients coded with the tables that they define. One scan of
 * known tables is coded row by row, as its rows are decoded; else all coefficients come first. */
#include <stdlib.h>

#include "restore.h"

enum {
    MOST_LEVELS = 14, /* of progressive scans: planes 0 to 13 */
    /* libjpeg's, of correction bits that it holds. */
    MOST_BITS = 937,
    MOST_DEFERRED = 16,
};

/* A DHT segment with tables that are known only when the next scan is. */
struct deferred {
    size_t at;         /* in the output */
    const uint8_t *of; /* the program's tables */
    const uint8_t *end;
    uint64_t count;
};

struct run {
    struct pcri_restorer *r;
    const struct pcri_restore_input *in;
    struct pcri_cursor program;
    struct pcr_buffer *out;
    size_t header_at; /* in in->header */
    size_t parsed;    /* bytes of the output that are parsed, or scans' data */
    struct deferred deferred[MOST_DEFERRED];
    uint32_t deferred_count;
    bool loaded;       /* all coefficients are there, */
    uint32_t levels;   /* with so many levels of masks */
    bool streamed;     /* or they were there, and are gone */
    bool loaded_plain; /* r->plain, too */
    bool ended;
    struct pcri_blocks planes[4]; /* of what is loaded */
    const struct pcri_coefs *coefs;
    const uint8_t *padding; /* the program's */
    size_t padding_nbytes;
    bool padding_parsed;
    struct pcr_error *err;
};

void pcri_restorer_free(struct pcri_restorer *r)
{
    pcri_jpeg_file_free(&r->file);
    pcri_coefs_free(&r->coefs);
    pcri_padding_free(&r->padding);
    pcri_padding_free(&r->plain);
    pcri_symbols_free(&r->symbols);
    free(r->scans);
    *r = (struct pcri_restorer) { 0 };
}

static int corrupt(const struct run *u, const char *what)
{
    return pcri_fail(u->err, PCR_ERR_CORRUPT, "restore data: %s", what);
}

/* What patches are applied to may be larger than the file, though not by much. */
static int check_nbytes(const struct run *u, uint64_t nbytes)
{
    const uint64_t most = u->in->max_nbytes;
    u->r->most_nbytes = nbytes > u->r->most_nbytes ? nbytes : u->r->most_nbytes;
    return nbytes <= pcri_restore_bound(most) ? 0 : corrupt(u, "more bytes than the file has");
}

static int append(const struct run *u, const void *p, size_t nbytes)
{
    int rc = check_nbytes(u, (uint64_t) u->out->nbytes + nbytes);
    return rc ? rc : pcri_buffer_append(u->out, p, nbytes, u->err);
}

/* --- all coefficients --- */

static void copy_row(const struct pcri_blocks *from, struct pcri_plane *to, uint32_t row)
{
    const size_t n = from->blocks_x, place = pcri_row_place(from, row);
    int16_t *coef = to->coef + 64 * n * row;
    if (from->has_ac) {
        memcpy(coef, from->coef + 64 * place, 64 * n * sizeof(*coef));
        return;
    }
    for (size_t x = 0; x < n; x++)
        pcri_begin_block(coef + 64 * x, from->dc[place + x]);
}

/* Takes all rows down the picture. */
static int load_rows(struct run *u)
{
    const struct pcri_block_source *b = u->in->source;
    const struct pcri_jpeg_file *f = b->file;
    struct pcri_coefs *c = &u->r->coefs;
    const uint32_t rows = (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
    int rc = pcri_coefs_reserve(c, f, MOST_LEVELS, u->err);
    for (uint32_t my = 0; my < rows && !rc; my++)
        for (uint32_t i = 0; i < f->component_count; i++) {
            const uint32_t v = f->components[i].v, all = c->planes[i].blocks_y;
            const uint32_t end = (my + 1) * v < all ? (my + 1) * v : all;
            if (b->advance)
                b->advance(b->state, i, end);
            for (uint32_t y = my * v; y < end; y++)
                copy_row(&b->planes[i], &c->planes[i], y);
        }
    return rc;
}

/* Has all coefficients there, and so many levels of their masks. */
static int load(struct run *u, uint32_t levels)
{
    struct pcri_coefs *c = &u->r->coefs;
    if (!u->loaded) {
        int rc = u->streamed    ? corrupt(u, "more scans than were counted")
                 : u->in->coefs ? 0
                                : load_rows(u);
        if (rc)
            return rc;
        u->loaded = true;
        u->coefs = u->in->coefs ? u->in->coefs : c;
        pcri_coefs_view(u->coefs, u->planes);
    }
    if (u->coefs == c && u->levels < levels) {
        u->levels = levels < MOST_LEVELS ? levels : MOST_LEVELS;
        pcri_coefs_index(c, u->levels);
    }
    return 0;
}

/* --- tables --- */

static int put_table(const struct run *u, uint8_t id, const uint8_t *counts,
                     const uint8_t *values, size_t value_count, struct pcr_buffer *out)
{
    int rc = pcri_buffer_append(out, &id, 1, u->err);
    if (!rc)
        rc = pcri_buffer_append(out, counts, 16, u->err);
    return rc ? rc : pcri_buffer_append(out, values, value_count, u->err);
}

/* A literal table's counts, 16 bytes, and then its values; NULL if they are cut off. */
static const uint8_t *get_literal(struct pcri_cursor *p, size_t *value_count_out)
{
    const uint8_t *counts = pcri_get_bytes(p, 16);
    size_t n = 0;
    for (int i = 0; counts && i < 16; i++)
        n += counts[i];
    if (value_count_out)
        *value_count_out = n;
    return counts && pcri_get_bytes(p, n) ? counts : NULL;
}

/* A table that is optimal for the scan; optimal NULL: not known yet. PCR_END: it is such a one, to
 * be made later. */
static int render_table(const struct run *u, struct pcri_cursor *p,
                        const struct pcri_huffman *optimal, struct pcr_buffer *out)
{
    const uint8_t *head = pcri_get_bytes(p, 2);
    if (!head || head[0] >> 4 > 1 || (head[0] & 15) > 3 || head[1] > PCRI_TABLE_OPTIMAL)
        return corrupt(u, "a table is damaged");
    if (head[1] == PCRI_TABLE_OPTIMAL) {
        const struct pcri_huffman *h = optimal ? &optimal[(head[0] >> 4) * 4 + (head[0] & 15)]
                                               : NULL;
        return h ? put_table(u, head[0], h->counts + 1, h->values, h->value_count, out)
                 : PCR_END;
    }
    if (head[1] != PCRI_TABLE_LITERAL) {
        const struct pcri_dht *t = &pcri_standard_tables[head[1] - PCRI_TABLE_STANDARD];
        return put_table(u, head[0], t->counts + 1, t->values, t->value_count, out);
    }
    size_t n;
    const uint8_t *counts = get_literal(p, &n);
    return counts ? put_table(u, head[0], counts, counts + 16, n, out)
                  : corrupt(u, "a table is cut off");
}

/* Renders the tables' segment; moves *p past them. */
static int render_tables(const struct run *u, struct pcri_cursor *p, uint64_t count,
                         const struct pcri_huffman *optimal, struct pcr_buffer *out)
{
    bool later = false;
    int rc = count && count <= 8 ? pcri_buffer_append(out, "\xFF\xC4\0\0", 4, u->err)
                                 : corrupt(u, "a segment without tables, or of too many");
    for (uint64_t i = 0; i < count && !rc; i++) {
        rc = render_table(u, p, optimal, out);
        later |= rc == PCR_END;
        rc = rc == PCR_END ? 0 : rc;
    }
    if (rc)
        return rc;
    out->data[2] = (uint8_t) ((out->nbytes - 2) >> 8);
    out->data[3] = (uint8_t) (out->nbytes - 2);
    return later ? PCR_END : 0;
}

static int add_tables(struct run *u, uint64_t count)
{
    struct pcr_buffer segment = { 0 };
    struct deferred d = { u->out->nbytes, u->program.p, NULL, count };
    int rc = render_tables(u, &u->program, count, NULL, &segment);
    if (!rc)
        rc = append(u, segment.data, segment.nbytes);
    if (rc == PCR_END && u->deferred_count == MOST_DEFERRED)
        rc = corrupt(u, "too many tables before a scan");
    d.end = u->program.p;
    if (rc == PCR_END) {
        u->deferred[u->deferred_count++] = d;
        rc = 0;
    }
    pcr_buffer_free(&segment);
    return rc;
}

/* Puts the segments that were left out into their places. */
static int insert_deferred(struct run *u, const struct pcri_huffman *optimal)
{
    struct pcr_buffer segment = { 0 };
    int rc = 0;
    while (u->deferred_count && !rc) {
        const struct deferred *d = &u->deferred[--u->deferred_count];
        struct pcri_cursor p = { d->of, d->end, false };
        const size_t after = u->out->nbytes - d->at;
        segment.nbytes = 0;
        rc = render_tables(u, &p, d->count, optimal, &segment);
        if (!rc)
            rc = pcri_dht_parse(segment.data, segment.nbytes, u->r->tables, u->err);
        if (!rc)
            rc = append(u, segment.data, segment.nbytes); /* for room */
        if (rc)
            break;
        memmove(u->out->data + d->at + segment.nbytes, u->out->data + d->at, after);
        memcpy(u->out->data + d->at, segment.data, segment.nbytes);
    }
    pcr_buffer_free(&segment);
    return rc;
}

/* --- scans --- */

/* A table as in the file; a sequential file may lack the standard's. */
static const struct pcri_dht *find_table(const struct pcri_restorer *r, unsigned klass,
                                         unsigned slot)
{
    const struct pcri_dht *t = &r->tables[4 * klass + slot];
    return t->defined || r->file.sof == M_SOF2 || slot > 1
               ? t
               : &pcri_standard_tables[2 * klass + slot];
}

static bool same_table(const struct pcri_dht *a, const struct pcri_dht *b)
{
    return a->defined == b->defined && a->value_count == b->value_count &&
           !memcmp(a->counts, b->counts, sizeof(a->counts)) &&
           !memcmp(a->values, b->values, a->value_count);
}

static const struct pcri_dc_codes *dc_codes(struct pcri_restorer *r, unsigned slot)
{
    const struct pcri_dht *t = find_table(r, 0, slot);
    if (!same_table(t, &r->dc[slot].of)) {
        r->dc[slot].of = *t;
        pcri_dc_codes_make(t, &r->dc[slot].codes);
    }
    return &r->dc[slot].codes;
}

static const struct pcri_ac_codes *ac_codes(struct pcri_restorer *r, unsigned slot)
{
    const struct pcri_dht *t = find_table(r, 1, slot);
    if (!same_table(t, &r->ac[slot].of)) {
        r->ac[slot].of = *t;
        pcri_ac_codes_make(t, &r->ac[slot].codes);
    }
    return &r->ac[slot].codes;
}

/* For symbols of progressive scans. */
static void to_huffman(const struct pcri_dht *t, struct pcri_huffman *out)
{
    unsigned code = 0, i = 0;
    memset(out, 0, sizeof(*out));
    for (unsigned n = 1; n <= 16; n++, code <<= 1)
        for (unsigned k = 0; k < t->counts[n] && i < t->value_count; k++) {
            out->lengths[t->values[i]] = (uint8_t) n;
            out->codes[t->values[i++]] = (uint16_t) code++;
        }
}

/* A scan's header: components by index, tables' slots (DC << 4 | AC). */
struct sos {
    struct pcri_scan scan;
    uint8_t slots[4];
};

static bool read_sos(const struct pcri_jpeg_file *f, const uint8_t *p, size_t nbytes,
                     struct sos *out)
{
    const unsigned n = nbytes > 4 ? p[4] : 0;
    unsigned blocks = 0;
    *out = (struct sos) { 0 };
    if (!n || n > 4 || nbytes != 8 + 2 * (size_t) n)
        return false;
    out->scan.component_count = (uint8_t) n;
    for (unsigned i = 0; i < n; i++) {
        uint32_t c = i; /* of equal identifiers each means the next component */
        while (c < f->component_count && f->components[c].id != p[5 + 2 * i])
            c++;
        if (c == f->component_count || (i && c <= out->scan.components[i - 1]))
            return false;
        out->scan.components[i] = (uint8_t) c;
        out->slots[i] = p[6 + 2 * i];
        if (out->slots[i] >> 4 > 3 || (out->slots[i] & 15) > 3)
            return false;
        blocks += (unsigned) f->components[c].h * f->components[c].v;
    }
    out->scan.ss = p[5 + 2 * n];
    out->scan.se = p[6 + 2 * n];
    out->scan.ah = p[7 + 2 * n] >> 4;
    out->scan.al = p[7 + 2 * n] & 15;
    if (f->sof != M_SOF2)
        return n == 1 || blocks <= 10;
    const struct pcri_scan *s = &out->scan;
    return (n == 1 || (!s->ss && blocks <= 10)) && s->ss <= s->se && s->se <= 63 &&
           (s->ss || !s->se) && s->al < MOST_LEVELS - 1 && (!s->ah || s->ah == s->al + 1);
}

/* Parses the segments since the last scan, of which the last must be the scan's. */
static int parse_segments(struct run *u, struct sos *out)
{
    struct pcri_restorer *r = u->r;
    struct pcri_jpeg_file *f = &r->file;
    const struct pcr_limits limits = { .max_pixels = UINT64_MAX, .max_scans = UINT32_MAX };
    const uint8_t *data = u->out->data + u->parsed;
    int rc = u->out->nbytes > u->parsed
                 ? pcri_jpeg_file_add(f, data, u->out->nbytes - u->parsed, &limits, u->err)
                 : corrupt(u, "a scan without a header");
    if (rc && rc != PCR_ERR_NOMEM)
        rc = corrupt(u, "a marker segment is damaged");
    for (uint32_t i = 0; i < f->segment_count && !rc; i++) {
        const struct pcri_segment *s = &f->segments[i];
        if (s->marker == M_DHT)
            rc = pcri_dht_parse(data + s->offset, s->nbytes, r->tables, u->err);
        if (s->marker == M_DRI && s->nbytes >= 6)
            r->restart_interval = (uint32_t) data[s->offset + 4] << 8 | data[s->offset + 5];
    }
    if (rc)
        return rc;
    const struct pcri_segment *last = f->segments + f->segment_count - 1;
    if (!f->segment_count || last->marker != M_SOS || !f->open_scan ||
        !read_sos(f, data + last->offset, last->nbytes, out))
        return corrupt(u, "a scan's header is damaged");
    return 0;
}

/* The file's frame must be the sample's. */
static bool same_frame(const struct pcri_jpeg_file *a, const struct pcri_jpeg_file *b)
{
    bool same = a->width == b->width && a->height == b->height &&
                a->component_count == b->component_count;
    for (uint32_t i = 0; same && i < a->component_count; i++)
        same = a->components[i].h == b->components[i].h &&
               a->components[i].v == b->components[i].v;
    return same;
}

static int use_padding(struct run *u, const struct pcri_padding **out)
{
    struct pcri_restorer *r = u->r;
    int rc = 0;
    *out = r->padding.planes;
    if (u->padding_parsed)
        return 0;
    if (!u->padding)
        return corrupt(u, "padding blocks are missing");
    rc = pcri_padding_reserve(&r->padding, &r->file, u->err);
    if (!rc)
        rc = pcri_restore_padding_parse(u->padding, u->padding_nbytes, r->file.component_count,
                                        &r->padding, u->err);
    u->padding_parsed = !rc;
    return rc;
}

static int use_plain_padding(struct run *u, const struct pcri_padding **out)
{
    struct pcri_restorer *r = u->r;
    int rc = u->loaded_plain ? 0 : pcri_padding_reserve(&r->plain, &r->file, u->err);
    *out = r->plain.planes;
    if (!rc && !u->loaded_plain)
        pcri_restore_padding_plain(u->coefs, &r->file, &r->plain);
    u->loaded_plain = !rc;
    return rc;
}

/* Tables of a sequential scan, by class and slot, of the symbols of all components that share
 * one. */
static void find_optimal(const struct pcri_sequential_scan *s, const struct sos *sos,
                         struct pcri_huffman optimal[8])
{
    uint32_t dc[4][256] = { 0 }, ac[4][256] = { 0 }, sums[8][256] = { 0 };
    pcri_sequential_count(s, dc, ac);
    for (uint32_t i = 0; i < s->part_count; i++)
        for (int k = 0; k < 256; k++) {
            sums[sos->slots[i] >> 4][k] += dc[i][k];
            sums[4 + (sos->slots[i] & 15)][k] += ac[i][k];
        }
    for (int t = 0; t < 8; t++)
        pcri_huffman_build_as_libjpeg(sums[t], &optimal[t]);
}

static int add_sequential(struct run *u, const struct sos *sos, uint64_t how, bool alone)
{
    struct pcri_restorer *r = u->r;
    const struct pcri_block_source *b = u->in->source;
    struct pcri_sequential_scan s = { .part_count = sos->scan.component_count };
    const struct pcri_padding *padding = NULL;
    const bool stream = alone && !u->deferred_count && !u->loaded && !u->streamed;
    int rc = stream ? 0 : load(u, 1);
    if (!rc && how & PCRI_SCAN_PADDING)
        rc = use_padding(u, &padding);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < s.part_count; i++) {
        const uint8_t c = sos->scan.components[i];
        s.parts[i] = (struct pcri_sequential_part) { .plane = stream ? &b->planes[c]
                                                                     : &u->planes[c],
                                                     .padding = padding ? &padding[c] : NULL,
                                                     .component = c };
    }
    pcri_sequential_begin(&s, b->file, u->out);
    s.restart_interval = r->restart_interval;
    s.pad_zeros = (how & PCRI_SCAN_ZEROS) != 0;
    if (u->deferred_count) {
        struct pcri_huffman optimal[8];
        find_optimal(&s, sos, optimal);
        if ((rc = insert_deferred(u, optimal)))
            return rc;
    }
    for (uint32_t i = 0; i < s.part_count; i++) {
        s.parts[i].dc = dc_codes(r, sos->slots[i] >> 4);
        s.parts[i].ac = ac_codes(r, sos->slots[i] & 15);
    }
    r->scans[r->scan_count].begin = u->out->nbytes;
    u->streamed |= stream;
    const struct pcri_block_source loaded = { .file = b->file, .planes = u->planes };
    return pcri_sequential_write(stream ? b : &loaded, &s, 1, u->err);
}

static int add_progressive(struct run *u, struct sos *sos, uint64_t how)
{
    struct pcri_restorer *r = u->r;
    struct pcri_scan *scan = &sos->scan;
    struct pcri_scan_style style = {
        .restart_interval = r->restart_interval,
        .most_run = how & PCRI_SCAN_NO_RUNS ? 1 : 0x7FFF,
        .most_bits = MOST_BITS,
    };
    struct pcri_huffman tables[4];
    int rc = load(u, scan->ss ? 1u + (scan->al > scan->ah ? scan->al : scan->ah) : 0);
    if (!rc && (scan->al >= u->coefs->level_count || scan->ah >= u->coefs->level_count))
        rc = pcri_fail(u->err, PCR_ERR_UNSUPPORTED, "restoring a scan of plane %u", scan->ah);
    if (!rc)
        rc = how & PCRI_SCAN_PADDING ? use_padding(u, &style.padding)
                                     : use_plain_padding(u, &style.padding);
    scan->style = &style;
    for (int i = 0; i < scan->component_count; i++)
        scan->chroma[i] = scan->ss ? sos->slots[i] & 15 : sos->slots[i] >> 4;
    if (!rc)
        rc = pcri_scan_symbols(u->coefs, u->in->source->file, scan, &r->symbols, u->err);
    if (rc)
        return rc;
    if (u->deferred_count) {
        struct pcri_huffman optimal[8];
        for (int t = 0; t < 4; t++) {
            pcri_huffman_build_as_libjpeg(r->symbols.counts[t], &optimal[t]);
            optimal[4 + t] = optimal[t]; /* of DC or of AC: a scan has one kind */
        }
        if ((rc = insert_deferred(u, optimal)))
            return rc;
    }
    for (unsigned t = 0; t < 4; t++)
        to_huffman(find_table(r, scan->ss != 0, t), &tables[t]);
    r->scans[r->scan_count].begin = u->out->nbytes;
    return pcri_scan_write(&r->symbols, tables, (how & PCRI_SCAN_ZEROS) != 0, u->out, u->err);
}

static int add_scan(struct run *u, uint64_t how, bool alone)
{
    struct pcri_restorer *r = u->r;
    struct sos sos;
    int rc = how & ~(uint64_t) PCRI_SCAN_KNOWN ? corrupt(u, "a scan of an unknown kind")
                                               : parse_segments(u, &sos);
    if (!rc && !same_frame(&r->file, u->in->source->file))
        rc = corrupt(u, "another frame than the sample's");
    if (!rc)
        rc = PCRI_GROW(r->scans, r->scan_capacity, (size_t) r->scan_count + 1, u->err);
    if (!rc)
        rc = r->file.sof == M_SOF2 ? add_progressive(u, &sos, how)
                                   : add_sequential(u, &sos, how, alone);
    if (!rc)
        rc = check_nbytes(u, u->out->nbytes);
    if (rc)
        return rc;
    r->scans[r->scan_count++].end = u->parsed = u->out->nbytes;
    return 0;
}

/* --- programs --- */

static int copy(struct run *u, uint64_t n)
{
    if (n > u->in->header.nbytes - u->header_at)
        return corrupt(u, "it copies more than the header");
    const uint8_t *p = (const uint8_t *) u->in->header.data + u->header_at;
    u->header_at += (size_t) n;
    return append(u, p, (size_t) n);
}

static int move(struct run *u, uint64_t n)
{
    const int64_t by = pcri_unzigzag(n), at = (int64_t) u->header_at;
    if (by < -at || by > (int64_t) u->in->header.nbytes - at)
        return corrupt(u, "it leaves the header");
    u->header_at = (size_t) (at + by);
    return 0;
}

static int insert(struct run *u, uint64_t n)
{
    const uint8_t *p = pcri_get_bytes(&u->program, n);
    return p ? append(u, p, (size_t) n) : corrupt(u, "it is cut off");
}

static int keep_padding(struct run *u, uint64_t n)
{
    u->padding = pcri_get_bytes(&u->program, n);
    u->padding_nbytes = (size_t) n;
    return u->padding ? 0 : corrupt(u, "it is cut off");
}

/* Into a buffer of its own, for bytes may be more or fewer. */
static int patch(struct run *u, uint64_t count)
{
    struct pcr_buffer old = *u->out;
    size_t at = 0;
    int rc = 0;
    *u->out = (struct pcr_buffer) { 0 };
    for (uint64_t i = 0; i < count && !rc; i++) {
        const uint64_t skip = pcri_get_varint(&u->program);
        const uint64_t removed = pcri_get_varint(&u->program);
        const uint64_t n = pcri_get_varint(&u->program);
        const uint8_t *p = u->program.bad ? NULL : pcri_get_bytes(&u->program, n);
        if (!p || skip > old.nbytes - at || removed > old.nbytes - at - (size_t) skip)
            rc = corrupt(u, "a patch is beyond the file");
        if (!rc)
            rc = append(u, old.data + at, (size_t) skip);
        if (!rc)
            rc = append(u, p, (size_t) n);
        at += rc ? 0 : (size_t) (skip + removed);
    }
    if (!rc)
        rc = append(u, old.data + at, old.nbytes - at);
    u->ended = true;
    pcr_buffer_free(&old);
    return rc;
}

/* How many scans the program has. */
static uint32_t count_scans(struct pcri_cursor p)
{
    uint32_t scans = 0;
    while (pcri_left(&p)) {
        const uint64_t v = pcri_get_varint(&p), n = v >> 3;
        const unsigned op = v & 7;
        scans += op == PCRI_RESTORE_SCAN;
        if (op == PCRI_RESTORE_INSERT || op == PCRI_RESTORE_PADDING)
            pcri_get_bytes(&p, n);
        for (uint64_t i = 0; op == PCRI_RESTORE_TABLES && i < n && !p.bad; i++) {
            const uint8_t *head = pcri_get_bytes(&p, 2);
            if (head && head[1] == PCRI_TABLE_LITERAL)
                get_literal(&p, NULL);
        }
        if (op == PCRI_RESTORE_PATCHES)
            break;
    }
    return scans;
}

static int step(struct run *u, bool alone)
{
    const uint64_t v = pcri_get_varint(&u->program), n = v >> 3;
    switch (v & 7) {
    case PCRI_RESTORE_COPY:
        return copy(u, n);
    case PCRI_RESTORE_MOVE:
        return move(u, n);
    case PCRI_RESTORE_INSERT:
        return insert(u, n);
    case PCRI_RESTORE_TABLES:
        return add_tables(u, n);
    case PCRI_RESTORE_SCAN:
        return add_scan(u, n, alone);
    case PCRI_RESTORE_PADDING:
        return keep_padding(u, n);
    case PCRI_RESTORE_PATCHES:
        return patch(u, n);
    default:
        return corrupt(u, "an unknown operation");
    }
}

int pcri_restore_run(struct pcri_restorer *r, const struct pcri_restore_input *in,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    struct run u = { .r = r,
                     .in = in,
                     .program = { in->program, in->program + in->program_nbytes, false },
                     .out = out,
                     .err = err };
    int rc = 0;
    out->nbytes = 0;
    r->scan_count = 0;
    r->most_nbytes = 0;
    r->restart_interval = 0;
    memset(r->tables, 0, sizeof(r->tables));
    pcri_jpeg_file_begin(&r->file);
    r->file.lenient = true;
    const bool alone = count_scans(u.program) == 1;
    while (!rc && pcri_left(&u.program))
        rc = u.ended ? corrupt(&u, "something after its end") : step(&u, alone);
    if (!rc && (u.program.bad || u.deferred_count))
        rc = corrupt(&u, "it is cut off");
    if (!rc && out->nbytes > in->max_nbytes)
        rc = corrupt(&u, "more bytes than the file has");
    return rc;
}
