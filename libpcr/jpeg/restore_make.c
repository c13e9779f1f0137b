/* SPDX-License-Identifier: BSD-2-Clause */
/* Making restore programs: guess, run, compare, and correct the guess where the first difference
 * is. The usual guess is right for what libjpeg and its kin write, so that it takes one run; and
 * whatever is not foreseen shows as a difference, never as a wrong file. */
#include <stdlib.h>

#include "restore.h"

enum {
    MOST_RUNS = 24,
    MOST_EDITED = 64, /* bytes between two places where output and source are the same */
    SAME_NBYTES = 8,  /* a place is that if so many are */
};

/* What is known of a scan of the source. */
struct source_scan {
    size_t header_end; /* of its SOS */
    size_t end;        /* of its data, as far as is known */
    size_t next;       /* where the next marker is */
    uint32_t how;      /* PCRI_SCAN_* */
    uint32_t tried;    /* variants that were wrong */
    uint32_t best;     /* the one of them with the fewest differences, */
    size_t different;  /* which take so many bytes; 0: too many */
    bool literal;      /* tables before it are not optimal */
    bool patched;
};

struct restore_making {
    struct pcri_restorer *r;
    const struct pcri_jpeg_file *file;
    struct pcri_restore_input in;
    struct source_scan *scans;
    uint32_t scan_count;
    struct pcr_buffer *program, out;
    size_t header_at; /* of the program that is being made */
    size_t max_nbytes;
    struct pcr_error *err;
};

static int put_op(const struct restore_making *m, unsigned op, uint64_t n)
{
    return pcri_buffer_append_varint(m->program, n << 3 | op, m->err);
}

static int put_bytes(const struct restore_making *m, unsigned op, const void *p, size_t nbytes)
{
    int rc = nbytes ? put_op(m, op, nbytes) : 0;
    return rc || !nbytes ? rc : pcri_buffer_append(m->program, p, nbytes, m->err);
}

/* --- segments --- */

