/* SPDX-License-Identifier: BSD-2-Clause */
/* A writer that is given samples: it keeps them in a spool, and is then the source of a
 * conversion, so that what it writes is what pcr_dataset_write() writes of the same samples. */
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../io/arena.h"
#include "../io/spool.h"
#include "write.h"

/* A sample that was added, with the labels, blobs and texts that it points to behind it. */
struct kept {
    uint64_t index;
    uint64_t offset, nbytes; /* in the spool */
    uint64_t check;          /* of its bytes */
    struct pcr_source_sample sample;
};

struct pcr_writer {
    char *path;
    struct pcr_write_options opts; /* callbacks and context: the caller's */
    struct pcr_limits limits;
    struct pcr_source source; /* its names: own copies, in `names` */
    char **names[2];          /* of classes, of splits */
    struct pcri_spool spool;
    atomic_bool cancelled;

    pthread_mutex_t lock; /* over what follows, while samples are added */
    uint64_t spool_nbytes;
    uint32_t adding; /* threads in pcr_writer_add() */
    bool finishing, finished;
    bool numbered; /* the caller numbers samples */
    struct pcri_arena arena;
    struct kept **items; /* in the arena */
    uint64_t count;
    size_t capacity;
};

/* --- opening --- */

static int copy_names(char ***out, const char *const *names, uint32_t count, const char *what,
                      struct pcr_error *err)
{
    if (!names || !count)
        return names || !count ? 0 : pcri_fail(err, PCR_ERR_INVAL, "%s_names is NULL", what);
    *out = pcri_calloc(count, sizeof(**out), err);
    if (!*out)
        return PCR_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (!names[i])
            return pcri_fail(err, PCR_ERR_INVAL, "%s %u has no name", what, (unsigned) i);
        if (!((*out)[i] = pcri_strndup(names[i], strlen(names[i]), err)))
            return PCR_ERR_NOMEM;
    }
    return 0;
}

/* A folder that cannot be written into is found before samples are made. */
static int check_folder(const struct pcr_writer *w, struct pcr_error *err)
{
    const struct pcri_storage *storage;
    int rc = pcri_write_storage(&w->opts, &storage, err);
    if (!rc)
        rc = pcri_write_state_look(storage, w->path, err);
    pcri_storage_destroy(&storage);
    return rc;
}

static int set_up(struct pcr_writer *w, const char *path, const struct pcr_writer_options *o,
                  struct pcr_error *err)
{
    w->source.class_count = o->class_count; /* names to be freed */
    w->source.split_count = o->split_count;
    int rc = pcri_flags_check("pcr_writer_options", o->flags, 0, err);
    if (rc || (rc = pcri_write_options_take(&w->opts, &w->limits, o->write, err)) ||
        (rc = copy_names(&w->names[0], o->class_names, o->class_count, "class", err)) ||
        (rc = copy_names(&w->names[1], o->split_names, o->split_count, "split", err)))
        return rc;
    w->source = (struct pcr_source) {
        .size = sizeof(w->source),
        .context = w,
        .class_count = o->class_count,
        .class_names = (const char *const *) w->names[0],
        .split_count = o->split_count,
        .split_names = (const char *const *) w->names[1],
    };
    if (w->opts.storage && !o->spool_folder)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "writing to a storage of the program's own needs a spool_folder");
    w->path = pcri_strndup(path, strlen(path), err);
    char *folder = o->spool_folder
                       ? pcri_strndup(o->spool_folder, strlen(o->spool_folder), err)
                       : pcri_parent(path, err);
    rc = w->path && folder ? 0 : PCR_ERR_NOMEM;
    if (!rc && !(w->opts.flags & PCR_WRITE_DRY_RUN))
        rc = check_folder(w, err);
    if (!rc)
        rc = pcri_spool_open(folder, &w->spool, err);
    w->arena.folder = w->spool.folder;
    free(folder);
    return rc;
}

