/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps what was read, in files of a folder or in memory, block by block, and reads from below
 * what it does not have: a prefix first, later the rest, each byte once.
 *
 * A cache file has a table with 64 bits for each block of the source, then the blocks at their
 * offsets; it is sparse. An entry of the table is 0 for a missing block, else the block's
 * checksum and place. So nothing needs to be in order: a block that was only half written, by
 * a process that was killed, next to another process, or before a power failure, does not
 * match its checksum, and is read from below again. */
#include <stdlib.h>
#include <unistd.h>

#include "layer.h"

enum { BLOCK = 16 << 10 };

struct cached_file {
    struct pcri_layer_file file;
    int fd; /* of the cache file, -1 if there is none */
    uint64_t data_off;
    atomic_bool full; /* nothing more is kept */
    atomic_bool lost; /* it keeps bytes that are wrong: it is not used any more */
};

/* The blocks that a range needs. */
struct cover {
    uint64_t first, count;
    uint8_t *bytes;  /* all of them */
    uint64_t *marks; /* the table's; 0 after looking: not found */
};

static int cache_open(const struct pcri_io_backend *self, const char *path,
                      struct pcri_file **out, struct pcr_error *err)
{
    int rc = pcri_layer_open_larger(self, path, sizeof(struct cached_file), out, err);
    if (rc)
        return rc;
    struct cached_file *f = (struct cached_file *) *out;
    struct pcri_layers *all = pcri_layers_of(*out);
    uint64_t table = (f->file.base.nbytes / BLOCK + 1) * sizeof(uint64_t);
    f->data_off = (table + BLOCK - 1) / BLOCK * BLOCK;
    f->fd = pcri_store_open(all->store, *out);
    if (f->fd < 0)
        pcri_count(&all->counts.cache_failed_count, 1);
    return 0;
}

static void cache_close(struct pcri_file *base)
{
    struct cached_file *f = (struct cached_file *) base;
    if (f->fd >= 0)
        close(f->fd);
    pcri_layer_close(base);
}

static size_t block_nbytes(const struct cached_file *f, uint64_t block)
{
    uint64_t left = f->file.base.nbytes - block * BLOCK;
    return left < BLOCK ? (size_t) left : BLOCK;
}

static uint64_t mark_of(const uint8_t *bytes, size_t nbytes, uint64_t block)
{
    uint64_t mark = pcri_xxh3(bytes, nbytes) ^ (block + 1) * UINT64_C(0x9E3779B97F4A7C15);
    return mark ? mark : 1;
}

/* The next run, from *at, of blocks that are there (or are not). Moves *at after it. */
static uint64_t next_run(const struct cover *c, bool there, uint64_t *at)
{
    while (*at < c->count && !c->marks[*at] == there)
        ++*at;
    uint64_t first = *at;
    while (*at < c->count && !c->marks[*at] != there)
        ++*at;
    return first;
}

/* Reads from the cache file what it has of a cover; marks become 0 where it is wrong. */
static void look_up(const struct cached_file *f, struct cover *c)
{
    size_t n = pcri_transfer_all(f->fd, c->marks, (size_t) c->count * sizeof(uint64_t),
                                 c->first * sizeof(uint64_t), false);
    memset((uint8_t *) c->marks + n, 0, (size_t) c->count * sizeof(uint64_t) - n);
    for (uint64_t at = 0, first; (first = next_run(c, true, &at)) < c->count;) {
        uint8_t *bytes = c->bytes + first * BLOCK;
        size_t nbytes = (size_t) (at - first - 1) * BLOCK + block_nbytes(f, c->first + at - 1);
        n = pcri_transfer_all(f->fd, bytes, nbytes, f->data_off + (c->first + first) * BLOCK,
                              false);
        memset(bytes + n, 0, nbytes - n);
    }
    for (uint64_t i = 0; i < c->count; i++)
        if (c->marks[i] &&
            c->marks[i] !=
                mark_of(c->bytes + i * BLOCK, block_nbytes(f, c->first + i), c->first + i)) {
            c->marks[i] = 0;
            pcri_count(&pcri_layers_of(&f->file.base)->counts.cache_bad_count, 1);
        }
}

/* Keeps a run of blocks: first they, then their marks. A full disk ends the keeping. */
static void keep(struct cached_file *f, struct cover *c, uint64_t first, uint64_t end)
{
    struct pcri_layers *all = pcri_layers_of(&f->file.base);
    size_t nbytes = (size_t) (end - first - 1) * BLOCK + block_nbytes(f, c->first + end - 1);
    size_t marks_nbytes = (size_t) (end - first) * sizeof(uint64_t);
    if (atomic_load_explicit(&f->full, memory_order_relaxed))
        return;
    if (!pcri_store_reserve(all->store, nbytes)) {
        atomic_store_explicit(&f->full, true, memory_order_relaxed);
        return;
    }
    for (uint64_t i = first; i < end; i++)
        c->marks[i] = mark_of(c->bytes + i * BLOCK, block_nbytes(f, c->first + i),
                              c->first + i);
    if (pcri_transfer_all(f->fd, c->bytes + first * BLOCK, nbytes,
                          f->data_off + (c->first + first) * BLOCK, true) < nbytes ||
        pcri_transfer_all(f->fd, c->marks + first, marks_nbytes,
                          (c->first + first) * sizeof(uint64_t), true) < marks_nbytes) {
        atomic_store_explicit(&f->full, true, memory_order_relaxed);
        pcri_count(&all->counts.cache_failed_count, 1);
        return;
    }
    pcri_count(&all->counts.cache_stored_nbytes, nbytes);
}

