/* SPDX-License-Identifier: BSD-2-Clause */
/* The prefix decoder: walks the segments, unstuffs each scan once, and hands it to the
 * decoder of its kind. */
#include <stdlib.h>

#include "prefix.h"

/* The rows to keep, and the bytes that all planes need. */
static int lay_out(struct pcri_prefix *p, size_t blocks[4], size_t *total,
                   struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = &p->file;
    *total = 64 * sizeof(int16_t); /* the spare block */
    for (uint32_t c = 0; c < f->component_count; c++) {
        struct pcri_blocks *b = &p->planes[c];
        uint32_t end = p->rows[c].end;
        size_t nbytes;
        b->blocks_x = pcri_blocks_x(f, c);
        b->blocks_y = pcri_blocks_y(f, c);
        b->row_end = p->rows[c].set && end < b->blocks_y ? end : b->blocks_y;
        b->row_begin = p->rows[c].begin < b->row_end ? p->rows[c].begin : b->row_end;
        blocks[c] = pcri_kept_end(b);
        if (!pcri_mul(blocks[c], 65 * sizeof(int16_t) + sizeof(uint64_t), &nbytes) ||
            !pcri_add(*total, nbytes + 128, total))
            return pcri_fail_nomem(err, SIZE_MAX);
    }
    return 0;
}

static int reserve(struct pcri_prefix *p, struct pcr_error *err)
{
    size_t blocks[4] = { 0 }, total = 0;
    int rc = lay_out(p, blocks, &total, err);
    if (rc)
        return rc;
    if (total > p->capacity) {
        free(p->memory);
        p->capacity = 0;
        p->memory = aligned_alloc(64, (total + 63) & ~(size_t) 63);
        if (!p->memory)
            return pcri_fail_nomem(err, total);
        p->capacity = total;
    }
    uint8_t *at = p->memory + 64 * sizeof(int16_t);
    for (uint32_t c = 0; c < p->file.component_count; c++) {
        struct pcri_blocks *b = &p->planes[c];
        b->spare = (int16_t *) (void *) p->memory;
        b->coef = (int16_t *) (void *) at;
        at += (blocks[c] - pcri_kept_begin(b)) * 64 * sizeof(int16_t);
        b->dc = (int16_t *) (void *) at;
        at += ((blocks[c] - pcri_kept_begin(b)) * sizeof(int16_t) + 63) & ~(size_t) 63;
        b->mask = (uint64_t *) (void *) at;
        b->has_ac = p->file.sof != M_SOF2;
        at += (blocks[c] * sizeof(uint64_t) + 63) & ~(size_t) 63;
        /* A component's first scans set the coefficients, a sequential one the masks too. */
        if (!b->has_ac)
            memset(b->mask, 0, blocks[c] * sizeof(uint64_t));
    }
    memset(p->memory, 0, 64 * sizeof(int16_t));
    p->reserved = true;
    return 0;
}

/* --- scans --- */

static int find_components(const struct pcri_prefix *p, const uint8_t *sos, size_t nbytes,
                           struct pcri_scan_job *job, uint8_t slots[4], struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = &p->file;
    unsigned n = nbytes > 4 ? sos[4] : 0;
    if (!n || n > 4 || nbytes != 8 + 2 * (size_t) n)
        return pcri_fail(err, PCR_ERR_CORRUPT, "SOS: %u components in %zu bytes", n, nbytes);
    job->component_count = (uint8_t) n;
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        uint32_t c = i; /* of equal identifiers each means the next component */
        while (c < f->component_count && f->components[c].id != sos[5 + 2 * i])
            c++;
        if (c == f->component_count || (i && c <= job->components[i - 1]))
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "SOS: component %u is not there, or "
                             "out of order",
                             sos[5 + 2 * i]);
        job->components[i] = (uint8_t) c;
        slots[i] = sos[6 + 2 * i];
        sum += (unsigned) f->components[c].h * f->components[c].v;
    }
    if (n > 1 && sum > 10)
        return pcri_fail(err, PCR_ERR_CORRUPT, "SOS: %u blocks in an MCU", sum);
    if (f->sof != M_SOF2) { /* whatever the scan header says, all of the block comes */
        job->se = 63;
        return 0;
    }
    const uint8_t *tail = sos + 5 + 2 * n;
    job->ss = tail[0];
    job->se = tail[1];
    job->ah = tail[2] >> 4;
    job->al = tail[2] & 15;
    bool dc = job->ss == 0;
    if (job->ss > 63 || job->se > 63 || job->se < job->ss || (dc && job->se) || job->al > 13 ||
        (job->ah && job->ah != job->al + 1) || (!dc && n > 1))
        return pcri_fail(err, PCR_ERR_CORRUPT, "SOS: %u-%u,%u,%u with %u components", job->ss,
                         job->se, job->ah, job->al, n);
    return 0;
}

