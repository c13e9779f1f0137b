/* SPDX-License-Identifier: BSD-2-Clause */
/* An open record: reading its header and head, runs of samples, and its tail. */
#include <stdlib.h>

#include "columns.h"
#include "record.h"

/* What one opening works on. */
struct opening {
    struct pcri_record *r;
    struct pcr_buffer bytes; /* the file's first bytes */
    const struct pcr_limits *limits;
    bool again; /* from storage, whatever a cache has */
    struct pcr_error *err;
};

/* Enough to read most small heads at once, where their size is not known yet. */
enum { FIRST_READ_NBYTES = 4096 };

/* Reads the first `nbytes` of the file into o->bytes. */
static int fetch(struct opening *o, uint64_t nbytes)
{
    struct pcri_file *f = o->r->file;
    size_t have = o->bytes.nbytes;
    if (nbytes <= have)
        return 0;
    int rc = nbytes > SIZE_MAX ? pcri_fail_nomem(o->err, SIZE_MAX)
                               : pcri_buffer_reserve(&o->bytes, (size_t) nbytes, o->err);
    const struct pcri_range range = { have, o->bytes.data + have, (size_t) nbytes - have };
    if (!rc)
        rc = o->again ? pcri_file_read_again(f, &range, 1, o->err)
                      : pcri_file_read(f, &range, 1, o->err);
    if (!rc)
        o->bytes.nbytes = (size_t) nbytes;
    return rc;
}

static int open_header(struct opening *o, uint64_t head_end_hint)
{
    uint64_t file_nbytes = o->r->file->nbytes;
    uint64_t first = head_end_hint ? head_end_hint : FIRST_READ_NBYTES;
    if (first < PCRI_HEADER_MAX_NBYTES)
        first = PCRI_HEADER_MAX_NBYTES;
    /* A hint is a claim; the bytes of a whole head beyond the first read come later. */
    if (first > 1 << 20)
        first = 1 << 20;
    int rc = fetch(o, first < file_nbytes ? first : file_nbytes);
    if (rc)
        return rc;
    rc = pcri_header_parse(o->bytes.data, o->bytes.nbytes, file_nbytes, o->limits, o->r->flags,
                           &o->r->header, o->err);
    return rc ? pcri_prefix(o->err, rc, "%s", o->r->file->path) : 0;
}

static int open_head(struct opening *o)
{
    struct pcri_record *r = o->r;
    const struct pcri_header *h = &r->header;
    int rc = fetch(o, h->header_nbytes + h->head_nbytes);
    if (rc)
        return rc;
    struct pcr_buffer raw = { 0 };
    const uint8_t *head = o->bytes.data + h->header_nbytes;
    if (!(r->flags & PCRI_PARSE_NO_VERIFY) &&
        pcri_xxh3(head, (size_t) h->head_nbytes) != h->head_check)
        rc = pcri_fail_at(o->err, PCR_ERR_CORRUPT, h->header_nbytes,
                          "the head's checksum is wrong");
    if (!rc &&
        (rc = pcri_columns_unpack(head, (size_t) h->head_nbytes, (size_t) h->head_raw_nbytes,
                                  PCRI_COLUMN_LAST, &raw, o->err)))
        pcri_prefix(o->err, rc, "head");
    if (!rc)
        rc = pcri_head_parse(h, &raw, o->limits, &r->head, o->err);
    pcr_buffer_free(&raw);
    return rc ? pcri_prefix(o->err, rc, "%s", r->file->path) : 0;
}

/* Reads header and head; once more if they are damaged as a cache has them. */
static int open_front(struct opening *o, uint64_t head_end_hint)
{
    for (;; o->again = true) {
        int rc = open_header(o, head_end_hint);
        if (!rc)
            rc = open_head(o);
        if (!rc || o->again || rc == PCR_ERR_IO || !pcri_is_of_data(rc, o->err) ||
            !pcri_file_is_cached(o->r->file))
            return rc;
        o->bytes.nbytes = 0;
        pcri_head_destroy(&o->r->head);
        o->r->header = (struct pcri_header) { 0 };
    }
}

int pcri_record_open(const char *path, const struct pcri_io_backend *backend,
                     uint64_t head_end_hint, const struct pcr_limits *limits, uint32_t flags,
                     struct pcri_record **out, struct pcr_error *err)
{
    struct pcri_record *r = pcri_calloc(1, sizeof(*r), err);
    if (!r)
        return PCR_ERR_NOMEM;
    r->flags = flags;
    struct pcr_error own;
    struct opening o = { .r = r, .limits = limits, .err = err ? err : &own };
    int rc = pcri_file_open(backend, path, &r->file, err);
    if (!rc)
        rc = open_front(&o, head_end_hint);
    pcr_buffer_free(&o.bytes);
    if (rc)
        pcri_record_close(&r);
    else
        *out = r;
    return rc;
}