/* Reads from below what was not found, all at once, and keeps it. */
static int fetch(struct cached_file *f, struct cover *covers, size_t count, uint64_t blocks,
                 struct pcr_error *err)
{
    struct pcri_layer_counts *counts = &pcri_layers_of(&f->file.base)->counts;
    struct pcri_range *runs = pcri_calloc(blocks, sizeof(*runs), err);
    size_t n = 0;
    if (!runs)
        return PCR_ERR_NOMEM;
    for (size_t k = 0; k < count; k++) {
        const struct cover *c = &covers[k];
        for (uint64_t at = 0, first; (first = next_run(c, false, &at)) < c->count; n++)
            runs[n] = (struct pcri_range) {
                (c->first + first) * BLOCK,
                c->bytes + first * BLOCK,
                (size_t) (at - first - 1) * BLOCK + block_nbytes(f, c->first + at - 1),
            };
    }
    int rc = n ? pcri_file_read(f->file.below, runs, n, err) : 0;
    pcri_count(&counts->cache_miss_nbytes, rc ? 0 : pcri_ranges_nbytes(runs, n));
    free(runs);
    for (size_t k = 0; k < count && !rc; k++) {
        uint64_t at = 0, first, end;
        while ((first = next_run(&covers[k], false, &at)) < covers[k].count) {
            end = at;
            keep(f, &covers[k], first, end);
        }
    }
    return rc;
}

static int read_covers(struct cached_file *f, const struct pcri_range *ranges, size_t count,
                       struct cover *covers, uint64_t blocks, struct pcr_error *err)
{
    struct pcri_layer_counts *counts = &pcri_layers_of(&f->file.base)->counts;
    uint8_t *bytes = pcri_malloc(blocks, BLOCK, err);
    uint64_t *marks = pcri_calloc(blocks, sizeof(*marks), err);
    int rc = bytes && marks ? 0 : PCR_ERR_NOMEM;
    uint64_t before = 0, found = 0;
    for (size_t k = 0; k < count && !rc; k++) {
        struct cover *c = &covers[k];
        c->bytes = bytes + before * BLOCK;
        c->marks = marks + before;
        before += c->count;
        look_up(f, c);
        for (uint64_t i = 0; i < c->count; i++)
            found += c->marks[i] ? block_nbytes(f, c->first + i) : 0;
    }
    if (!rc) {
        pcri_count(&counts->cache_hit_nbytes, found);
        rc = fetch(f, covers, count, blocks, err);
    }
    for (size_t k = 0; k < count && !rc; k++)
        if (ranges[k].nbytes)
            memcpy(ranges[k].dst,
                   covers[k].bytes + (ranges[k].offset - covers[k].first * BLOCK),
                   ranges[k].nbytes);
    free(bytes);
    free(marks);
    return rc;
}

static struct cover cover_of(const struct pcri_range *r)
{
    uint64_t first = r->offset / BLOCK, end = (r->offset + r->nbytes + BLOCK - 1) / BLOCK;
    return (struct cover) { .first = first, .count = r->nbytes ? end - first : 0 };
}

/* A block's checksum proves that it is what was read once. Only the caller knows whether that
 * was right: a record has checksums of its own. Nothing is looked up or kept here, for another
 * process may just be keeping its wrong bytes. */
static int cache_read_again(struct pcri_file *base, const struct pcri_range *ranges,
                            size_t count, struct pcr_error *err)
{
    static const uint64_t none[256];
    struct cached_file *f = (struct cached_file *) base;
    enum { MOST = sizeof(none) / sizeof(none[0]) };
    for (size_t k = 0; k < count && f->fd >= 0; k++) {
        struct cover c = cover_of(&ranges[k]);
        pcri_count(&pcri_layers_of(base)->counts.cache_bad_count, c.count);
        for (uint64_t at = 0, n; at < c.count; at += n) {
            n = c.count - at < MOST ? c.count - at : MOST;
            if (pcri_transfer_all(
                    f->fd, (void *) (uintptr_t) none, (size_t) n * sizeof(none[0]),
                    (c.first + at) * sizeof(none[0]), true) < n * sizeof(none[0]))
                atomic_store_explicit(&f->lost, true, memory_order_relaxed);
        }
    }
    return pcri_file_read(f->file.below, ranges, count, err);
}

static int cache_read(struct pcri_file *base, const struct pcri_range *ranges, size_t count,
                      struct pcr_error *err)
{
    struct cached_file *f = (struct cached_file *) base;
    uint64_t blocks = 0;
    bool inside = f->fd >= 0 && !atomic_load_explicit(&f->lost, memory_order_relaxed);
    for (size_t k = 0; k < count; k++)
        inside = inside && ranges[k].offset + ranges[k].nbytes <= base->nbytes;
    if (!inside) /* beyond the end: the error is told below */
        return pcri_file_read(f->file.below, ranges, count, err);
    struct cover *covers = pcri_calloc(count, sizeof(*covers), err);
    if (!covers)
        return PCR_ERR_NOMEM;
    for (size_t k = 0; k < count; k++) {
        covers[k] = cover_of(&ranges[k]);
        blocks += covers[k].count;
    }
    int rc = read_covers(f, ranges, count, covers, blocks, err);
    free(covers);
    return rc;
}

const struct pcri_io_backend pcri_layer_cache = {
    .name = "cache",
    .open = cache_open,
    .read = cache_read,
    .close = cache_close,
    .identify = pcri_layer_identify,
    .read_again = cache_read_again,
};
