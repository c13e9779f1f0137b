/* SPDX-License-Identifier: BSD-2-Clause */
/* The toy storage. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toy_storage.h"

struct toy_object *toy_find(struct toy *t, const char *name)
{
    for (size_t i = 0; i < t->object_count; i++)
        if (!strcmp(t->objects[i].name, name))
            return &t->objects[i];
    return NULL;
}

/* Is this call to fail? */
static bool fails(struct toy *t, uint32_t *left, struct pcr_error *err)
{
    if (!*left)
        return false;
    --*left;
    *err = t->failure;
    return true;
}

static int toy_open(void *context, const char *name, void **object_out,
                    struct pcr_object_info *info_out, struct pcr_error *err)
{
    struct toy *t = context;
    pthread_mutex_lock(&t->mutex);
    struct toy_object *o = toy_find(t, name);
    bool fail = fails(t, &t->failing_opens, err);
    t->open_count += !fail && o;
    pthread_mutex_unlock(&t->mutex);
    if (fail)
        return t->code;
    if (!o) {
        err->sys_errno = ENOENT;
        snprintf(err->message, sizeof(err->message), "no such object");
        return PCR_ERR_IO;
    }
    info_out->nbytes = o->nbytes;
    info_out->version = o->version;
    *object_out = o;
    return 0;
}

static void finish(const struct toy_pending *p)
{
    if (p->offset + p->nbytes > p->object->nbytes) {
        pcr_storage_complete(p->request, PCR_ERR_TRUNCATED, NULL);
        return;
    }
    memcpy(p->dst, p->object->data + p->offset, p->nbytes);
    pcr_storage_complete(p->request, 0, NULL);
}

static void toy_read(void *context, void *object, uint64_t offset, void *dst, size_t nbytes,
                     struct pcr_storage_request *request)
{
    struct toy *t = context;
    struct pcr_error err = { .offset = PCR_NO_OFFSET };
    const struct toy_pending p = { object, offset, dst, nbytes, request };
    pthread_mutex_lock(&t->mutex);
    t->read_count++;
    bool good = t->good_reads && t->good_reads--;
    bool fail = !good && fails(t, &t->failing_reads, &err);
    bool later = t->has_thread && !fail;
    if (later) {
        ck_assert_uint_lt(t->pending_count, TOY_PENDING);
        t->pending[t->pending_count++] = p;
        if (t->pending_count > t->most_pending)
            t->most_pending = t->pending_count;
        pthread_cond_signal(&t->news);
    }
    pthread_mutex_unlock(&t->mutex);
    if (fail)
        pcr_storage_complete(request, t->code, &err);
    else if (!later)
        finish(&p);
}

/* One that is no longer pending is being completed. */
static void toy_cancel(void *context, void *object, struct pcr_storage_request *request)
{
    struct toy *t = context;
    bool found = false;
    (void) object;
    pthread_mutex_lock(&t->mutex);
    for (size_t i = 0; i < t->pending_count && !found; i++)
        if ((found = t->pending[i].request == request))
            t->pending[i] = t->pending[--t->pending_count];
    t->cancelled_count += found;
    pthread_mutex_unlock(&t->mutex);
    if (found)
        pcr_storage_complete(request, PCR_ERR_CANCELLED, NULL);
}

static void toy_close(void *context, void *object)
{
    struct toy *t = context;
    ck_assert_ptr_nonnull(object);
    pthread_mutex_lock(&t->mutex);
    t->close_count++;
    pthread_mutex_unlock(&t->mutex);
}

/* --- writing --- */

struct toy_writing {
    char name[128];
    uint8_t *data;
    size_t nbytes;
};

/* Is this call for writing to fail? */
static bool fails_to_put(struct toy *t, struct pcr_error *err)
{
    pthread_mutex_lock(&t->mutex);
    bool fail = t->good_puts && !--t->good_puts;
    if (fail)
        *err = t->failure;
    pthread_mutex_unlock(&t->mutex);
    return fail;
}

static int toy_put_begin(void *context, const char *name, void **put_out,
                         struct pcr_error *err)
{
    struct toy *t = context;
    if (fails_to_put(t, err))
        return t->code;
    struct toy_writing *w = calloc(1, sizeof(*w));
    ck_assert_ptr_nonnull(w);
    snprintf(w->name, sizeof(w->name), "%s", name);
    *put_out = w;
    return 0;
}

static int toy_put_write(void *context, void *put, const void *data, size_t nbytes,
                         struct pcr_error *err)
{
    struct toy *t = context;
    struct toy_writing *w = put;
    ck_assert_uint_gt(nbytes, 0);
    if (fails_to_put(t, err))
        return t->code;
    w->data = realloc(w->data, w->nbytes + nbytes);
    ck_assert_ptr_nonnull(w->data);
    memcpy(w->data + w->nbytes, data, nbytes);
    w->nbytes += nbytes;
    return 0;
}

