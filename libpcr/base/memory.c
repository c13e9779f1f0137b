/* SPDX-License-Identifier: BSD-2-Clause */
/* Checked allocation and growable buffers. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base.h"

static void *too_much(uint64_t count, size_t size, struct pcr_error *err)
{
    pcri_fail(err, PCR_ERR_NOMEM, "cannot allocate %llu x %zu bytes",
              (unsigned long long) count, size);
    return NULL;
}

void *pcri_malloc(uint64_t count, size_t size, struct pcr_error *err)
{
    size_t nbytes;
    if (__builtin_mul_overflow(count, size, &nbytes))
        return too_much(count, size, err);
    void *p = malloc(nbytes ? nbytes : 1);
    if (!p)
        pcri_fail_nomem(err, nbytes);
    return p;
}

void *pcri_calloc(uint64_t count, size_t size, struct pcr_error *err)
{
    void *p = NULL;
    if (count <= SIZE_MAX)
        p = calloc(count ? (size_t) count : 1, size ? size : 1);
    return p ? p : too_much(count, size, err);
}

char *pcri_strndup(const void *s, size_t nbytes, struct pcr_error *err)
{
    char *p = NULL;
    size_t total;
    if (!pcri_add(nbytes, 1, &total) || !(p = malloc(total))) {
        pcri_fail_nomem(err, nbytes);
        return NULL;
    }
    if (nbytes)
        memcpy(p, s, nbytes);
    p[nbytes] = '\0';
    return p;
}

int pcri_resize(void *array, uint64_t count, size_t size, struct pcr_error *err)
{
    void *old, *grown;
    size_t nbytes;
    memcpy(&old, array, sizeof(old)); /* a pointer to any type */
    if (__builtin_mul_overflow(count, size, &nbytes))
        return pcri_fail_nomem(err, SIZE_MAX);
    if (!(grown = realloc(old, nbytes ? nbytes : 1)))
        return pcri_fail_nomem(err, nbytes);
    memcpy(array, &grown, sizeof(grown));
    return 0;
}

int pcri_grow(void *array, size_t *capacity, uint64_t count, size_t size,
              struct pcr_error *err)
{
    size_t larger = *capacity + *capacity / 2 + 8;
    if (larger < count || larger < *capacity)
        larger = (size_t) (count <= SIZE_MAX ? count : SIZE_MAX);
    int rc = pcri_resize(array, larger, size, err);
    if (!rc)
        *capacity = larger;
    return rc;
}

void pcr_buffer_free(struct pcr_buffer *buf)
{
    if (!buf)
        return;
    free(buf->data);
    *buf = (struct pcr_buffer) { 0 };
}

int pcri_buffer_reserve(struct pcr_buffer *b, size_t nbytes, struct pcr_error *err)
{
    return PCRI_GROW(b->data, b->capacity, nbytes, err);
}

int pcr_buffer_reserve(struct pcr_buffer *buf, size_t nbytes, struct pcr_error *err)
{
    if (!buf)
        return pcri_fail(err, PCR_ERR_INVAL, "pcr_buffer_reserve: no buffer");
    return pcri_buffer_reserve(buf, nbytes, err);
}

void pcri_huge_pages(void *memory, size_t nbytes)
{
    const size_t page = PCRI_HUGE_PAGE, begin = -(uintptr_t) memory % page;
    if (begin <= nbytes && nbytes - begin >= page)
        (void) madvise((uint8_t *) memory + begin, (nbytes - begin) / page * page,
                       MADV_HUGEPAGE);
}

/* What is larger malloc() always has mapped, instead of giving what was freed before: it may as
 * well be whole huge pages. */
enum { MOST_KEPT = 32 << 20 };