int pcr_writer_open(const char *path, const struct pcr_writer_options *opts,
                    struct pcr_writer **out, struct pcr_error *err)
{
    struct pcr_writer_options o;
    int rc = pcri_options_copy(&o, sizeof(o), opts, "pcr_writer_options", err);
    if (rc)
        return rc;
    if (!path || !*path || !out)
        return pcri_fail(err, PCR_ERR_INVAL,
                         "pcr_writer_open: the path is empty, or path or out is NULL");
    struct pcr_writer *w = pcri_calloc(1, sizeof(*w), err);
    if (!w)
        return PCR_ERR_NOMEM;
    w->spool.fd = -1;
    pthread_mutex_init(&w->lock, NULL);
    rc = set_up(w, path, &o, err);
    if (rc)
        pcr_writer_close(&w);
    *out = w;
    return rc;
}

void pcr_writer_close(struct pcr_writer **writer)
{
    struct pcr_writer *w = writer ? *writer : NULL;
    if (!w)
        return;
    *writer = NULL;
    pcri_arena_free(&w->arena);
    free(w->items);
    const uint32_t counts[] = { w->source.class_count, w->source.split_count };
    for (int k = 0; k < 2; k++) {
        for (uint32_t i = 0; w->names[k] && i < counts[k]; i++)
            free(w->names[k][i]);
        free(w->names[k]);
    }
    pcri_spool_close(&w->spool);
    pthread_mutex_destroy(&w->lock);
    free(w->path);
    free(w);
}

void pcr_writer_cancel(struct pcr_writer *writer)
{
    if (writer)
        atomic_store(&writer->cancelled, true);
}

/* --- adding --- */

/* Copies a sample, and what it points to behind it. With the lock held. */
static int keep(struct pcr_writer *w, const struct pcr_source_sample *s, struct kept **out,
                struct pcr_error *err)
{
    struct kept *k = pcri_arena_alloc(&w->arena, sizeof(*k) + pcri_source_text_nbytes(s),
                                      alignof(struct kept), err);
    *out = k;
    if (!k)
        return PCR_ERR_NOMEM;
    *k = (struct kept) { .sample = *s };
    pcri_source_copy_text(&k->sample, k + 1);
    struct pcr_source_blob *blobs = (struct pcr_source_blob *) (uintptr_t) k->sample.blobs;
    for (uint32_t i = 0; i < s->blob_count; i++)
        blobs[i].data = NULL; /* in the spool */
    return 0;
}

/* Blobs are after the image in the spool, one after another. */
static uint64_t blob_offset(const struct kept *k, uint32_t blob)
{
    uint64_t at = k->offset + k->nbytes;
    for (uint32_t i = 0; i < blob; i++)
        at += k->sample.blobs[i].nbytes;
    return at;
}

static int spool_blobs(const struct pcr_writer *w, const struct kept *k,
                       const struct pcr_source_sample *s, struct pcr_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < s->blob_count && !rc; i++)
        rc = pcri_spool_write(&w->spool, s->blobs[i].data, (size_t) s->blobs[i].nbytes,
                              blob_offset(k, i), err);
    return rc;
}

/* Room in the list and in the spool; with the lock held. */
static int reserve(struct pcr_writer *w, uint64_t index, const struct pcr_source_sample *s,
                   struct kept **out, struct pcr_error *err)
{
    if (w->finishing || w->finished)
        return pcri_fail(err, PCR_ERR_INVAL, "the writer is finished");
    if ((w->count || w->adding) && w->numbered != (index != PCR_WRITER_NEXT))
        return pcri_fail(err, PCR_ERR_INVAL, "either all samples have an index or none");
    if (PCRI_GROW(w->items, w->capacity, w->count + w->adding + 1, err))
        return PCR_ERR_NOMEM;
    int rc = keep(w, s, out, err);
    if (rc)
        return pcri_prefix(err, rc, "%.200s", s->key);
    struct kept *k = *out;
    w->numbered = index != PCR_WRITER_NEXT;
    k->index = index;
    k->nbytes = s->nbytes;
    k->offset = w->spool_nbytes;
    w->spool_nbytes = blob_offset(k, s->blob_count);
    w->adding++;
    return 0;
}

