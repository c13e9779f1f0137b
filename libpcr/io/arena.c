/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that the process does not hold all of. */
#define _DEFAULT_SOURCE /* madvise */
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "spool.h"

enum {
    BLOCK_NBYTES = 64 * 1024 - 64,
    HELD_NBYTES = 16 << 20, /* in blocks, before there is a shelf */
    PART_NBYTES = 8 << 20,  /* of the shelf: it grows by so much */
    /* The system maps files by pieces of this size around what is used (fault_around_bytes). So
     * many of them may be in use: 32 MiB. */
    PIECE_BITS = 16,
    MOST_PIECES = 512,
};

struct pcri_arena_block {
    struct pcri_arena_block *next;
    alignas(16) uint8_t bytes[];
};

/* A file that is mapped part by part. */
struct pcri_shelf {
    struct pcri_spool file;
    uint64_t nbytes;
    struct pcri_shelf_part {
        void *map;
        size_t nbytes;
    } * parts;
    size_t count, capacity;
    /* Pieces that are in use, each in the place of its address. */
    _Atomic uint32_t recent[2 * MOST_PIECES];
    _Atomic uint32_t recent_count;
};

/* --- the shelf --- */

static struct pcri_shelf *open_shelf(const char *folder)
{
    struct pcri_shelf *s = calloc(1, sizeof(*s));
    if (s && pcri_spool_open(folder, &s->file, NULL)) {
        free(s);
        return NULL;
    }
    return s;
}

static void close_shelf(struct pcri_shelf *s)
{
    for (size_t i = 0; s && i < s->count; i++)
        munmap(s->parts[i].map, s->parts[i].nbytes);
    if (s) {
        pcri_spool_close(&s->file);
        free(s->parts);
    }
    free(s);
}

/* Maps another part. The file's blocks are there before it is written to: a full disk is found
 * here, and is no SIGBUS. */
static uint8_t *add_part(struct pcri_shelf *s, size_t nbytes)
{
    int sys = EINTR;
    if (PCRI_GROW(s->parts, s->capacity, s->count + 1, NULL))
        return NULL;
    while (sys == EINTR)
        sys = posix_fallocate(s->file.fd, (off_t) s->nbytes, (off_t) nbytes);
    if (sys)
        return NULL;
    void *map = mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->file.fd,
                     (off_t) s->nbytes);
    if (map == MAP_FAILED)
        return NULL;
    s->parts[s->count++] = (struct pcri_shelf_part) { map, nbytes };
    s->nbytes += nbytes;
    return map;
}

/* The process no longer has these pages; the file does. */
static void let_go(struct pcri_shelf *s)
{
    for (size_t i = 0; i < s->count; i++)
        (void) madvise(s->parts[i].map, s->parts[i].nbytes, MADV_DONTNEED);
    for (size_t i = 0; i < 2 * MOST_PIECES; i++)
        atomic_store_explicit(&s->recent[i], 0, memory_order_relaxed);
}

void pcri_arena_touch(const struct pcri_arena *a, const void *p)
{
    struct pcri_shelf *s = a->shelf;
    if (!s)
        return;
    const uint32_t piece = (uint32_t) ((uintptr_t) p >> PIECE_BITS);
    _Atomic uint32_t *place = &s->recent[piece % (2 * MOST_PIECES)];
    if (atomic_load_explicit(place, memory_order_relaxed) == piece)
        return;
    atomic_store_explicit(place, piece, memory_order_relaxed);
    const uint32_t count = atomic_fetch_add_explicit(&s->recent_count, 1,
                                                     memory_order_relaxed);
    if (count % MOST_PIECES == MOST_PIECES - 1)
        let_go(s);
}

/* --- allocating --- */