void pcri_record_close(struct pcri_record **record)
{
    struct pcri_record *r = record ? *record : NULL;
    if (!r)
        return;
    pcri_head_destroy(&r->head);
    pcri_file_close(&r->file);
    free(r);
    *record = NULL;
}

int pcri_record_check_group(const struct pcri_record *r, uint32_t group, const void *bytes,
                            struct pcr_error *err)
{
    uint64_t begin = r->head->group_begin[group];
    size_t nbytes = (size_t) (r->head->group_begin[group + 1] - begin);
    if (pcri_xxh3(bytes, nbytes) == r->header.groups[group].check)
        return 0;
    int rc = pcri_fail_at(err, PCR_ERR_CORRUPT, begin, "the checksum of group %u is wrong",
                          group + 1);
    return pcri_prefix(err, rc, "%s", r->file->path);
}

int pcri_record_check_chunk(const struct pcri_record *r, uint32_t group, uint32_t i,
                            const void *bytes, struct pcr_error *err)
{
    const struct pcri_head *h = r->head;
    uint32_t check = h->check[(size_t) group * h->sample_count + i];
    if (pcri_check32(bytes, (size_t) pcri_chunk_nbytes(h, group, i)) == check)
        return 0;
    int rc = pcri_fail_at(err, PCR_ERR_CORRUPT,
                          h->group_begin[group] + pcri_chunk_offset(h, group, i),
                          "the checksum of sample %u in group %u is wrong", i, group + 1);
    return pcri_prefix(err, rc, "%s", r->file->path);
}

static int verify(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t group,
                  const uint8_t *bytes, struct pcr_error *err)
{
    if (r->flags & PCRI_PARSE_NO_VERIFY)
        return 0;
    if (!a && b == r->head->sample_count)
        return pcri_record_check_group(r, group, bytes, err);
    uint64_t begin = pcri_chunk_offset(r->head, group, a);
    for (uint32_t i = a; i < b; i++) {
        const uint8_t *p = bytes + (pcri_chunk_offset(r->head, group, i) - begin);
        int rc = pcri_record_check_chunk(r, group, i, p, err);
        if (rc)
            return rc;
    }
    return 0;
}

static uint64_t group_nbytes(const struct pcri_head *h, uint32_t a, uint32_t b, uint32_t group)
{
    return pcri_chunk_offset(h, group, b) - pcri_chunk_offset(h, group, a);
}

int pcri_record_check_nbytes(const struct pcri_record *r, struct pcr_error *err)
{
    int rc = pcri_header_check_nbytes(&r->header, r->file->nbytes, 0, err);
    return rc ? pcri_prefix(err, rc, "%s", r->file->path) : 0;
}

/* Samples [a, b) of a group may lie beyond the end of a file that was cut off. */
static int check_end(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t group,
                     struct pcr_error *err)
{
    const struct pcri_head *h = r->head;
    uint64_t nbytes = group_nbytes(h, a, b, group);
    uint64_t end = h->group_begin[group] + pcri_chunk_offset(h, group, b);
    if (!nbytes || end <= r->file->nbytes)
        return 0;
    int rc = pcri_fail_at(err, PCR_ERR_TRUNCATED, r->file->nbytes,
                          "group %u of it ends at byte %llu, the file at byte %llu; lower "
                          "fidelities may be complete",
                          group + 1, (unsigned long long) end,
                          (unsigned long long) r->file->nbytes);
    return pcri_prefix(err, rc, "%s", r->file->path);
}

int pcri_record_read_group(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t group,
                           struct pcr_buffer *bytes, struct pcr_error *err)
{
    const struct pcri_head *h = r->head;
    uint64_t nbytes = group_nbytes(h, a, b, group);
    int rc = check_end(r, a, b, group, err);
    if (rc)
        return rc;
    if (nbytes >= SIZE_MAX)
        return pcri_fail_nomem(err, SIZE_MAX);
    /* One byte at least, so that there is a pointer to an empty run too. */
    rc = pcri_buffer_reserve(bytes, nbytes ? (size_t) nbytes : 1, err);
    if (rc)
        return rc;
    bytes->nbytes = (size_t) nbytes;
    const struct pcri_range range = { h->group_begin[group] + pcri_chunk_offset(h, group, a),
                                      bytes->data, bytes->nbytes };
    rc = pcri_file_read(r->file, &range, 1, err);
    if (!rc && pcri_file_is_cached(r->file) && verify(r, a, b, group, bytes->data, NULL))
        rc = pcri_file_read_again(r->file, &range, 1, err);
    return rc;
}

