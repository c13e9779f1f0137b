/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams: a buffer of what the file has, and a decoder from there. Of plain files only what is
 * asked for is read. */
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#ifdef PCR_LZMA
#include <lzma.h>
#endif

#include "io.h"
#include "sequential.h"

enum { ROOM = 64 << 10, ROOM_OF_PLAIN = 4096 };

struct decoder;

struct pcri_sequential {
    char *path;
    int fd;
    bool is_file;                  /* a regular one: it is read by position */
    const struct decoder *decoder; /* NULL: plain */
    uint64_t position;             /* of what was handed out */
    uint64_t in_offset;            /* of the end of `in`, in the file */
    uint8_t *in;                   /* read from the file */
    size_t in_nbytes, in_room, used;
    bool at_frame_end; /* compressed: what was read so far is complete */
    bool may_hold;     /* the decoder has more, without more input */
    z_stream gzip;
    ZSTD_DStream *zstd;
#ifdef PCR_LZMA
    lzma_stream xz;
#endif
};

/* Decompresses from `in` to `dst`. *made: how many bytes; 0 if it needs more input. CORRUPT. */
struct decoder {
    const char *name;
    uint8_t magic[6];
    uint8_t magic_nbytes;
    int (*begin)(struct pcri_sequential *s, struct pcr_error *err);
    int (*decode)(struct pcri_sequential *s, void *dst, size_t room, size_t *made,
                  struct pcr_error *err);
    void (*end)(struct pcri_sequential *s);
};

/* --- reading the file --- */

static int read_file(struct pcri_sequential *s, void *dst, size_t nbytes, uint64_t offset,
                     size_t *got, struct pcr_error *err)
{
    *got = pcri_transfer_all(s->fd, dst, nbytes, offset, false);
    if (*got < nbytes && !errno && pcri_reads_nothing_before_end(s->fd, offset + *got))
        errno = EIO;
    if (*got == nbytes || !errno)
        return 0;
    return pcri_fail_sys(err, errno, "%s: cannot read at byte %llu", s->path,
                         (unsigned long long) (offset + *got));
}

static int read_pipe(struct pcri_sequential *s, void *dst, size_t nbytes, size_t *got,
                     struct pcr_error *err)
{
    ssize_t n = PCRI_UNINTERRUPTED(read(s->fd, dst, nbytes));
    *got = n < 0 ? 0 : (size_t) n;
    return n < 0 ? pcri_fail_sys(err, errno, "%s: cannot read", s->path) : 0;
}

static int fetch(struct pcri_sequential *s, void *dst, size_t nbytes, uint64_t offset,
                 size_t *got, struct pcr_error *err)
{
    struct pcr_error e;
    uint32_t attempt = 0;
    int rc;
    do
        rc = s->is_file ? read_file(s, dst, nbytes, offset, got, &e)
                        : read_pipe(s, dst, nbytes, got, &e);
    while (pcri_try_again(attempt++, PCRI_TRIES_AGAIN, &rc, &e));
    return rc ? pcri_hand_on(err, rc, &e) : 0;
}

/* Reads on into the buffer, which is used up. *more is false at the end. */
static int refill(struct pcri_sequential *s, bool *more, struct pcr_error *err)
{
    size_t got;
    int rc = fetch(s, s->in, s->in_room, s->in_offset, &got, err);
    s->used = 0;
    s->in_nbytes = rc ? 0 : got;
    s->in_offset += s->in_nbytes;
    *more = s->in_nbytes > 0;
    return rc;
}

/* --- gzip --- */

static int gzip_begin(struct pcri_sequential *s, struct pcr_error *err)
{
    int rc = inflateInit2(&s->gzip, 16 + MAX_WBITS);
    return rc ? pcri_fail_nomem(err, sizeof(s->gzip)) : 0;
}

static int zlib_begin(struct pcri_sequential *s, struct pcr_error *err)
{
    int rc = inflateInit2(&s->gzip, MAX_WBITS);
    return rc ? pcri_fail_nomem(err, sizeof(s->gzip)) : 0;
}