/* The scan must be the next one of the ladder. */
static int check_ladder(struct pcri_prefix *p, const struct pcri_scan_job *job,
                        struct pcr_error *err)
{
    struct pcri_scan scan = { .component_count = job->component_count,
                              .ss = job->ss,
                              .se = job->se,
                              .ah = job->ah,
                              .al = job->al };
    memcpy(scan.components, job->components, sizeof(scan.components));
    if (pcri_ladder_step(&p->walk, p->ladder, &p->file, &scan))
        return 0;
    return pcri_fail(err, PCR_ERR_CORRUPT,
                     "scan %u-%u,%u,%u of component %u is not the one in the ladder", job->ss,
                     job->se, job->ah, job->al, (unsigned) job->components[0]);
}

/* The scan must continue where the earlier ones ended. */
static int check_progression(struct pcri_prefix *p, const struct pcri_scan_job *job,
                             struct pcr_error *err)
{
    for (int i = 0; i < job->component_count; i++) {
        int8_t *bits = p->bits[job->components[i]];
        bool ok = job->ss == 0 || bits[0] >= 0;
        for (int k = job->ss; ok && k <= job->se; k++)
            ok = bits[k] == (job->ah ? job->ah : -1);
        if (!ok)
            return pcri_fail(err, PCR_ERR_CORRUPT,
                             "scan %u-%u,%u,%u does not continue component %u", job->ss,
                             job->se, job->ah, job->al, (unsigned) job->components[i]);
        memset(bits + job->ss, job->al, (size_t) (job->se - job->ss + 1));
    }
    return 0;
}

/* A sequential file may lack the standard's tables. */
static const struct pcri_dht *find_table(const struct pcri_prefix *p, unsigned klass,
                                         unsigned slot)
{
    const struct pcri_dht *dht = &p->tables[4 * klass + slot];
    bool standard = !dht->defined && p->file.sof != M_SOF2 && slot < 2;
    return standard ? &pcri_standard_tables[2 * klass + slot] : dht;
}

static int find_dc(struct pcri_prefix *p, unsigned slot, const struct pcri_lookup **out,
                   struct pcr_error *err)
{
    struct pcri_lookup_slot *found;
    if (slot > 3)
        return pcri_fail(err, PCR_ERR_CORRUPT, "SOS: Huffman table %u", slot);
    const struct pcri_dht *dht = find_table(p, 0, slot);
    for (int k = 0; dht->defined && k < dht->value_count; k++)
        if (dht->values[k] > 15)
            return pcri_fail(err, PCR_ERR_CORRUPT, "DC differences of %u bits",
                             dht->values[k]);
    int rc = pcri_lookup_get(&p->lookups, dht, PCRI_LOOKUP_FIRST, PCRI_DC_MAX_SIZE, &found,
                             err);
    if (!rc)
        *out = &found->lookup;
    return rc;
}

