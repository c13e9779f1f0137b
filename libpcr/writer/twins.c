/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a dataset has more than once, and keeps: they are told. Each file's size and checksum
 * are noted while it is packed; those that agree are loaded again and compared at the end. Of
 * records that an earlier run has finished, both are read: what restores a file has its checksum,
 * and a file that is kept whole is a chunk. */
#include <stdlib.h>

#include "../record/restore_column.h"
#include "write.h"

int pcri_twins_begin(struct pcri_write *w, struct pcr_error *err)
{
    if (w->recode || w->duplicates)
        return 0;
    w->identities = pcri_calloc(w->source.sample_count, sizeof(*w->identities), err);
    return w->identities ? 0 : PCR_ERR_NOMEM;
}

/* --- records of an earlier run --- */

static uint64_t identity_of(const struct pcri_head *head, uint32_t i,
                            const struct pcri_restore_column *c)
{
    uint32_t check = head->check[i]; /* of the chunk in group 1 */
    const bool whole = head->coding[i] == PCR_CODING_OPAQUE;
    if (!whole && !pcri_restore_program(c, i, &check).nbytes)
        return 0;
    return pcri_file_identity(head->source_nbytes[i], check);
}

int pcri_twins_take_over(struct pcri_write *w, const struct pcri_write_plan_record *planned,
                         const struct pcri_record *r, struct pcr_error *err)
{
    const struct pcri_head *head = r->head;
    struct pcri_restore_column c = { 0 };
    uint32_t i = 0, n;
    if (!w->identities)
        return 0;
    int rc = pcri_restore_column_read(r, w->opts.limits, &c, err);
    for (uint32_t k = 0; k < planned->count && i < head->sample_count && !rc; k++) {
        const uint64_t index = w->plan.order[planned->first + k];
        struct pcr_source_sample s;
        rc = pcri_source_describe(&w->source, index, &s, err);
        if (rc || strcmp(pcri_text(&head->keys, i, &n), s.key) != 0)
            continue; /* it was skipped */
        w->identities[index] = identity_of(head, i++, &c);
        w->progress.samples_uncompared += !w->identities[index];
    }
    pcri_restore_column_free(&c);
    return rc;
}

/* --- at the end --- */

struct known_file {
    uint64_t identity, index;
};

struct twin {
    uint64_t index, first; /* of two samples with the same file */
};

struct twins {
    struct pcri_write *write;
    struct pcri_worker own, other; /* whose files are loaded */
    struct twin *items;
    size_t count, room;
};

static int compare_files(const void *a, const void *b)
{
    const struct known_file *x = a, *y = b;
    if (x->identity != y->identity)
        return x->identity < y->identity ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int compare_twins(const void *a, const void *b)
{
    const struct twin *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Whether the file could be loaded again; if not, it is not compared. */
static int load(struct pcri_worker *t, uint64_t index, bool *loaded, struct pcr_error *err)
{
    struct pcr_error why;
    bool lost;
    int rc = pcri_sample_load(t, index, &lost, &why);
    *loaded = !rc;
    t->write->progress.samples_uncompared += rc != 0;
    return rc == PCR_ERR_NOMEM || rc == PCR_ERR_CANCELLED ? pcri_hand_on(err, rc, &why) : 0;
}

/* Finds the files that are that of files[0]. Others' indices become UINT64_MAX. */
static int match(struct twins *t, struct known_file *files, size_t count,
                 struct pcr_error *err)
{
    const struct pcr_buffer *a = &t->own.file, *b = &t->other.file;
    bool loaded;
    int rc = load(&t->own, files[0].index, &loaded, err);
    for (size_t k = 1; k < count && loaded && !rc; k++) {
        if (files[k].index == UINT64_MAX)
            continue;
        rc = load(&t->other, files[k].index, &loaded, err);
        if (!rc)
            rc = pcri_tick(&t->write->ticker, 1, err);
        if (rc || !loaded || a->nbytes != b->nbytes ||
            memcmp(a->data, b->data, a->nbytes) != 0) {
            loaded = true;
            continue;
        }
        if (PCRI_GROW(t->items, t->room, t->count + 1, err))
            return PCR_ERR_NOMEM;
        t->items[t->count++] = (struct twin) { files[k].index, files[0].index };
        files[k].index = UINT64_MAX;
    }
    return rc;
}

static int find(struct twins *t, struct known_file *files, size_t count, struct pcr_error *err)
{
    int rc = 0;
    for (size_t i = 0, end; i < count && !rc; i = end) {
        for (end = i + 1; end < count && files[end].identity == files[i].identity;)
            end++;
        for (; i + 1 < end && !rc; i++)
            if (files[i].index != UINT64_MAX)
                rc = match(t, &files[i], end - i, err);
    }
    return rc;
}

/* A copy of its path, which lives only until another is described. */
static char *copy(const struct pcr_source_sample *s, struct pcr_error *err)
{
    const char *path = s->path ? s->path : s->key;
    return pcri_strndup(path, strlen(path), err);
}

static int tell(struct pcri_write *w, const struct twin *t, struct pcr_error *err)
{
    struct pcr_source_sample one, first;
    int rc = pcri_source_describe(&w->source, t->first, &first, err);
    char *path = rc ? NULL : copy(&first, err);
    const uint32_t split = rc ? 0 : first.split;
    if (!path)
        return rc ? rc : PCR_ERR_NOMEM;
    rc = pcri_source_describe(&w->source, t->index, &one, err);
    if (!rc) {
        w->progress.samples_repeated++;
        w->progress.repeated_across_splits += one.split != split;
        if (w->opts.repeated)
            w->opts.repeated(w->opts.context, one.path ? one.path : one.key, path);
    }
    free(path);
    return rc;
}

int pcri_twins_tell(struct pcri_write *w, struct pcr_error *err)
{
    struct twins t = { .write = w, .own.write = w, .other.write = w };
    size_t count = 0;
    if (!w->identities)
        return 0;
    struct known_file *files = pcri_malloc(w->source.sample_count, sizeof(*files), err);
    for (uint64_t i = 0; files && i < w->source.sample_count; i++)
        if (w->identities[i])
            files[count++] = (struct known_file) { w->identities[i], i };
    if (count)
        qsort(files, count, sizeof(*files), compare_files);
    int rc = files ? find(&t, files, count, err) : PCR_ERR_NOMEM;
    if (t.count)
        qsort(t.items, t.count, sizeof(*t.items), compare_twins);
    for (size_t i = 0; i < t.count && !rc; i++)
        rc = tell(w, &t.items[i], err);
    pcr_buffer_free(&t.own.file);
    pcr_buffer_free(&t.other.file);
    free(t.items);
    free(files);
    return rc;
}