size_t pcri_record_run_nbytes(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t g)
{
    const struct pcri_head *h = r->head;
    uint64_t total = 0;
    if (a > b || b > h->sample_count || g > h->group_count)
        return 0;
    for (uint32_t k = 0; k < g; k++)
        total += group_nbytes(h, a, b, k); /* below 2^64: they lie one after the other */
    return total < SIZE_MAX ? (size_t) total : SIZE_MAX;
}

/* Makes room for samples [a, b) of groups 1..g, one group after the other, and says where in
 * the file they are; what is contiguous there, as in a whole record, is one range. Returns
 * how many there are, 0 without memory. */
static size_t place_run(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t g,
                        struct pcri_run *run, struct pcri_range ranges[],
                        struct pcr_error *err)
{
    const struct pcri_head *h = r->head;
    size_t count = 0, nbytes = pcri_record_run_nbytes(r, a, b, g);
    run->memory.nbytes = 0;
    if (pcri_block_reserve(&run->memory, nbytes ? nbytes : 1, err))
        return 0;
    run->memory.nbytes = nbytes;
    uint8_t *dst = run->memory.data;
    for (uint32_t k = 0; k < g; k++) {
        uint64_t from = h->group_begin[k] + pcri_chunk_offset(h, k, a);
        size_t n = (size_t) group_nbytes(h, a, b, k);
        if (count && ranges[count - 1].offset + ranges[count - 1].nbytes == from)
            ranges[count - 1].nbytes += n;
        else
            ranges[count++] = (struct pcri_range) { from, dst, n };
        run->groups[k] = dst;
        dst += n;
    }
    return count;
}

/* Checks that groups 1..g of samples [a, b) exist. */
static int check_run(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t g,
                     struct pcr_error *err)
{
    const struct pcri_head *h = r->head;
    if (a > b || b > h->sample_count)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: samples %u to %u of %u", r->file->path, a, b,
                         h->sample_count);
    if (g < 1 || g > h->group_count)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: fidelity %u, expected 1 to %u",
                         r->file->path, g, h->group_count);
    return 0;
}

int pcri_record_read(const struct pcri_record *r, uint32_t a, uint32_t b, uint32_t g,
                     struct pcri_run *run, struct pcr_error *err)
{
    struct pcri_range ranges[PCRI_MAX_GROUPS];
    int rc = check_run(r, a, b, g, err);
    for (uint32_t k = 0; k < g && !rc; k++)
        rc = check_end(r, a, b, k, err);
    if (rc)
        return rc;
    size_t count = place_run(r, a, b, g, run, ranges, err);
    if (!count)
        return PCR_ERR_NOMEM;
    for (bool again = false;; again = true) {
        rc = again ? pcri_file_read_again(r->file, ranges, count, err)
                   : pcri_file_read(r->file, ranges, count, err);
        for (uint32_t k = 0; k < g && !rc; k++)
            rc = verify(r, a, b, k, run->groups[k], err);
        if (again || rc != PCR_ERR_CORRUPT || !pcri_file_is_cached(r->file))
            return rc;
    }
}

/* --- a run whose samples have fidelities of their own --- */

/* Lists the ranges of group `group` that are needed, those close together as one; at[i] is
 * where chunk i of the run will be in its group's bytes. Returns how many there are. Without lists
 * (NULL) they are only counted. */
static size_t list_ranges(const struct pcri_record *r, uint32_t a, uint32_t group,
                          uint32_t count, const uint8_t *fidelities, uint64_t *at,
                          struct pcri_range *ranges, uint64_t *nbytes_out)
{
    const struct pcri_head *h = r->head;
    uint64_t total = 0, end = 0;
    size_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t from = h->group_begin[group] + pcri_chunk_offset(h, group, a + i);
        uint64_t nbytes = pcri_chunk_nbytes(h, group, a + i);
        bool needed = fidelities[i] > group && nbytes;
        if (needed && (!n || from - end > PCRI_READ_THROUGH_NBYTES)) {
            if (ranges)
                ranges[n] = (struct pcri_range) { .offset = from };
            n++;
            end = from;
        }
        if (at)
            at[i] = needed ? total + (from - end) : total;
        if (!needed)
            continue;
        total += from + nbytes - end;
        end = from + nbytes;
        if (ranges)
            ranges[n - 1].nbytes = (size_t) (end - ranges[n - 1].offset);
    }
    *nbytes_out = total;
    return n;
}