static size_t common(const uint8_t *a, const uint8_t *b, size_t most)
{
    size_t n = 0;
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

enum {
    LEAST_COPY = 4,
    LEAST_FOUND = 8,     /* bytes that are looked for in all of the header */
    LOOK_NBYTES = 65536, /* from its begin */
};

/* Where in the header the bytes go on: what is there now, a few bytes later in both, or
 * anywhere. false: nowhere. */
static bool find(const struct restore_making *m, const uint8_t *p, size_t nbytes,
                 size_t *at_out)
{
    const uint8_t *h = m->in.header.data;
    const size_t n = m->in.header.nbytes, at = m->header_at;
    size_t want = nbytes < LEAST_FOUND ? nbytes : LEAST_FOUND;
    *at_out = at;
    if (common(p, h + at, n - at < nbytes ? n - at : nbytes) >=
        (nbytes < LEAST_COPY ? nbytes : LEAST_COPY))
        return true;
    for (size_t skip = 1; skip <= 4 && nbytes >= LEAST_COPY && at + skip + LEAST_COPY <= n;
         skip++)
        if (!memcmp(p, h + at + skip, LEAST_COPY)) {
            *at_out = at + skip;
            return true;
        }
    for (size_t i = 0; want == LEAST_FOUND && i + want <= n && i < LOOK_NBYTES; i++)
        if (h[i] == *p && !memcmp(h + i, p, want)) {
            *at_out = i;
            return true;
        }
    return false;
}

static int add_bytes(struct restore_making *m, const uint8_t *p, size_t nbytes)
{
    const uint8_t *h = m->in.header.data;
    int rc = 0;
    while (nbytes && !rc) {
        size_t literal = 0, at = m->header_at;
        while (literal < nbytes && !find(m, p + literal, nbytes - literal, &at))
            literal++;
        rc = put_bytes(m, PCRI_RESTORE_INSERT, p, literal);
        p += literal;
        nbytes -= literal;
        if (!nbytes)
            break;
        if (!rc && at != m->header_at)
            rc = put_op(m, PCRI_RESTORE_MOVE,
                        pcri_zigzag((int64_t) at - (int64_t) m->header_at));
        const size_t left = m->in.header.nbytes - at;
        const size_t n = common(p, h + at, left < nbytes ? left : nbytes);
        if (!rc)
            rc = put_op(m, PCRI_RESTORE_COPY, n);
        m->header_at = at + n;
        p += n;
        nbytes -= n;
    }
    return rc;
}

static int kind_of(const uint8_t *table, size_t nbytes, bool literal)
{
    for (int i = 0; i < 4; i++) {
        const struct pcri_dht *t = &pcri_standard_tables[i];
        if (nbytes == 17u + t->value_count && !memcmp(table + 1, t->counts + 1, 16) &&
            !memcmp(table + 17, t->values, t->value_count))
            return PCRI_TABLE_STANDARD + i;
    }
    return literal ? PCRI_TABLE_LITERAL : PCRI_TABLE_OPTIMAL;
}

/* How many tables a segment has, if it is made of whole ones; else 0. */
static uint32_t count_tables(const uint8_t *p, size_t nbytes)
{
    struct pcri_cursor c = { p + 4, p + nbytes, false };
    uint32_t count = 0;
    for (; pcri_left(&c); count++) {
        const uint8_t *head = pcri_get_bytes(&c, 17);
        size_t n = 0;
        for (int i = 1; head && i <= 16; i++)
            n += head[i];
        if (!head || head[0] >> 4 > 1 || (head[0] & 15) > 3 || !pcri_get_bytes(&c, n))
            return 0;
    }
    return p[1] == M_DHT && count <= 8 ? count : 0;
}

static int add_tables(struct restore_making *m, const uint8_t *p, uint32_t count, bool literal)
{
    int rc = put_op(m, PCRI_RESTORE_TABLES, count);
    p += 4;
    while (count-- && !rc) {
        size_t nbytes = 17;
        for (int i = 1; i <= 16; i++)
            nbytes += p[i];
        const uint8_t head[2] = { *p, (uint8_t) kind_of(p, nbytes, literal) };
        rc = pcri_buffer_append(m->program, head, sizeof(head), m->err);
        if (!rc && head[1] == PCRI_TABLE_LITERAL)
            rc = pcri_buffer_append(m->program, p + 1, nbytes - 1, m->err);
        p += nbytes;
    }
    return rc;
}

/* Bytes [from, to) of the source, where segments are. */
static int add_segments(struct restore_making *m, size_t from, size_t to, bool literal)
{
    const struct pcri_jpeg_file *f = m->file;
    int rc = 0;
    for (uint32_t i = 0; i < f->segment_count && !rc; i++) {
        const struct pcri_segment *s = &f->segments[i];
        const uint8_t *p = f->data + s->offset;
        if (s->offset < from || s->offset + s->nbytes > to || s->marker != M_DHT)
            continue;
        const uint32_t count = count_tables(p, s->nbytes);
        if (!count)
            continue;
        rc = add_bytes(m, f->data + from, (size_t) s->offset - from);
        if (!rc)
            rc = add_tables(m, p, count, literal);
        from = (size_t) s->offset + s->nbytes;
    }
    return rc ? rc : add_bytes(m, f->data + from, to - from);
}

/* --- the program --- */

static int add_padding(struct restore_making *m)
{
    struct pcr_buffer bytes = { 0 };
    int rc = pcri_restore_padding_print(&m->in.coefs->padding, m->file->component_count,
                                        &bytes, m->err);
    if (!rc)
        rc = put_bytes(m, PCRI_RESTORE_PADDING, bytes.data, bytes.nbytes);
    pcr_buffer_free(&bytes);
    return rc;
}

static int make(struct restore_making *m)
{
    bool padding = false;
    size_t at = 0;
    int rc = 0;
    m->program->nbytes = 0;
    m->header_at = 0;
    for (uint32_t i = 0; i < m->scan_count && !rc; i++) {
        const struct source_scan *s = &m->scans[i];
        rc = add_segments(m, at, s->header_end, s->literal);
        if (!rc && s->how & PCRI_SCAN_PADDING && !padding) {
            rc = add_padding(m);
            padding = true;
        }
        if (!rc)
            rc = put_op(m, PCRI_RESTORE_SCAN, s->how);
        at = s->end;
    }
    return rc ? rc : add_segments(m, at, m->file->nbytes, true);
}

/* --- comparing --- */

/* An edit that turns bytes of the output into the source's. */
struct edit {
    size_t skip, removed, inserted;
};

static bool is_same(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    const size_t n = na < nb ? na : nb;
    return n < SAME_NBYTES ? na == nb && !memcmp(a, b, n) : !memcmp(a, b, SAME_NBYTES);
}

/* The next edit from output b to source a; false if they differ too much. *e is all 0 if they are
 * the same. */
static bool next_edit(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, struct edit *e)
{
    const size_t skip = common(a, b, na < nb ? na : nb);
    *e = (struct edit) { 0 };
    if (skip == na && skip == nb)
        return true;
    a += skip, na -= skip, b += skip, nb -= skip;
    for (size_t sum = 1; sum <= MOST_EDITED; sum++)
        for (size_t x = 0; x <= sum; x++)
            if (x <= na && sum - x <= nb &&
                is_same(a + x, na - x, b + sum - x, nb - (sum - x))) {
                *e = (struct edit) { skip, sum - x, x };
                return true;
            }
    return false;
}

static int put_edit(const struct edit *e, const uint8_t *inserted, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    int rc = pcri_buffer_append_varint(out, e->skip, err);
    if (!rc)
        rc = pcri_buffer_append_varint(out, e->removed, err);
    if (!rc)
        rc = pcri_buffer_append_varint(out, e->inserted, err);
    return rc ? rc : pcri_buffer_append(out, inserted, e->inserted, err);
}

/* Replaces *out by the edits from output b to source a. PCR_END: they take too many bytes. */
static int find_edits(const struct restore_making *m, const uint8_t *a, size_t na,
                      const uint8_t *b, size_t nb, struct pcr_buffer *out, size_t *count_out)
{
    out->nbytes = 0;
    for (*count_out = 0;; ++*count_out) {
        struct edit e;
        if (out->nbytes > m->max_nbytes || !next_edit(a, na, b, nb, &e))
            return PCR_END;
        if (!e.removed && !e.inserted)
            return 0;
        a += e.skip, b += e.skip;
        int rc = put_edit(&e, a, out, m->err);
        if (rc)
            return rc;
        a += e.inserted, b += e.removed;
        na -= e.skip + e.inserted, nb -= e.skip + e.removed;
    }
}

static bool has_padding(const struct restore_making *m)
{
    size_t count = 0;
    for (uint32_t c = 0; c < m->file->component_count; c++)
        count += pcri_padding_count(&m->in.coefs->padding.planes[c]);
    return count != 0;
}

/* The next variant of how the scan may have been coded, for this and those after it. */
static bool vary(struct restore_making *m, uint32_t i)
{
    const uint32_t known = PCRI_SCAN_ZEROS | (has_padding(m) ? PCRI_SCAN_PADDING : 0) |
                           (m->file->sof == M_SOF2 ? PCRI_SCAN_NO_RUNS : 0);
    struct source_scan *s = &m->scans[i];
    s->tried |= 1u << s->how;
    for (uint32_t how = 0; how <= known; how++)
        if (!(how & ~known) && !(s->tried >> how & 1)) {
            for (uint32_t k = i; k < m->scan_count; k++)
                m->scans[k].how = how;
            return true;
        }
    return false;
}

static int unknown(const struct restore_making *m, const char *what, uint32_t i)
{
    return pcri_fail(m->err, PCR_ERR_UNSUPPORTED, "the %s of scan %u cannot be restored", what,
                     i + 1);
}

/* What it would take to patch the scan as it is. */
static int weigh(struct restore_making *m, struct source_scan *s, const uint8_t *data,
                 size_t nbytes)
{
    struct pcr_buffer edits = { 0 };
    size_t count;
    int rc = find_edits(m, m->file->data + s->header_end, s->next - s->header_end, data,
                        nbytes, &edits, &count);
    if (!rc && (!s->different || edits.nbytes < s->different)) {
        s->different = edits.nbytes;
        s->best = s->how;
    }
    pcr_buffer_free(&edits);
    return rc < 0 ? rc : 0;
}

/* Corrects what is known of scan i, whose data is `data`. *again: what was made is not right.
 * UNSUPPORTED: nor will it be. */
static int correct_scan(struct restore_making *m, uint32_t i, const uint8_t *data,
                        size_t nbytes, bool *again)
{
    struct source_scan *s = &m->scans[i];
    *again = false;
    if (s->patched)
        return 0;
    if (nbytes <= s->next - s->header_end &&
        !memcmp(data, m->file->data + s->header_end, nbytes)) {
        *again = s->end != s->header_end + nbytes; /* the rest are stray bytes */
        s->end = s->header_end + nbytes;
        return 0;
    }
    int rc = weigh(m, s, data, nbytes);
    if (rc)
        return rc;
    *again = true;
    if (vary(m, i))
        return 0;
    /* No variant fits: the one with the fewest differences may be patched. */
    s->patched = s->different != 0;
    s->how = s->best;
    s->end = s->next;
    return s->patched ? 0 : unknown(m, "data", i);
}

/* Compares what was restored with the source, and corrects the first difference. *again: there
 * was one. */
static int compare(struct restore_making *m, bool *again)
{
    const uint8_t *data = m->file->data, *out = m->out.data;
    size_t at = 0, out_at = 0;
    *again = false;
    for (uint32_t i = 0; i < m->scan_count; i++) {
        struct source_scan *s = &m->scans[i];
        const struct pcri_restored_scan *restored = &m->r->scans[i];
        const size_t n = s->header_end - at;
        if (restored->begin - out_at != n || memcmp(data + at, out + out_at, n)) {
            *again = !s->literal;
            for (uint32_t k = i; k < m->scan_count; k++)
                m->scans[k].literal = true;
            return *again ? 0 : unknown(m, "header", i);
        }
        int rc = correct_scan(m, i, out + restored->begin, restored->end - restored->begin,
                              again);
        if (rc || *again)
            return rc;
        at = s->end;
        out_at = restored->end;
    }
    return 0;
}

/* Adds what differs still. */
static int add_patches(struct restore_making *m)
{
    struct pcr_buffer edits = { 0 };
    size_t count;
    int rc = find_edits(m, m->file->data, m->file->nbytes, m->out.data, m->out.nbytes, &edits,
                        &count);
    if (rc == PCR_END)
        rc = unknown(m, "data", m->scan_count - 1);
    if (!rc)
        rc = put_op(m, PCRI_RESTORE_PATCHES, count);
    if (!rc)
        rc = pcri_buffer_append(m->program, edits.data, edits.nbytes, m->err);
    pcr_buffer_free(&edits);
    return rc;
}

static int run(struct restore_making *m)
{
    m->in.program = m->program->data;
    m->in.program_nbytes = m->program->nbytes;
    m->in.max_nbytes = UINT64_MAX;
    return pcri_restore_run(m->r, &m->in, &m->out, m->err);
}

static int prove(const struct restore_making *m)
{
    return m->out.nbytes == m->file->nbytes &&
                   m->r->most_nbytes <= pcri_restore_bound(m->file->nbytes) &&
                   !memcmp(m->out.data, m->file->data, m->out.nbytes)
               ? 0
               : pcri_fail(m->err, PCR_ERR_UNSUPPORTED,
                           "it is not restored to the same bytes");
}

static int check_nbytes(const struct restore_making *m, size_t nbytes)
{
    return nbytes <= m->max_nbytes
               ? 0
               : pcri_fail(m->err, PCR_ERR_UNSUPPORTED,
                           "restoring it would take %zu bytes, the limit is %zu", nbytes,
                           m->max_nbytes);
}

static int make_and_prove(struct restore_making *m)
{
    bool again = true, patched = false;
    int rc = 0;
    for (int i = 0; again && !rc; i++) {
        rc = i == MOST_RUNS ? unknown(m, "data", m->scan_count - 1) : make(m);
        if (!rc)
            rc = check_nbytes(m, m->program->nbytes);
        if (!rc)
            rc = run(m);
        if (!rc)
            rc = compare(m, &again);
    }
    for (uint32_t i = 0; i < m->scan_count; i++)
        patched |= m->scans[i].patched;
    if (!rc && patched) {
        rc = add_patches(m);
        if (!rc)
            rc = run(m);
    }
    if (!rc)
        rc = prove(m);
    return rc ? rc : check_nbytes(m, m->program->nbytes);
}

/* The source's scans, and where their data can end. */
static int list_scans(struct restore_making *m)
{
    const struct pcri_jpeg_file *f = m->file;
    uint32_t count = 0;
    m->scans = pcri_calloc(f->scan_count, sizeof(*m->scans), m->err);
    if (!m->scans)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < f->segment_count && count < f->scan_count; i++) {
        const struct pcri_segment *s = &f->segments[i];
        const uint64_t eoi = f->eoi_end ? f->eoi_end - 2 : f->nbytes;
        if (s->marker != M_SOS)
            continue;
        const uint64_t next = i + 1 < f->segment_count ? s[1].offset : eoi;
        m->scans[count++] = (struct source_scan) { .header_end = (size_t) s->offset +
                                                                 s->nbytes,
                                                   .end = (size_t) next,
                                                   .next = (size_t) next };
    }
    m->scan_count = count;
    return 0;
}

int pcri_restore_make(struct pcri_restorer *r, const struct pcri_jpeg_file *file,
                      const struct pcri_restore_input *in, size_t max_program_nbytes,
                      struct pcr_buffer *program, struct pcr_error *err)
{
    struct restore_making m = { .r = r,
                                .file = file,
                                .in = *in,
                                .program = program,
                                .max_nbytes = max_program_nbytes,
                                .err = err };
    const uint64_t after = file->eoi_end ? file->nbytes - file->eoi_end : 0;
    int rc = check_nbytes(&m, (size_t) after);
    if (!rc)
        rc = list_scans(&m);
    if (!rc)
        rc = make_and_prove(&m);
    free(m.scans);
    pcr_buffer_free(&m.out);
    return rc && rc != PCR_ERR_NOMEM ? PCR_ERR_UNSUPPORTED : rc;
}