static int gzip_decode(struct pcri_sequential *s, void *dst, size_t room, size_t *made,
                       struct pcr_error *err)
{
    z_stream *z = &s->gzip;
    /* Members follow each other; what else follows is padding, if it is zeros. */
    if (s->at_frame_end) {
        while (s->used < s->in_nbytes && !s->in[s->used])
            s->used++;
        if (s->used == s->in_nbytes)
            return 0;
        inflateReset(z);
    }
    z->next_in = s->in + s->used;
    z->avail_in = (uInt) (s->in_nbytes - s->used);
    z->next_out = dst;
    z->avail_out = (uInt) room;
    int rc = inflate(z, Z_NO_FLUSH);
    s->used = s->in_nbytes - z->avail_in;
    *made = room - z->avail_out;
    s->at_frame_end = rc == Z_STREAM_END;
    s->may_hold = !z->avail_out && !s->at_frame_end;
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return 0;
    return rc == Z_MEM_ERROR ? pcri_fail_nomem(err, sizeof(*z))
                             : pcri_fail(err, PCR_ERR_CORRUPT, "the %s data is damaged: %s",
                                         s->decoder->name, z->msg ? z->msg : "no valid data");
}

static void gzip_end(struct pcri_sequential *s)
{
    inflateEnd(&s->gzip);
}

/* --- zstd --- */

static int zstd_begin(struct pcri_sequential *s, struct pcr_error *err)
{
    s->zstd = ZSTD_createDStream();
    return s->zstd ? 0 : pcri_fail_nomem(err, sizeof(void *));
}

static int zstd_decode(struct pcri_sequential *s, void *dst, size_t room, size_t *made,
                       struct pcr_error *err)
{
    ZSTD_inBuffer in = { s->in, s->in_nbytes, s->used };
    ZSTD_outBuffer out = { dst, room, 0 };
    size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);
    s->used = in.pos;
    *made = out.pos;
    s->at_frame_end = rc == 0;
    s->may_hold = out.pos == room && !s->at_frame_end;
    if (!ZSTD_isError(rc))
        return 0;
    const char *name = ZSTD_getErrorName(rc);
    return strstr(name, "memory")
               ? pcri_fail_nomem(err, ZSTD_DStreamInSize())
               : pcri_fail(err, PCR_ERR_CORRUPT, "the zstd data is damaged: %s", name);
}

static void zstd_end(struct pcri_sequential *s)
{
    ZSTD_freeDStream(s->zstd);
}

/* --- xz --- */

#ifdef PCR_LZMA
static int xz_begin(struct pcri_sequential *s, struct pcr_error *err)
{
    static const uint64_t most = 512 << 20; /* xz -9 needs 65 MiB */
    return lzma_stream_decoder(&s->xz, most, 0) == LZMA_OK
               ? 0
               : pcri_fail_nomem(err, sizeof(s->xz));
}

static int xz_decode(struct pcri_sequential *s, void *dst, size_t room, size_t *made,
                     struct pcr_error *err)
{
    lzma_stream *z = &s->xz;
    /* Streams follow each other, with zeros between and behind them. */
    if (s->at_frame_end) {
        while (s->used < s->in_nbytes && !s->in[s->used])
            s->used++;
        if (s->used == s->in_nbytes)
            return 0;
        int rc = xz_begin(s, err); /* uses the decoder's memory again */
        if (rc)
            return rc;
    }
    z->next_in = s->in + s->used;
    z->avail_in = s->in_nbytes - s->used;
    z->next_out = dst;
    z->avail_out = room;
    lzma_ret rc = lzma_code(z, LZMA_RUN);
    s->used = s->in_nbytes - z->avail_in;
    *made = room - z->avail_out;
    s->at_frame_end = rc == LZMA_STREAM_END;
    s->may_hold = !z->avail_out && !s->at_frame_end;
    if (rc == LZMA_OK || rc == LZMA_STREAM_END || rc == LZMA_BUF_ERROR)
        return 0;
    if (rc == LZMA_MEM_ERROR)
        return pcri_fail_nomem(err, 1);
    return rc == LZMA_MEMLIMIT_ERROR
               ? pcri_fail(err, PCR_ERR_LIMIT, "%s: xz needs more than 512 MiB", s->path)
               : pcri_fail(err, PCR_ERR_CORRUPT, "the xz data is damaged");
}

static void xz_end(struct pcri_sequential *s)
{
    lzma_end(&s->xz);
}
#endif

/* --- */

static const struct decoder decoders[] = {
    { "gzip", { 0x1f, 0x8b }, 2, gzip_begin, gzip_decode, gzip_end },
    { "zlib", { 0 }, 0, zlib_begin, gzip_decode, gzip_end }, /* only if it is asked for */
    { "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_begin, zstd_decode, zstd_end },
#ifdef PCR_LZMA
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_begin, xz_decode, xz_end },
#else
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, NULL, NULL, NULL },
#endif
    { "bzip2", { 'B', 'Z', 'h' }, 3, NULL, NULL, NULL },
};