static int find_ac(struct pcri_prefix *p, unsigned slot, size_t nbytes, int i,
                   struct pcri_scan_job *job, struct pcr_error *err)
{
    bool sequential = p->file.sof != M_SOF2;
    enum pcri_lookup_kind kind = sequential ? PCRI_LOOKUP_SEQUENTIAL
                                 : job->ah  ? PCRI_LOOKUP_REFINE
                                            : PCRI_LOOKUP_FIRST;
    unsigned max_size = sequential ? PCRI_MAX_AC_SIZE : job->ah ? 1 : pcri_ac_max_size(job);
    struct pcri_lookup_slot *found;
    if (slot > 3)
        return pcri_fail(err, PCR_ERR_CORRUPT, "SOS: Huffman table %u", slot);
    int rc = pcri_lookup_get(&p->lookups, find_table(p, 1, slot), kind, max_size, &found, err);
    if (rc)
        return rc;
    job->ac[i] = &found->lookup;
    if (kind != PCRI_LOOKUP_REFINE)
        return pcri_pairs_get(found, sequential ? SIZE_MAX : nbytes, &job->pairs[i], err);
    if (pcri_refine_choose()->by_steps)
        return pcri_steps_get(found, nbytes, &job->steps, err);
    return pcri_several_get(found, nbytes, &job->several, err);
}

/* nbytes: of the scan's data. */
static int find_lookups(struct pcri_prefix *p, struct pcri_scan_job *job,
                        const uint8_t slots[4], size_t nbytes, struct pcr_error *err)
{
    int rc = 0;
    for (int i = 0; !rc && i < job->component_count; i++) {
        if (!job->ss && !job->ah)
            rc = find_dc(p, slots[i] >> 4, &job->dc[i], err);
        if (!rc && job->se)
            rc = find_ac(p, slots[i] & 15, nbytes, i, job, err);
    }
    return rc;
}

static void count_mcus(const struct pcri_prefix *p, struct pcri_scan_job *job)
{
    const struct pcri_jpeg_file *f = &p->file;
    uint32_t c = job->components[0];
    bool single = job->component_count == 1;
    job->mcus_x = single ? pcri_blocks_x(f, c)
                         : (f->width + 8 * f->max_h - 1) / (8 * f->max_h);
    job->mcus_y = single ? pcri_blocks_y(f, c)
                         : (f->height + 8 * f->max_v - 1) / (8 * f->max_v);
}

/* Checks that all of the scan's data can be there. An MCU of a DC scan takes a bit, so memory
 * stays in proportion to the bytes that are there. */
static int check_data(const struct pcri_scan_job *job, const struct pcri_entropy *e,
                      struct pcr_error *err)
{
    uint64_t mcus = (uint64_t) job->mcus_x * job->mcus_y;
    uint64_t wanted = job->restart_interval
                          ? (mcus + job->restart_interval - 1) / job->restart_interval
                          : 1;
    if (e->interval_count != wanted)
        return pcri_fail(err, PCR_ERR_CORRUPT, "%zu restart intervals, expected %llu",
                         e->interval_count, (unsigned long long) wanted);
    if (!job->ss && mcus > (uint64_t) e->data.nbytes * 8)
        return pcri_fail(err, PCR_ERR_CORRUPT, "%zu bytes cannot hold %llu MCUs",
                         e->data.nbytes, (unsigned long long) mcus);
    return 0;
}

/* True if nothing of the scan's components is kept. */
static bool is_unwanted(const struct pcri_prefix *p, const struct pcri_scan_job *job)
{
    for (int i = 0; i < job->component_count; i++)
        if (!p->rows[job->components[i]].set || p->rows[job->components[i]].end)
            return false;
    return true;
}

/* Decodes the queue if it has no room left, or if the cache might lose its look-ups. */
static int make_room(struct pcri_prefix *p, struct pcr_error *err)
{
    uint64_t asked = p->lookups.clock - p->queued_at;
    if (p->queue.count == PCRI_REFINE_QUEUE_SCANS ||
        (p->queue.count && asked > PCRI_LOOKUP_CACHE_SLOTS / 2))
        return pcri_refine_queue_run(&p->queue, err);
    return 0;
}

/* Unstuffs [begin, end) of the piece, and prepares what decoding needs. */
static int prepare_scan(struct pcri_prefix *p, uint64_t begin, uint64_t end,
                        const uint8_t slots[4], struct pcri_scan_job *job,
                        struct pcri_entropy *e, struct pcr_error *err)
{
    int rc = pcri_unstuff(e, p->file.data, begin, end, p->restart_interval != 0,
                          job->ss && job->ah, err);
    if (!rc)
        rc = find_lookups(p, job, slots, e->data.nbytes, err);
    if (rc)
        return rc;
    count_mcus(p, job);
    rc = check_data(job, e, err);
    if (!rc && !p->reserved)
        rc = reserve(p, err);
    job->data = e->data.data;
    job->interval_end = e->interval_end;
    job->interval_count = e->interval_count;
    return rc;
}