static int verify_group_each(const struct pcri_record *r, uint32_t a, uint32_t group,
                             uint32_t count, const uint8_t *fidelities, const uint64_t *at,
                             const uint8_t *bytes, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc && !(r->flags & PCRI_PARSE_NO_VERIFY); i++)
        if (fidelities[i] > group)
            rc = pcri_record_check_chunk(r, group, a + i, bytes + at[i], err);
    return rc;
}

static int verify_each(const struct pcri_record *r, uint32_t a, uint32_t count,
                       const uint8_t *fidelities, uint32_t g, const uint64_t *at,
                       const struct pcri_run *run, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t k = 0; k < g && !rc; k++)
        rc = verify_group_each(r, a, k, count, fidelities, at + (size_t) k * count,
                               run->groups[k], err);
    return rc;
}

size_t pcri_record_each_nbytes(const struct pcri_record *r, uint32_t a, uint32_t count,
                               const uint8_t *fidelities, uint32_t g)
{
    uint64_t total = 0, nbytes;
    if (check_run(r, a, a + count, g, NULL))
        return 0;
    for (uint32_t k = 0; k < g; total += nbytes, k++)
        list_ranges(r, a, k, count, fidelities, NULL, NULL, &nbytes);
    return total < SIZE_MAX ? (size_t) total : SIZE_MAX;
}

int pcri_record_read_each(const struct pcri_record *r, uint32_t a, uint32_t count,
                          const uint8_t *fidelities, uint32_t g, struct pcri_run *run,
                          uint64_t *at, struct pcr_error *err)
{
    uint64_t nbytes[PCRI_MAX_GROUPS], total = 0;
    struct pcri_range *ranges = NULL;
    size_t n = 0;
    int rc = check_run(r, a, a + count, g, err);
    if (!rc && !(ranges = pcri_calloc((uint64_t) g * count, sizeof(*ranges), err)))
        rc = PCR_ERR_NOMEM;
    for (uint32_t k = 0; k < g; k++)
        for (uint32_t i = 0; i < count && !rc; i++)
            rc = fidelities[i] > k ? check_end(r, a + i, a + i + 1, k, err) : 0;
    for (uint32_t k = 0; k < g && !rc; k++) {
        n += list_ranges(r, a, k, count, fidelities, at + (size_t) k * count, ranges + n,
                         &nbytes[k]);
        total += nbytes[k];
    }
    if (!rc && total >= SIZE_MAX)
        rc = pcri_fail_nomem(err, SIZE_MAX);
    run->memory.nbytes = 0;
    if (!rc)
        rc = pcri_block_reserve(&run->memory, total ? (size_t) total : 1, err);
    if (!rc) {
        uint8_t *dst = run->memory.data;
        run->memory.nbytes = (size_t) total;
        for (size_t i = 0; i < n; dst += ranges[i++].nbytes)
            ranges[i].dst = dst;
        dst = run->memory.data;
        for (uint32_t k = 0; k < g; dst += nbytes[k++])
            run->groups[k] = dst;
    }
    for (bool again = false, more = !rc; more; again = true) {
        rc = again ? pcri_file_read_again(r->file, ranges, n, err)
                   : pcri_file_read(r->file, ranges, n, err);
        if (!rc)
            rc = verify_each(r, a, count, fidelities, g, at, run, err);
        more = !again && rc == PCR_ERR_CORRUPT && pcri_file_is_cached(r->file);
    }
    free(ranges);
    return rc;
}

static int check_blob(const struct pcri_record *r, size_t cell, uint64_t begin,
                      const struct pcr_buffer *bytes, struct pcr_error *err)
{
    if (r->flags & PCRI_PARSE_NO_VERIFY ||
        pcri_check32(bytes->data, bytes->nbytes) == r->head->blobs->checks[cell])
        return 0;
    int rc = pcri_fail_at(err, PCR_ERR_CORRUPT, begin, "the checksum of a blob is wrong");
    return pcri_prefix(err, rc, "%s", r->file->path);
}