static bool is_wanted(const struct decoder *d, const char *packing,
                      const struct pcri_sequential *s)
{
    if (strcmp(packing, "?") != 0)
        return !strcmp(packing, d->name);
    return d->magic_nbytes && s->in_nbytes >= d->magic_nbytes &&
           !memcmp(s->in, d->magic, d->magic_nbytes);
}

/* Looks at the first bytes. */
static int choose_decoder(struct pcri_sequential *s, const char *packing,
                          struct pcr_error *err)
{
    bool more = true;
    int rc = 0;
    s->in_room = ROOM_OF_PLAIN;
    while (!rc && s->in_nbytes < sizeof(decoders[0].magic) &&
           more) { /* a pipe may hand out less */
        size_t got;
        rc = fetch(s, s->in + s->in_nbytes, s->in_room - s->in_nbytes, s->in_offset, &got,
                   err);
        more = !rc && got;
        s->in_nbytes += rc ? 0 : got;
        s->in_offset += rc ? 0 : got;
    }
    for (size_t i = 0; !rc && i < sizeof(decoders) / sizeof(decoders[0]); i++) {
        const struct decoder *d = &decoders[i];
        if (!is_wanted(d, packing, s))
            continue;
        if (!d->begin)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED,
                             "%s: compressed by %s; decompress it into a pipe: %s -dc FILE | "
                             "pcrtool convert --from FORMAT - DST",
                             s->path, d->name, d->name);
        rc = d->begin(s, err);
        s->decoder = rc ? NULL : d;
    }
    if (s->decoder || !s->is_file)
        s->in_room = ROOM;
    return rc;
}

static int open_path(struct pcri_sequential *s, struct pcr_error *err)
{
    struct stat st;
    const bool is_input = !strcmp(s->path, "-");
    s->fd = is_input ? PCRI_UNINTERRUPTED(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3))
                     : PCRI_UNINTERRUPTED(open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (s->fd < 0)
        return pcri_fail_sys(err, errno, "%s: cannot open", s->path);
    if (PCRI_UNINTERRUPTED(fstat(s->fd, &st)))
        return pcri_fail_sys(err, errno, "%s: cannot stat", s->path);
    if (S_ISDIR(st.st_mode))
        return pcri_fail_sys(err, EISDIR, "%s", s->path);
    s->is_file = S_ISREG(st.st_mode) && !is_input;
    return 0;
}

int pcri_sequential_open(const char *path, const char *packing, struct pcri_sequential **out,
                         struct pcr_error *err)
{
    struct pcri_sequential *s = pcri_calloc(1, sizeof(*s), err);
    *out = s;
    if (!s)
        return PCR_ERR_NOMEM;
    s->fd = -1;
    s->path = pcri_strndup(path, strlen(path), err);
    s->in = s->path ? pcri_malloc(ROOM, 1, err) : NULL;
    int rc = s->in ? open_path(s, err) : PCR_ERR_NOMEM;
    if (!rc)
        rc = choose_decoder(s, packing, err);
    if (rc)
        pcri_sequential_close(out);
    return rc;
}

void pcri_sequential_close(struct pcri_sequential **stream)
{
    struct pcri_sequential *s = stream ? *stream : NULL;
    if (!s)
        return;
    if (s->decoder)
        s->decoder->end(s);
    if (s->fd >= 0)
        close(s->fd);
    free(s->in);
    free(s->path);
    free(s);
    *stream = NULL;
}

/* Memory of one inflate(): its state, and a window. */
struct peeking {
    alignas(16) uint8_t bytes[64 << 10];
    size_t used;
};

static void *take_memory(void *opaque, unsigned count, unsigned size)
{
    struct peeking *m = opaque;
    size_t nbytes = ((size_t) count * size + 15) & ~(size_t) 15;
    void *p = m->bytes + m->used;
    if (nbytes > sizeof(m->bytes) - m->used)
        return NULL;
    m->used += nbytes;
    return p;
}

static void leave_memory(void *opaque, void *p)
{
    (void) opaque;
    (void) p;
}