static int queue_scan(struct pcri_prefix *p, uint64_t begin, uint64_t end,
                      const uint8_t slots[4], struct pcri_scan_job *job, struct pcr_error *err)
{
    int rc = make_room(p, err);
    if (rc)
        return rc;
    if (!p->queue.count)
        p->queued_at = p->lookups.clock;
    struct pcri_refine_scan *s = pcri_refine_queue_next(&p->queue, err);
    if (!s)
        return PCR_ERR_NOMEM;
    rc = prepare_scan(p, begin, end, slots, job, &s->entropy, err);
    if (rc)
        return rc;
    s->job = *job;
    s->offset = p->file.base + begin;
    p->queue.count++;
    return 0;
}

/* The scan of this SOS, whose data is [begin, end) of the piece. */
static int decode_scan(struct pcri_prefix *p, const uint8_t *sos, size_t sos_nbytes,
                       uint64_t begin, uint64_t end, struct pcr_error *err)
{
    struct pcri_scan_job job = { .file = &p->file,
                                 .planes = p->planes,
                                 .restart_interval = p->restart_interval };
    uint8_t slots[4];
    int rc = find_components(p, sos, sos_nbytes, &job, slots, err);
    if (!rc && p->ladder)
        rc = check_ladder(p, &job, err);
    if (!rc)
        rc = check_progression(p, &job, err);
    if (rc || is_unwanted(p, &job))
        return rc;
    if (job.ss && job.ah)
        return queue_scan(p, begin, end, slots, &job, err);
    rc = prepare_scan(p, begin, end, slots, &job, &p->entropy, err);
    if (rc)
        return rc;
    if (p->file.sof != M_SOF2)
        return pcri_decode_sequential(&job, err);
    return job.ss ? pcri_decode_ac_first(&job, err) : pcri_decode_dc(&job, err);
}

/* Clears the components that no scan has come for. */
static void clear_missing(struct pcri_prefix *p)
{
    for (uint32_t c = 0; p->reserved && c < p->file.component_count; c++) {
        struct pcri_blocks *b = &p->planes[c];
        size_t n = pcri_kept_end(b);
        if (p->bits[c][0] >= 0)
            continue;
        if (b->has_ac)
            memset(b->coef, 0, (n - pcri_kept_begin(b)) * 64 * sizeof(*b->coef));
        else
            memset(b->dc, 0, (n - pcri_kept_begin(b)) * sizeof(*b->dc));
        memset(b->mask, 0, n * sizeof(*b->mask));
    }
}

void pcri_prefix_settle(struct pcri_prefix *p)
{
    for (uint32_t c = 0; p->reserved && c < p->file.component_count; c++) {
        struct pcri_blocks *b = &p->planes[c];
        if (!b->has_ac)
            pcri_begin_blocks(b, pcri_kept_begin(b), pcri_kept_end(b));
    }
}

/* --- pieces --- */

static int run_segment(struct pcri_prefix *p, const struct pcri_segment *s, uint64_t end,
                       struct pcr_error *err)
{
    const uint8_t *b = p->file.data + s->offset;
    if (s->marker == M_DHT)
        return pcri_dht_parse(b, s->nbytes, p->tables, err);
    if (s->marker == M_DRI) {
        if (s->nbytes != 6)
            return pcri_fail(err, PCR_ERR_CORRUPT, "DRI has %u bytes", (unsigned) s->nbytes);
        p->restart_interval = (uint32_t) b[4] << 8 | b[5];
    }
    if (s->marker != M_SOS)
        return 0;
    if (!p->file.open_scan || s->offset + s->nbytes != p->file.nbytes)
        return decode_scan(p, b, s->nbytes, s->offset + s->nbytes, end, err);
    if (s->nbytes > sizeof(p->sos))
        return pcri_fail(err, PCR_ERR_CORRUPT, "SOS has %u bytes", (unsigned) s->nbytes);
    memcpy(p->sos, b, s->nbytes);
    p->sos_nbytes = s->nbytes;
    return 0;
}

