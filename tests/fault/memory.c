/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that fails as asked. Linked with --wrap of what is named __wrap here. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "memory.h"

static atomic_long calls, fail_at, held;
static atomic_bool for_ever;
static atomic_int paused;
/* The thread has begun its work. What a sanitizer does before cannot fail. */
static _Thread_local bool working;

void memory_fail(long n, bool lasting)
{
    working = true;
    atomic_store(&for_ever, lasting);
    atomic_store(&calls, 0);
    atomic_store(&fail_at, n);
}

long memory_calls(void)
{
    return atomic_load(&calls);
}

void memory_add_calls(long more)
{
    atomic_fetch_add(&calls, more);
}

void memory_pause(void)
{
    atomic_fetch_add(&paused, 1);
}

void memory_resume(void)
{
    atomic_fetch_sub(&paused, 1);
}

long memory_held(void)
{
    return atomic_load(&held);
}

static bool fails(void)
{
    if (!working || atomic_load(&paused))
        return false;
    long n = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fail_at);
    bool yes = at && (n == at || (n > at && atomic_load(&for_ever)));
    if (yes)
        errno = ENOMEM;
    return yes;
}

/* --- the library's mappings --- */

void *__real_mmap64(void *at, size_t nbytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t nbytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *p, size_t nbytes);
int __wrap_munmap(void *p, size_t nbytes);

void *__wrap_mmap64(void *at, size_t nbytes, int protection, int flags, int fd, off_t offset)
{
    if (fails())
        return MAP_FAILED;
    void *p = __real_mmap64(at, nbytes, protection, flags, fd, offset);
    if (p != MAP_FAILED)
        atomic_fetch_add(&held, 1);
    return p;
}

int __wrap_munmap(void *p, size_t nbytes)
{
    atomic_fetch_sub(&held, 1);
    return __real_munmap(p, nbytes);
}

/* --- threads --- */

struct start {
    void *(*run)(void *);
    void *context;
};

static void *begin(void *context)
{
    struct start s = *(struct start *) context;
    free(context);
    working = true;
    return s.run(s.context);
}

int __real_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *),
                          void *context);

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *),
                          void *context)
{
    bool before = working;
    working = false;
    struct start *s = malloc(sizeof(*s));
    working = before;
    if (!s)
        return EAGAIN;
    *s = (struct start) { run, context };
    int rc = __real_pthread_create(out, attr, begin, s);
    if (rc)
        free(s);
    return rc;
}

int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return fails() ? ENOMEM : __real_pthread_atfork(prepare, parent, child);
}

/* --- all libraries' blocks. ThreadSanitizer has an allocator of its own: none fail. --- */

#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#ifdef __SANITIZE_ADDRESS__
/* The sanitizer frees, and finds what is not freed. */
#define real_malloc __interceptor_malloc
#define real_calloc __interceptor_calloc
#define real_realloc __interceptor_realloc
#define real_memalign __interceptor_memalign

static void *hold(void *p)
{
    return p;
}

#else

#define real_malloc __libc_malloc
#define real_calloc __libc_calloc
#define real_realloc __libc_realloc
#define real_memalign __libc_memalign

static void *hold(void *p)
{
    if (p)
        atomic_fetch_add(&held, 1);
    return p;
}

void __libc_free(void *p);

void free(void *p)
{
    if (p)
        atomic_fetch_sub(&held, 1);
    __libc_free(p);
}

#endif

void *real_malloc(size_t nbytes);
void *real_calloc(size_t count, size_t size);
void *real_realloc(void *p, size_t nbytes);
void *real_memalign(size_t alignment, size_t nbytes);
void *malloc(size_t nbytes)
{
    return fails() ? NULL : hold(real_malloc(nbytes));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : hold(real_calloc(count, size));
}

void *realloc(void *p, size_t nbytes)
{
    if (fails())
        return NULL;
    void *grown = real_realloc(p, nbytes);
    return p ? grown : hold(grown);
}

void *aligned_alloc(size_t alignment, size_t nbytes)
{
    return fails() ? NULL : hold(real_memalign(alignment, nbytes));
}

int posix_memalign(void **out, size_t alignment, size_t nbytes)
{
    void *p = fails() ? NULL : hold(real_memalign(alignment, nbytes));
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

#endif