size_t pcri_sequential_peek(const char *packing, const void *data, size_t nbytes, void *out,
                            size_t room)
{
    struct peeking memory = { .used = 0 };
    struct pcri_sequential s = {
        .in = (uint8_t *) (uintptr_t) data,
        .in_nbytes = nbytes,
        .gzip = { .zalloc = take_memory, .zfree = leave_memory, .opaque = &memory },
    };
    size_t made = 0;
    for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
        if (!strcmp(decoders[i].name, packing))
            s.decoder = &decoders[i];
    if (s.decoder->begin(&s, NULL))
        return 0;
    if (s.decoder->decode(&s, out, room, &made, NULL))
        made = 0;
    s.decoder->end(&s);
    return made;
}

uint64_t pcri_sequential_position(const struct pcri_sequential *s)
{
    return s->position;
}

bool pcri_sequential_is_plain(const struct pcri_sequential *s)
{
    return s->is_file && !s->decoder;
}

/* --- reading on --- */

/* Takes what the buffer has, or reads large parts past it. */
static int read_plain(struct pcri_sequential *s, uint8_t *dst, size_t nbytes, size_t *got,
                      struct pcr_error *err)
{
    size_t left = s->in_nbytes - s->used;
    bool more = true;
    int rc = 0;
    if (!left && nbytes >= s->in_room) {
        rc = fetch(s, dst, nbytes, s->in_offset, got, err);
        *got = rc ? 0 : *got;
        s->in_offset += *got;
        return rc;
    }
    if (!left)
        rc = refill(s, &more, err);
    left = s->in_nbytes - s->used;
    *got = left < nbytes ? left : nbytes;
    if (*got)
        memcpy(dst, s->in + s->used, *got);
    s->used += *got;
    return rc;
}

static int read_packed(struct pcri_sequential *s, uint8_t *dst, size_t nbytes, size_t *got,
                       struct pcr_error *err)
{
    bool more = true;
    const size_t room = nbytes > 1 << 30 ? 1 << 30 : nbytes;
    int rc = 0;
    *got = 0;
    while (!rc && !*got && more) {
        if (s->used < s->in_nbytes || s->may_hold)
            rc = s->decoder->decode(s, dst, room, got, err);
        else
            rc = refill(s, &more, err);
    }
    if (rc == PCR_ERR_CORRUPT && err)
        err->offset = s->in_offset - s->in_nbytes + s->used;
    if (!rc && !*got && !s->at_frame_end)
        rc = pcri_fail_at(err, PCR_ERR_TRUNCATED, s->in_offset, "the %s data is cut off",
                          s->decoder->name);
    return rc;
}

int pcri_sequential_read(struct pcri_sequential *s, void *dst, size_t nbytes, size_t *got,
                         struct pcr_error *err)
{
    *got = 0;
    while (*got < nbytes) {
        size_t n = 0;
        uint8_t *at = (uint8_t *) dst + *got;
        int rc = s->decoder ? read_packed(s, at, nbytes - *got, &n, err)
                            : read_plain(s, at, nbytes - *got, &n, err);
        *got += n;
        s->position += n;
        if (rc)
            return rc;
        if (!n)
            break;
    }
    return 0;
}

/* Moves on in a file that is read by position. */
static int skip_file(struct pcri_sequential *s, uint64_t nbytes, uint64_t *passed,
                     struct pcr_error *err)
{
    struct stat st;
    if (PCRI_UNINTERRUPTED(fstat(s->fd, &st)))
        return pcri_fail_sys(err, errno, "%s: cannot stat", s->path);
    const uint64_t size = (uint64_t) st.st_size;
    const uint64_t left = size > s->position ? size - s->position : 0;
    const uint64_t n = nbytes < left ? nbytes : left, buffered = s->in_nbytes - s->used;
    *passed = n;
    s->position += n;
    if (n <= buffered) {
        s->used += (size_t) n;
        return 0;
    }
    s->used = s->in_nbytes = 0;
    s->in_offset = s->position;
    return 0;
}

int pcri_sequential_skip(struct pcri_sequential *s, uint64_t nbytes, uint64_t *passed,
                         struct pcr_error *err)
{
    uint8_t sink[8192];
    size_t got = 1;
    int rc = 0;
    *passed = 0;
    if (pcri_sequential_is_plain(s))
        return skip_file(s, nbytes, passed, err);
    while (*passed < nbytes && got && !rc) {
        uint64_t left = nbytes - *passed;
        rc = pcri_sequential_read(s, sink, left < sizeof(sink) ? (size_t) left : sizeof(sink),
                                  &got, err);
        *passed += rc ? 0 : got;
    }
    return rc;
}