/* Blobs must be there, and are part of the sample's revision. */
static int check_blobs(const struct pcr_writer *w, struct pcr_source_sample *s,
                       struct pcr_error *err)
{
    for (uint32_t i = 0; i < s->blob_count; i++) {
        const struct pcr_source_blob *b = &s->blobs[i];
        if (!b->data && b->nbytes)
            return pcri_fail(err, PCR_ERR_INVAL, "%.200s: blob %.100s has no data", s->key,
                             b->name);
        if (b->nbytes > w->limits.max_sample_nbytes)
            return pcri_fail(err, PCR_ERR_LIMIT, "%.200s: blob %.100s of %llu bytes", s->key,
                             b->name, (unsigned long long) b->nbytes);
        const uint64_t both[] = { s->revision,
                                  pcri_xxh3(b->nbytes ? b->data : "", (size_t) b->nbytes) };
        s->revision = pcri_xxh3(both, sizeof(both));
    }
    return 0;
}

/* Everything is known of the sample. */
static int add(struct pcr_writer *w, uint64_t index, const struct pcr_source_sample *s,
               const void *data, uint64_t check, struct pcr_error *err)
{
    struct kept *k;
    pthread_mutex_lock(&w->lock);
    int rc = reserve(w, index, s, &k, err);
    pthread_mutex_unlock(&w->lock);
    if (rc)
        return rc;
    k->check = check;
    rc = pcri_spool_write(&w->spool, data, (size_t) k->nbytes, k->offset, err);
    if (!rc)
        rc = spool_blobs(w, k, s, err);
    pthread_mutex_lock(&w->lock);
    w->adding--;
    if (!rc) {
        if (index == PCR_WRITER_NEXT)
            k->index = w->count;
        w->items[w->count++] = k;
    }
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int pcr_writer_add(struct pcr_writer *writer, uint64_t index,
                   const struct pcr_source_sample *sample, const void *data, size_t nbytes,
                   struct pcr_error *err)
{
    struct pcr_source_sample s;
    char *attributes = NULL;
    if (!writer || !sample || (!data && nbytes))
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_writer_add: no writer, sample or data");
    int rc = pcri_options_copy(&s, sizeof(s), sample, "pcr_source_sample", err);
    if (rc || (rc = pcri_source_check(&writer->source, index, &s, err)))
        return rc;
    if (nbytes > writer->limits.max_sample_nbytes)
        return pcri_fail(err, PCR_ERR_LIMIT, "%.200s: %zu bytes, the limit is %llu", s.key,
                         nbytes, (unsigned long long) writer->limits.max_sample_nbytes);
    if (atomic_load(&writer->cancelled))
        return pcri_fail(err, PCR_ERR_CANCELLED, "the writer was cancelled");
    const uint64_t check = pcri_xxh3(data ? data : "", nbytes);
    s.nbytes = nbytes;
    s.revision = check; /* with the same key and size, it is another picture */
    if ((rc = check_blobs(writer, &s, err)))
        return rc;
    if ((rc = pcri_attributes_render(s.attributes, NULL, &attributes, err)))
        return pcri_prefix(err, rc, "%.200s", s.key);
    s.attributes = attributes;
    rc = add(writer, index, &s, data, check, err);
    free(attributes);
    return rc;
}

/* --- finishing --- */

static const struct kept *kept_at(const struct pcr_writer *w, uint64_t index)
{
    pcri_arena_touch(&w->arena, w->items[index]);
    return w->items[index];
}

static int describe(void *context, uint64_t index, struct pcr_source_sample *out,
                    struct pcr_error *err)
{
    const struct kept *k = kept_at(context, index);
    return pcri_info_copy(out, "pcr_source_sample", &k->sample, sizeof(k->sample), err);
}

static int load(void *context, uint64_t index, uint64_t max_nbytes, struct pcr_buffer *out,
                struct pcr_error *err)
{
    const struct pcr_writer *w = context;
    const struct kept *k = kept_at(w, index);
    (void) max_nbytes; /* looked at when it was added */
    int rc = pcri_buffer_reserve(out, (size_t) k->nbytes, err);
    if (!rc)
        rc = pcri_spool_read(&w->spool, out->data, (size_t) k->nbytes, k->offset, err);
    if (rc)
        return rc;
    out->nbytes = (size_t) k->nbytes;
    if (pcri_xxh3(out->nbytes ? (const void *) out->data : "", out->nbytes) == k->check)
        return 0;
    return pcri_fail_sys(err, EIO, "%s: a sample read back is not what was written",
                         w->spool.folder);
}

static int load_blob(void *context, uint64_t index, uint32_t blob, uint64_t max_nbytes,
                     struct pcr_buffer *out, struct pcr_error *err)
{
    const struct pcr_writer *w = context;
    const struct kept *k = kept_at(w, index);
    const size_t nbytes = (size_t) k->sample.blobs[blob].nbytes;
    (void) max_nbytes; /* looked at when it was added */
    int rc = pcri_buffer_reserve(out, nbytes ? nbytes : 1, err);
    if (!rc)
        rc = pcri_spool_read(&w->spool, out->data, nbytes, blob_offset(k, blob), err);
    out->nbytes = rc ? 0 : nbytes;
    return rc;
}

static int progress(void *context, const struct pcr_write_progress *p)
{
    struct pcr_writer *w = context;
    if (atomic_load(&w->cancelled))
        return 1;
    return w->opts.progress ? w->opts.progress(w->opts.context, p) : 0;
}

static void bad_input(void *context, const char *path, const char *format,
                      const struct pcr_error *why)
{
    const struct pcr_writer *w = context;
    w->opts.bad_input(w->opts.context, path, format, why);
}

static void repeated(void *context, const char *path, const char *first)
{
    const struct pcr_writer *w = context;
    w->opts.repeated(w->opts.context, path, first);
}

static int compare(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Samples in the order of their indices, which differ. */
static int sort(struct pcr_writer *w, struct pcr_error *err)
{
    int rc = pcri_arena_sort(&w->arena, w->items, (size_t) w->count, compare, err);
    for (uint64_t i = 1; i < w->count && !rc; i++) {
        const struct kept *last = w->items[i - 1], *k = kept_at(w, i);
        if (k->index == last->index)
            rc = pcri_fail(err, PCR_ERR_INVAL, "'%.200s' and '%.200s' both have index %llu",
                           last->sample.key, k->sample.key, (unsigned long long) k->index);
    }
    return rc;
}

static int begin_finish(struct pcr_writer *w, struct pcr_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&w->lock);
    if (w->finishing || w->finished)
        rc = pcri_fail(err, PCR_ERR_INVAL, "the writer is finished");
    else if (w->adding)
        rc = pcri_fail(err, PCR_ERR_INVAL, "%u threads are still adding samples",
                       (unsigned) w->adding);
    else
        w->finishing = true;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int pcr_writer_finish(struct pcr_writer *writer, struct pcr_write_progress *report,
                      struct pcr_error *err)
{
    if (!writer)
        return pcri_fail(err, PCR_ERR_INVAL, "no writer");
    int rc = pcri_info_check(report, "pcr_write_progress", err);
    if (rc || (rc = begin_finish(writer, err)))
        return rc;
    struct pcr_write_options own = writer->opts;
    own.progress = progress;
    own.bad_input = own.bad_input ? bad_input : NULL;
    own.repeated = own.repeated ? repeated : NULL;
    own.context = writer;
    writer->source.describe = describe;
    writer->source.load = load;
    writer->source.load_blob = load_blob;
    writer->source.sample_count = writer->count;
    const struct pcr_write_progress none = { .size = sizeof(none) };
    pcri_info_fill(report, &none, sizeof(none));
    if (atomic_load(&writer->cancelled))
        rc = pcri_fail(err, PCR_ERR_CANCELLED, "the writer was cancelled");
    if (!rc)
        rc = sort(writer, err);
    if (!rc)
        rc = pcr_dataset_write(writer->path, &writer->source, &own, report, err);
    pthread_mutex_lock(&writer->lock);
    writer->finishing = false;
    writer->finished = !rc;
    pthread_mutex_unlock(&writer->lock);
    return rc;
}