/* Room for `nbytes` on the shelf; false: there is none. */
static bool fill_shelf(struct pcri_arena *a, size_t nbytes)
{
    if (!a->folder || a->has_no_shelf ||
        (a->held_nbytes < HELD_NBYTES && nbytes < HELD_NBYTES))
        return false;
    const size_t room = nbytes > PART_NBYTES
                            ? (nbytes + PART_NBYTES - 1) / PART_NBYTES * PART_NBYTES
                            : PART_NBYTES;
    if (!a->shelf)
        a->shelf = open_shelf(a->folder);
    uint8_t *part = a->shelf && room >= nbytes ? add_part(a->shelf, room) : NULL;
    a->has_no_shelf = !part;
    if (part) {
        a->at = part;
        a->left = room;
    }
    return part != NULL;
}

static bool fill_block(struct pcri_arena *a, size_t nbytes)
{
    const size_t room = nbytes > BLOCK_NBYTES ? nbytes : BLOCK_NBYTES;
    struct pcri_arena_block *b = NULL;
    size_t total;
    if (pcri_add(room, sizeof(*b), &total))
        b = malloc(total);
    if (!b)
        return false;
    b->next = a->blocks;
    a->blocks = b;
    a->at = b->bytes;
    a->left = room;
    a->held_nbytes += total;
    return true;
}

void *pcri_arena_alloc(struct pcri_arena *a, size_t nbytes, size_t align,
                       struct pcr_error *err)
{
    size_t gap = (size_t) - (uintptr_t) a->at & (align - 1);
    if (!a->at || gap > a->left || nbytes > a->left - gap) {
        if (!fill_shelf(a, nbytes) && !fill_block(a, nbytes)) {
            pcri_fail_nomem(err, nbytes);
            return NULL;
        }
        gap = 0;
    }
    uint8_t *p = a->at + gap;
    a->at = p + nbytes;
    a->left -= gap + nbytes;
    pcri_arena_touch(a, p);
    return p;
}

char *pcri_arena_strndup(struct pcri_arena *a, const void *s, size_t nbytes,
                         struct pcr_error *err)
{
    char *p = pcri_arena_alloc(a, nbytes + 1, 1, err);
    if (p) {
        memcpy(p, s, nbytes);
        p[nbytes] = '\0';
    }
    return p;
}

char *pcri_arena_join(struct pcri_arena *a, const char *folder, size_t folder_nbytes,
                      bool slash, const char *name, struct pcr_error *err)
{
    size_t nbytes = folder_nbytes + slash + strlen(name) + 1;
    char *path = pcri_arena_alloc(a, nbytes, 1, err);
    if (path)
        snprintf(path, nbytes, "%.*s%s%s", (int) folder_nbytes, folder, slash ? "/" : "",
                 name);
    return path;
}

/* --- sorting --- */

struct sorting {
    const struct pcri_arena *arena;
    int (*compare)(const void *x, const void *y);
    void **half;
};

static bool is_after(const struct sorting *s, const void *x, const void *y)
{
    pcri_arena_touch(s->arena, x);
    pcri_arena_touch(s->arena, y);
    return s->compare(x, y) > 0;
}

/* Merge sort: what lies together in memory is mostly sorted before others are looked at. */
static void sort(const struct sorting *s, void **items, size_t count)
{
    if (count < 2)
        return;
    const size_t n = count / 2;
    sort(s, items, n);
    sort(s, items + n, count - n);
    if (!is_after(s, items[n - 1], items[n]))
        return;
    memcpy(s->half, items, n * sizeof(*items));
    for (size_t i = 0, k = n, to = 0; i < n; to++)
        items[to] = k < count && is_after(s, s->half[i], items[k]) ? items[k++] : s->half[i++];
}

int pcri_arena_sort(const struct pcri_arena *a, void *items, size_t count,
                    int (*compare)(const void *x, const void *y), struct pcr_error *err)
{
    const struct sorting s = { a, compare, pcri_malloc(count / 2, sizeof(void *), err) };
    if (!s.half)
        return PCR_ERR_NOMEM;
    sort(&s, items, count);
    free(s.half);
    return 0;
}

void pcri_arena_free(struct pcri_arena *a)
{
    while (a->blocks) {
        struct pcri_arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    close_shelf(a->shelf);
    const char *folder = a->folder;
    *a = (struct pcri_arena) { .folder = folder };
}