int pcri_record_read_blob(const struct pcri_record *r, size_t cell,
                          const struct pcr_limits *limits, struct pcr_buffer *out,
                          struct pcr_error *err)
{
    const struct pcri_blobs *b = r->head->blobs;
    const uint64_t nbytes = b->begins[cell + 1] - b->begins[cell];
    const uint64_t begin = r->header.groups[r->header.group_count - 1].end + b->begins[cell];
    struct pcr_limits l = limits ? *limits : (struct pcr_limits) { 0 };
    pcri_limits_fill(&l);
    out->nbytes = 0;
    if (nbytes > l.max_sample_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "%s: a blob of %llu bytes, the limit is %llu",
                         r->file->path, (unsigned long long) nbytes,
                         (unsigned long long) l.max_sample_nbytes);
    if (begin + nbytes > r->file->nbytes)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, r->file->nbytes,
                            "%s: a blob ends at byte %llu, the file at byte %llu",
                            r->file->path, (unsigned long long) (begin + nbytes),
                            (unsigned long long) r->file->nbytes);
    int rc = pcri_buffer_reserve(out, nbytes ? (size_t) nbytes : 1, err);
    const struct pcri_range range = { begin, out->data, (size_t) nbytes };
    for (bool again = false, more = !rc; more; again = true) {
        if (nbytes)
            rc = again ? pcri_file_read_again(r->file, &range, 1, err)
                       : pcri_file_read(r->file, &range, 1, err);
        out->nbytes = rc ? 0 : (size_t) nbytes;
        if (!rc)
            rc = check_blob(r, cell, begin, out, err);
        more = !again && rc == PCR_ERR_CORRUPT && pcri_file_is_cached(r->file);
    }
    return rc;
}

static int unpack_tail(const struct pcri_record *r, const struct pcr_buffer *stored,
                       struct pcr_buffer *raw, struct pcr_error *err)
{
    const struct pcri_header *h = &r->header;
    struct pcri_cursor cols[PCRI_TAIL_LAST + 1];
    if (!(r->flags & PCRI_PARSE_NO_VERIFY) &&
        pcri_xxh3(stored->data, stored->nbytes) != h->tail_check)
        return pcri_fail_at(err, PCR_ERR_CORRUPT, pcri_tail_begin(h),
                            "the tail's checksum is wrong");
    int rc = pcri_columns_unpack(stored->data, stored->nbytes, (size_t) h->tail_raw_nbytes,
                                 PCRI_TAIL_LAST, raw, err);
    return rc ? rc : pcri_columns_parse(raw, PCRI_TAIL_LAST, cols, err);
}

int pcri_record_read_tail(const struct pcri_record *r, const struct pcr_limits *limits,
                          struct pcr_buffer *raw, struct pcr_error *err)
{
    const struct pcri_header *h = &r->header;
    struct pcr_limits l = limits ? *limits : (struct pcr_limits) { 0 };
    struct pcr_buffer stored = { 0 };
    pcri_limits_fill(&l);
    uint64_t max = l.max_head_nbytes < UINT32_MAX ? l.max_head_nbytes : UINT32_MAX;
    raw->nbytes = 0;
    if (!h->tail_nbytes)
        return 0;
    if (h->tail_nbytes > max || h->tail_raw_nbytes > max)
        return pcri_fail(err, PCR_ERR_LIMIT, "%s: a tail of %llu bytes (%llu stored)",
                         r->file->path, (unsigned long long) h->tail_raw_nbytes,
                         (unsigned long long) h->tail_nbytes);
    uint64_t begin = pcri_tail_begin(h);
    int rc = pcri_record_check_nbytes(r, err); /* before memory is taken for it */
    if (rc == PCR_ERR_TRUNCATED)
        return rc;
    rc = pcri_buffer_reserve(&stored, (size_t) h->tail_nbytes, err);
    const struct pcri_range range = { begin, stored.data, (size_t) h->tail_nbytes };
    for (bool again = false, more = !rc; more; again = true) {
        more = false;
        rc = again ? pcri_file_read_again(r->file, &range, 1, err)
                   : pcri_file_read(r->file, &range, 1, err);
        if (rc)
            break;
        stored.nbytes = range.nbytes;
        rc = unpack_tail(r, &stored, raw, err);
        if (!rc)
            break;
        raw->nbytes = 0;
        pcri_prefix(err, rc, "%s: tail", r->file->path);
        more = !again && rc == PCR_ERR_CORRUPT && pcri_file_is_cached(r->file);
    }
    pcr_buffer_free(&stored);
    return rc;
}