static int toy_put_end(void *context, void *put, int complete, struct pcr_error *err)
{
    struct toy *t = context;
    struct toy_writing *w = put;
    bool fail = complete && fails_to_put(t, err);
    if (complete && !fail) {
        pthread_mutex_lock(&t->mutex);
        toy_put(t, w->name, w->data ? w->data : (const uint8_t *) "", w->nbytes);
        t->put_count++;
        pthread_mutex_unlock(&t->mutex);
    }
    free(w->data);
    free(w);
    return fail ? t->code : 0;
}

static int toy_list(void *context, const char *prefix,
                    int (*each)(void *each_context, const char *name), void *each_context,
                    struct pcr_error *err)
{
    struct toy *t = context;
    int rc = fails_to_put(t, err) ? t->code : 0;
    for (size_t i = 0; i < t->object_count && !rc; i++)
        if (t->objects[i].name[0] && !strncmp(t->objects[i].name, prefix, strlen(prefix)))
            rc = each(each_context, t->objects[i].name);
    return rc;
}

static int toy_remove(void *context, const char *name, struct pcr_error *err)
{
    struct toy *t = context;
    if (fails_to_put(t, err))
        return t->code;
    pthread_mutex_lock(&t->mutex);
    struct toy_object *o = toy_find(t, name);
    if (o)
        o->name[0] = '\0';
    pthread_mutex_unlock(&t->mutex);
    return 0;
}

void toy_may_write(struct toy *t)
{
    t->storage.put_begin = toy_put_begin;
    t->storage.put_write = toy_put_write;
    t->storage.put_end = toy_put_end;
    t->storage.list = toy_list;
    t->storage.remove = toy_remove;
}

/* Completes what came last first. */
static void *complete_all(void *context)
{
    struct toy *t = context;
    pthread_mutex_lock(&t->mutex);
    while (!t->stop || t->pending_count) {
        if (!t->pending_count || t->pending_count < t->gather) {
            pthread_cond_wait(&t->news, &t->mutex);
            continue;
        }
        t->gather = 0;
        const struct toy_pending p = t->pending[--t->pending_count];
        pthread_mutex_unlock(&t->mutex);
        finish(&p);
        pthread_mutex_lock(&t->mutex);
    }
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

void toy_create(struct toy *t, bool with_thread)
{
    *t = (struct toy) {
        .storage = { .size = sizeof(t->storage),
                     .context = t,
                     .open = toy_open,
                     .read = toy_read,
                     .close = toy_close,
                     .cancel = toy_cancel },
        .has_thread = with_thread,
    };
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->news, NULL);
    if (with_thread)
        ck_assert_int_eq(pthread_create(&t->thread, NULL, complete_all, t), 0);
}

void toy_destroy(struct toy *t)
{
    pthread_mutex_lock(&t->mutex);
    t->stop = true;
    pthread_cond_signal(&t->news);
    ck_assert_uint_eq(t->pending_count, 0);
    ck_assert_uint_eq(t->open_count, t->close_count);
    pthread_mutex_unlock(&t->mutex);
    if (t->has_thread)
        pthread_join(t->thread, NULL);
    for (size_t i = 0; i < t->object_count; i++)
        free(t->objects[i].data);
    pthread_mutex_destroy(&t->mutex);
    pthread_cond_destroy(&t->news);
}

void toy_put(struct toy *t, const char *name, const void *data, size_t nbytes)
{
    struct toy_object *o = toy_find(t, name);
    if (!o) {
        for (o = t->objects; o < t->objects + t->object_count && o->name[0]; o++)
            ; /* past those that are there, to where one was */
        ck_assert(o < t->objects + TOY_OBJECTS);
        t->object_count += o == t->objects + t->object_count;
        snprintf(o->name, sizeof(o->name), "%s", name);
    }
    free(o->data);
    o->data = malloc(nbytes ? nbytes : 1);
    ck_assert_ptr_nonnull(o->data);
    memcpy(o->data, data, nbytes);
    o->nbytes = nbytes;
    o->version++;
}

static void copy_file(struct toy *t, const char *name, const char *path)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
    size_t nbytes = (size_t) ftell(f);
    uint8_t *data = malloc(nbytes + 1);
    ck_assert_ptr_nonnull(data);
    rewind(f);
    ck_assert_uint_eq(fread(data, 1, nbytes, f), nbytes);
    fclose(f);
    toy_put(t, name, data, nbytes);
    free(data);
}

void toy_copy_folder(struct toy *t, const char *prefix, const char *folder)
{
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));) {
        char name[128], path[512];
        if (e->d_name[0] == '.')
            continue;
        ck_assert_int_lt(snprintf(name, sizeof(name), "%s%s", prefix, e->d_name), 128);
        ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s", folder, e->d_name), 512);
        copy_file(t, name, path);
    }
    closedir(d);
}

void toy_fail(struct toy *t, uint32_t opens, uint32_t reads, int code, int sys_errno,
              uint32_t flags, const char *message)
{
    pthread_mutex_lock(&t->mutex);
    t->failing_opens = opens;
    t->failing_reads = reads;
    t->code = code;
    t->failure = (struct pcr_error) { .sys_errno = sys_errno, .flags = flags, .detail = 4711 };
    snprintf(t->failure.message, sizeof(t->failure.message), "%s", message);
    pthread_mutex_unlock(&t->mutex);
}