/* Without EOI the file must have brought all coefficients, and what does not decode is
 * probably cut off. */
static int judge_end(const struct pcri_prefix *p, int rc, struct pcr_error *err)
{
    if (!p->file.no_eoi || (rc && rc != PCR_ERR_CORRUPT))
        return rc;
    if (rc)
        return pcri_fail_at(err, PCR_ERR_TRUNCATED, p->file.nbytes, "file ends within a scan");
    for (uint32_t c = 0; c < p->file.component_count; c++)
        for (int k = 0; k < 64; k++)
            if (p->bits[c][k])
                return pcri_fail_at(err, PCR_ERR_TRUNCATED, p->file.nbytes,
                                    "file ends "
                                    "without an EOI marker, before coefficient %d of "
                                    "component %u is complete",
                                    k, (unsigned) c);
    return 0;
}

int pcri_prefix_run(struct pcri_prefix *p, struct pcr_error *err)
{
    const struct pcri_jpeg_file *f = &p->file;
    int rc = 0;
    if (f->entropy_end)
        rc = decode_scan(p, p->sos, p->sos_nbytes, 0, f->entropy_end, err);
    for (uint32_t i = 0; !rc && i < f->segment_count; i++) {
        const struct pcri_segment *s = &f->segments[i];
        rc = run_segment(p, s, i + 1 < f->segment_count ? f->segments[i + 1].offset : f->end,
                         err);
        if (rc && err && err->offset == PCR_NO_OFFSET)
            err->offset = s->offset;
    }
    clear_missing(p);
    if (rc && err && err->offset != PCR_NO_OFFSET)
        err->offset += f->base;
    return rc ? judge_end(p, rc, err) : 0;
}

int pcri_prefix_finish(struct pcri_prefix *p, struct pcr_error *err)
{
    return judge_end(p, pcri_refine_queue_run(&p->queue, err), err);
}

void pcri_prefix_begin(struct pcri_prefix *p)
{
    pcri_jpeg_file_begin(&p->file);
    memset(p->bits, -1, sizeof(p->bits));
    for (int i = 0; i < 8; i++)
        p->tables[i].defined = false;
    memset(p->rows, 0, sizeof(p->rows));
    p->ladder = NULL;
    p->walk = (struct pcri_ladder_walk) { 0 };
    p->restart_interval = 0;
    p->queue.count = 0;
    p->reserved = false;
}

int pcri_prefix_open(struct pcri_prefix *p, const void *data, size_t nbytes,
                     const struct pcr_limits *limits, struct pcr_error *err)
{
    pcri_prefix_begin(p);
    return pcri_jpeg_file_parse(data, nbytes, limits, &p->file, err);
}

int pcri_prefix_add(struct pcri_prefix *p, const void *data, size_t nbytes,
                    const struct pcr_limits *limits, struct pcr_error *err)
{
    int rc = pcri_jpeg_file_add(&p->file, data, nbytes, limits, err);
    if (rc && err && err->offset != PCR_NO_OFFSET)
        err->offset += p->file.base;
    return rc;
}

void pcri_prefix_keep(struct pcri_prefix *p, uint32_t component, uint32_t row_begin,
                      uint32_t row_end)
{
    p->rows[component].set = true;
    p->rows[component].begin = row_begin;
    p->rows[component].end = row_end;
}

int pcri_prefix_decode(struct pcri_prefix *p, const void *data, size_t nbytes,
                       const struct pcr_limits *limits, struct pcr_error *err)
{
    int rc = pcri_prefix_open(p, data, nbytes, limits, err);
    if (!rc)
        rc = pcri_prefix_run(p, err);
    return rc ? rc : pcri_prefix_finish(p, err);
}

void pcri_prefix_free(struct pcri_prefix *p)
{
    pcri_jpeg_file_free(&p->file);
    pcri_entropy_free(&p->entropy);
    pcri_refine_queue_free(&p->queue);
    pcri_lookup_cache_free(&p->lookups);
    free(p->memory);
    *p = (struct pcri_prefix) { 0 };
}
