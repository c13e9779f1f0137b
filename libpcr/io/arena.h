/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for many small things that are made one after another, read now and then, and freed all
 * at once: what is known of a source's samples.
 *
 * What is more than some megabytes lies in an unnamed file, a shelf, which is mapped. Pointers
 * into it stay valid like others. But the process holds only the parts that it has used lately:
 * after some use it lets go of them, and the system keeps them in its page cache, which it can
 * write to disk and reuse. So memory does not grow with the number of samples. */
#ifndef PCRI_ARENA_H
#define PCRI_ARENA_H

#include "../base/base.h"

/* Start from {0}. */
struct pcri_arena {
    struct pcri_arena_block *blocks; /* malloc'd */
    uint8_t *at;                     /* of the block or the shelf that is being filled: */
    size_t left;                     /* room that is left from there on */
    size_t held_nbytes;              /* of all blocks */
    /* A local folder for the shelf. NULL: there is never one. The text must live as long as the
     * arena. */
    const char *folder;
    struct pcri_shelf *shelf; /* NULL: not yet */
    bool has_no_shelf; /* it could not be made, or cannot grow: there are blocks instead */
};

/* `align` is a power of two, at most 16. NULL and *err for lack of memory. One thread. */
void *pcri_arena_alloc(struct pcri_arena *a, size_t nbytes, size_t align,
                       struct pcr_error *err);
/* A copy, with a NUL. */
char *pcri_arena_strndup(struct pcri_arena *a, const void *s, size_t nbytes,
                         struct pcr_error *err);
/* A path: its beginning, a slash if needed, and a name. NULL: NOMEM. */
char *pcri_arena_join(struct pcri_arena *a, const char *folder, size_t folder_nbytes,
                      bool slash, const char *name, struct pcr_error *err);

/* Call it before something in the arena is read, at least once for what was made together: when
 * enough is in use, all is let go of. Any number of threads. */
void pcri_arena_touch(const struct pcri_arena *a, const void *p);

/* Sorts `count` pointers to things in the arena, and keeps the order of those that are equal;
 * compare() gets two of the pointers. What is sorted already is only looked at. NOMEM: for half as
 * many pointers. */
int pcri_arena_sort(const struct pcri_arena *a, void *items, size_t count,
                    int (*compare)(const void *x, const void *y), struct pcr_error *err);

void pcri_arena_free(struct pcri_arena *a);

#endif