int pcri_buffer_renew(struct pcr_buffer *b, size_t nbytes, struct pcr_error *err)
{
    void *p = NULL;
    b->nbytes = 0;
    if (nbytes <= b->capacity)
        return 0;
    pcr_buffer_free(b);
    if (nbytes > MOST_KEPT && nbytes < SIZE_MAX - PCRI_HUGE_PAGE) {
        nbytes = (nbytes + PCRI_HUGE_PAGE - 1) / PCRI_HUGE_PAGE * PCRI_HUGE_PAGE;
        p = posix_memalign(&p, PCRI_HUGE_PAGE, nbytes) ? NULL : p;
    } else {
        p = malloc(nbytes);
    }
    if (!p)
        return pcri_fail_nomem(err, nbytes);
    pcri_huge_pages(p, nbytes);
    *b = (struct pcr_buffer) { .data = p, .capacity = nbytes };
    return 0;
}

int pcri_buffer_append(struct pcr_buffer *b, const void *p, size_t nbytes,
                       struct pcr_error *err)
{
    size_t total;
    if (!nbytes)
        return 0;
    if (!pcri_add(b->nbytes, nbytes, &total))
        return pcri_fail_nomem(err, nbytes);
    int rc = pcri_buffer_reserve(b, total, err);
    if (rc)
        return rc;
    memcpy(b->data + b->nbytes, p, nbytes);
    b->nbytes = total;
    return 0;
}

int pcri_print(struct pcr_buffer *b, struct pcr_error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    size_t total;
    if (n < 0 || !pcri_add(b->nbytes, (size_t) n + 1, &total)) /* with the NUL */
        return pcri_fail_nomem(err, SIZE_MAX);
    int rc = pcri_buffer_reserve(b, total, err);
    if (rc)
        return rc;
    va_start(ap, fmt);
    (void) vsnprintf((char *) b->data + b->nbytes, (size_t) n + 1, fmt, ap);
    va_end(ap);
    b->nbytes += (size_t) n;
    return 0;
}

int pcri_buffer_append_varint(struct pcr_buffer *b, uint64_t v, struct pcr_error *err)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v > 127; v >>= 7)
        bytes[n++] = (uint8_t) (v | 128);
    bytes[n++] = (uint8_t) v;
    return pcri_buffer_append(b, bytes, n, err);
}

int pcri_spans_add(struct pcr_spans *spans, const void *data, size_t nbytes,
                   struct pcr_error *err)
{
    size_t capacity = spans->capacity;
    int rc = nbytes ? PCRI_GROW(spans->items, capacity, spans->count + UINT64_C(1), err) : 0;
    if (rc || !nbytes)
        return rc;
    spans->capacity = (uint32_t) capacity;
    spans->items[spans->count++] = (struct pcr_span) { data, nbytes };
    return 0;
}

int pcri_spans_join(const struct pcr_spans *spans, struct pcr_buffer *out,
                    struct pcr_error *err)
{
    size_t total = 0;
    for (uint32_t i = 0; i < spans->count; i++)
        if (!pcri_add(total, spans->items[i].nbytes, &total))
            return pcri_fail_nomem(err, SIZE_MAX);
    out->nbytes = 0;
    int rc = pcri_buffer_reserve(out, total, err);
    for (uint32_t i = 0; !rc && i < spans->count; i++)
        rc = pcri_buffer_append(out, spans->items[i].data, spans->items[i].nbytes, err);
    return rc;
}

void pcr_spans_free(struct pcr_spans *spans)
{
    if (!spans)
        return;
    free(spans->items);
    *spans = (struct pcr_spans) { 0 };
}

void pcri_block_free(struct pcri_block *b)
{
    if (b->capacity >= PCRI_BLOCK_MAPPED)
        (void) munmap(b->data, b->capacity);
    else
        free(b->data);
    *b = (struct pcri_block) { 0 };
}

int pcri_block_reserve(struct pcri_block *b, size_t nbytes, struct pcr_error *err)
{
    if (nbytes <= b->capacity)
        return 0;
    pcri_block_free(b);
    void *p = nbytes < PCRI_BLOCK_MAPPED ? malloc(nbytes)
                                         : mmap(NULL, nbytes, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!p || p == MAP_FAILED)
        return pcri_fail_nomem(err, nbytes);
    b->data = p;
    b->capacity = nbytes;
    return 0;
}
