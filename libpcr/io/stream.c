/* SPDX-License-Identifier: BSD-2-Clause */
/* A window over a file. */
#include <stdlib.h>
#include <unistd.h>

#include "io.h"
#include "sequential.h"
#include "stream.h"

enum { CHUNK = 256 << 10 }; /* read at once, at least */

struct pcri_file_stream {
    const char *path;
    int fd; /* of a file at any place */
    uint64_t nbytes, revision;
    struct pcri_sequential *forward; /* else */
    struct pcr_error broken;         /* code: what comes after the window is damaged */
    struct pcr_buffer window;
    uint64_t begin; /* of the window */
};

int pcri_stream_open(const char *path, const char *packing, struct pcri_file_stream **out,
                     struct pcr_error *err)
{
    struct pcri_file_stream *s = pcri_calloc(1, sizeof(*s), err);
    *out = NULL;
    if (!s)
        return PCR_ERR_NOMEM;
    s->path = path;
    s->fd = -1;
    s->nbytes = UINT64_MAX;
    int rc = packing ? pcri_sequential_open(path, packing, &s->forward, err)
                     : pcri_open_regular(path, &s->fd, &s->nbytes, &s->revision, err);
    if (rc) {
        s->fd = -1;
        pcri_stream_close(&s);
    }
    *out = s;
    return rc;
}

void pcri_stream_close(struct pcri_file_stream **s)
{
    if (!s || !*s)
        return;
    if ((*s)->fd >= 0)
        close((*s)->fd);
    pcri_sequential_close(&(*s)->forward);
    pcr_buffer_free(&(*s)->window);
    free(*s);
    *s = NULL;
}

uint64_t pcri_stream_nbytes(const struct pcri_file_stream *s)
{
    return s->nbytes;
}

uint64_t pcri_stream_revision(const struct pcri_file_stream *s)
{
    return s->revision;
}

static int read_file(struct pcri_file_stream *s, uint8_t *p, size_t nbytes, uint64_t offset,
                     size_t *done, struct pcr_error *err)
{
    *done = nbytes ? pcri_transfer_all(s->fd, p, nbytes, offset, false) : 0;
    if (*done < nbytes && !errno && pcri_reads_nothing_before_end(s->fd, offset + *done))
        errno = EIO;
    if (*done == nbytes)
        return 0;
    if (errno)
        return pcri_fail_sys(err, errno, "%s: cannot read at byte %llu", s->path,
                             (unsigned long long) (offset + *done));
    return pcri_fail(err, PCR_ERR_IO, "%s: became shorter while it was read", s->path);
}

static int fill_from_file(struct pcri_file_stream *s, struct pcr_error *err)
{
    struct pcr_buffer *w = &s->window;
    uint64_t from = s->begin + w->nbytes, left = from < s->nbytes ? s->nbytes - from : 0;
    size_t room = w->capacity - w->nbytes, n = left < room ? (size_t) left : room, done;
    struct pcr_error e;
    uint32_t attempt = 0;
    int rc;
    do
        rc = read_file(s, w->data + w->nbytes, n, from, &done, &e);
    while (pcri_try_again(attempt++, PCRI_TRIES_AGAIN, &rc, &e));
    w->nbytes += rc ? 0 : done;
    return pcri_hand_on(err, rc, &e);
}

/* Remembers damage: what came before it is delivered first. */
static int fill_forward(struct pcri_file_stream *s, struct pcr_error *err)
{
    struct pcr_buffer *w = &s->window;
    struct pcr_error why = { 0 };
    size_t got = 0;
    int rc = s->broken.code ? 0
                            : pcri_sequential_read(s->forward, w->data + w->nbytes,
                                                   w->capacity - w->nbytes, &got, &why);
    w->nbytes += got;
    if (rc != PCR_ERR_CORRUPT && rc != PCR_ERR_TRUNCATED)
        return pcri_hand_on(err, rc, &why);
    s->broken = why;
    return 0;
}

/* Adds as much as the window has room for. */
static int fill(struct pcri_file_stream *s, struct pcr_error *err)
{
    return s->forward ? fill_forward(s, err) : fill_from_file(s, err);
}

/* Forgets what is before `offset`. */
static int move_to(struct pcri_file_stream *s, uint64_t offset, struct pcr_error *err)
{
    struct pcr_buffer *w = &s->window;
    if (!s->forward && (offset < s->begin || offset - s->begin > w->nbytes)) {
        s->begin = offset;
        w->nbytes = 0;
    }
    if (offset < s->begin)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: cannot be read backwards", s->path);
    while (offset - s->begin > w->nbytes) { /* forward only */
        s->begin += w->nbytes;
        w->nbytes = 0;
        int rc = fill(s, err);
        if (rc || !w->nbytes)
            return rc;
    }
    size_t gone = (size_t) (offset - s->begin);
    if (gone)
        memmove(w->data, w->data + gone, w->nbytes - gone);
    w->nbytes -= gone;
    s->begin = offset;
    return 0;
}

/* Makes the window begin at `offset` and, if there is so much, hold `nbytes`. Memory grows with
 * what has been read, whatever was asked for. */
static int move_window(struct pcri_file_stream *s, uint64_t offset, size_t nbytes,
                       struct pcr_error *err)
{
    struct pcr_buffer *w = &s->window;
    int rc = pcri_buffer_reserve(w, CHUNK, err);
    if (!rc)
        rc = move_to(s, offset, err);
    for (size_t before = SIZE_MAX; !rc && w->nbytes < nbytes && w->nbytes != before;) {
        before = w->nbytes;
        size_t room = w->nbytes > CHUNK ? 2 * w->nbytes : 2 * CHUNK;
        rc = pcri_buffer_reserve(w, room < nbytes ? room : nbytes, err);
        if (!rc)
            rc = fill(s, err);
    }
    if (!rc && w->nbytes < nbytes)
        rc = pcri_hand_on(err, s->broken.code, &s->broken);
    return rc;
}

int pcri_stream_get(struct pcri_file_stream *s, uint64_t offset, size_t nbytes,
                    const uint8_t **out, size_t *have, struct pcr_error *err)
{
    struct pcr_buffer *w = &s->window;
    *out = NULL;
    *have = 0;
    if (nbytes > PCRI_STREAM_MOST)
        return pcri_fail(err, PCR_ERR_LIMIT, "%s: %zu bytes at byte %llu, the limit is %d",
                         s->path, nbytes, (unsigned long long) offset, PCRI_STREAM_MOST);
    bool inside = offset >= s->begin && offset - s->begin <= w->nbytes &&
                  nbytes <= w->nbytes - (offset - s->begin);
    int rc = inside ? 0 : move_window(s, offset, nbytes, err);
    if (rc || offset < s->begin || offset - s->begin > w->nbytes) /* beyond the end */
        return rc;
    size_t at = (size_t) (offset - s->begin), left = w->nbytes - at;
    *out = w->data + at;
    *have = left < nbytes ? left : nbytes;
    return 0;
}
