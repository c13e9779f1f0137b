/* SPDX-License-Identifier: BSD-2-Clause */
/* Importer of zip archives, also large ones (zip64): the directory at the end names the members.
 * Images that are stored stay where they are, compressed ones go to the spool. */
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

#include "../libpcr/io/io.h"
#include "folder_names.h"
#include "members.h"

enum {
    END_NBYTES = 22,
    LOCATOR_NBYTES = 20,
    END64_NBYTES = 56,
    ENTRY_NBYTES = 46,
    LOCAL_NBYTES = 30,
    MOST_OF_NAMES = 3 * 65535, /* name, extra fields and comment of an entry */
    STORED = 0,
    DEFLATED = 8,
    PIECE = 256 << 10,
};

/* An entry of the directory. */
struct zip_entry {
    uint64_t at; /* in the file, for messages */
    uint32_t flags, method, crc, mode;
    struct pcr_file_info info;
    uint64_t packed_nbytes, nbytes, header;
};

struct zip {
    struct pcri_container *s;
    struct pcri_file *f;
    struct pcri_members members;
    uint64_t base; /* bytes in front of the archive proper */
    uint64_t directory, directory_nbytes, count;
    uint64_t window_at; /* of `window`, which holds a part of the directory */
    struct pcr_buffer window, name, text;
    uint8_t *in, *out; /* PIECE bytes each, for compressed members */
    z_stream z;
    bool has_z;
};

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t) p[0] | (uint32_t) p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t) get32(p + 4) << 32;
}

/* TRUNCATED past the end. */
static int read_at(struct zip *z, uint64_t offset, void *dst, size_t nbytes,
                   struct pcr_error *err)
{
    struct pcr_error e;
    uint32_t attempt = 0;
    int rc;
    if (offset > z->f->nbytes || nbytes > z->f->nbytes - offset)
        return PCR_ERR_TRUNCATED;
    do
        rc = pcri_file_read_at(z->f, offset, dst, nbytes, &e);
    while (pcri_try_again(attempt++, PCRI_TRIES_AGAIN, &rc, &e));
    return rc ? pcri_hand_on(err, rc, &e) : 0;
}

/* --- the end of the file --- */

static int fail_directory(struct zip *z, uint64_t at, const char *what, struct pcr_error *err)
{
    z->count = 0;
    return pcri_container_damaged(z->s, NULL, at, err, "%s", what);
}

/* Takes sizes that do not fit 32 bits from the record in front. */
static int read_end64(struct zip *z, uint64_t end, struct pcr_error *err)
{
    uint8_t locator[LOCATOR_NBYTES], record[END64_NBYTES];
    if (end < LOCATOR_NBYTES)
        return 0;
    int rc = read_at(z, end - LOCATOR_NBYTES, locator, sizeof(locator), err);
    if (rc || memcmp(locator, "PK\6\7", 4) != 0)
        return rc;
    const uint64_t at = get64(locator + 8);
    rc = read_at(z, at, record, sizeof(record), err);
    if (rc == PCR_ERR_TRUNCATED || (!rc && memcmp(record, "PK\6\6", 4) != 0))
        return fail_directory(z, end - LOCATOR_NBYTES, "no zip64 record where this says", err);
    z->count = get64(record + 32);
    z->directory_nbytes = get64(record + 40);
    z->directory = get64(record + 48);
    if (!rc && (z->directory > end || z->directory_nbytes > end - z->directory))
        return fail_directory(z, at, "its directory would lie beyond its end", err);
    return rc;
}

static int use_end(struct zip *z, const uint8_t *p, uint64_t end, struct pcr_error *err)
{
    z->count = get16(p + 10);
    z->directory_nbytes = get32(p + 12);
    z->directory = get32(p + 16);
    if (get16(p + 4))
        return fail_directory(z, end, "a part of several files, which are not read", err);
    if (z->count == UINT16_MAX || z->directory_nbytes == UINT32_MAX ||
        z->directory == UINT32_MAX)
        return read_end64(z, end, err);
    if (z->directory_nbytes > end || z->directory > end - z->directory_nbytes)
        return fail_directory(z, end, "its directory would lie beyond its end", err);
    z->base = end - z->directory_nbytes - z->directory;
    return 0;
}

/* The record at the end is the last one whose comment reaches to the end of the file. */
static int find_end(struct zip *z, struct pcr_error *err)
{
    const uint64_t n = z->f->nbytes;
    const size_t room = n < END_NBYTES + 65535 ? (size_t) n : END_NBYTES + 65535;
    int rc = pcri_buffer_reserve(&z->window, room + 1, err);
    if (!rc)
        rc = read_at(z, n - room, z->window.data, room, err);
    for (size_t i = room; !rc && i-- > 0;) {
        const uint8_t *p = z->window.data + i;
        if (room - i >= END_NBYTES && !memcmp(p, "PK\5\6", 4) &&
            get16(p + 20) <= room - i - END_NBYTES)
            return use_end(z, p, n - room + i, err);
    }
    return rc ? rc
              : fail_directory(z, n, "cut off, or no zip archive: no directory at its end",
                               err);
}

/* --- the directory --- */

/* Makes `nbytes` at `at` of the directory, or as many as it has, readable. NULL and rc 0: it
 * ends before. */
static int look(struct zip *z, uint64_t at, size_t nbytes, const uint8_t **out,
                struct pcr_error *err)
{
    const uint64_t end = z->base + z->directory + z->directory_nbytes;
    *out = NULL;
    if (at > end || nbytes > end - at)
        return 0;
    if (at < z->window_at || at + nbytes > z->window_at + z->window.nbytes) {
        const size_t room = PIECE + ENTRY_NBYTES + MOST_OF_NAMES;
        const size_t n = end - at < room ? (size_t) (end - at) : room;
        int rc = pcri_buffer_reserve(&z->window, room, err);
        if (!rc)
            rc = read_at(z, at, z->window.data, n, err);
        z->window_at = at;
        z->window.nbytes = rc ? 0 : n;
        if (rc)
            return rc == PCR_ERR_TRUNCATED ? 0 : rc;
    }
    *out = z->window.data + (at - z->window_at);
    return 0;
}

/* Sizes that do not fit 32 bits are in an extra field; and times that have a zone. */
static bool take_extra(struct zip_entry *e, const uint8_t *p, size_t nbytes)
{
    enum { TIMES = 0x5455 };
    uint64_t *wanted[] = { &e->nbytes, &e->packed_nbytes, &e->header };
    while (nbytes >= 4) {
        const size_t n = get16(p + 2);
        if (n > nbytes - 4)
            return true; /* of others it does not matter */
        const uint8_t *value = p + 4, *end = value + n;
        if (get16(p) == TIMES && n >= 5 && value[0] & 1) {
            e->info.known |= PCR_FILE_TIME;
            e->info.mtime_ns = (int64_t) (int32_t) get32(value + 1) * 1000000000;
        }
        for (size_t i = 0; i < 3 && get16(p) == 1; i++) {
            if (*wanted[i] != UINT32_MAX)
                continue;
            if (end - value < 8)
                return false;
            *wanted[i] = get64(value);
            value += 8;
        }
        p += 4 + n;
        nbytes -= 4 + n;
    }
    return true;
}

/* Reads the entry at *at and moves on; *found is false if there is none. */
static int next_entry(struct zip *z, uint64_t *at, struct zip_entry *e, bool *found,
                      struct pcr_error *err)
{
    const uint8_t *p;
    *found = false;
    int rc = look(z, *at, ENTRY_NBYTES, &p, err);
    if (rc || !p || memcmp(p, "PK\1\2", 4) != 0)
        return rc;
    const size_t name = get16(p + 28), extra = get16(p + 30), comment = get16(p + 32);
    const size_t whole = ENTRY_NBYTES + name + extra + comment;
    rc = look(z, *at, whole, &p, err);
    if (rc || !p)
        return rc;
    *e = (struct zip_entry) { .at = *at,
                              .flags = get16(p + 8),
                              .method = get16(p + 10),
                              .crc = get32(p + 16),
                              .packed_nbytes = get32(p + 20),
                              .nbytes = get32(p + 24),
                              .mode = p[5] == 3 ? get16(p + 40) : 0, /* made by Unix */
                              .header = get32(p + 42) };
    z->name.nbytes = 0;
    rc = pcri_print(&z->name, err, "%.*s", (int) name, (const char *) p + ENTRY_NBYTES);
    if (e->mode) {
        e->info.known = PCR_FILE_MODE;
        e->info.mode = e->mode & 0777;
    }
    *found = !rc && take_extra(e, p + ENTRY_NBYTES + name, extra);
    *at += whole;
    return rc;
}

/* --- members --- */

/* Where the member's bytes begin; false: they are not there. */
static int find_bytes(struct zip *z, const struct zip_entry *e, uint64_t *out, bool *found,
                      struct pcr_error *err)
{
    uint8_t local[LOCAL_NBYTES];
    *found = false;
    const uint64_t at = z->base + e->header;
    int rc = at < z->base ? PCR_ERR_TRUNCATED : read_at(z, at, local, sizeof(local), err);
    if (rc)
        return rc == PCR_ERR_TRUNCATED ? 0 : rc;
    *out = at + LOCAL_NBYTES + get16(local + 26) + get16(local + 28);
    *found = !memcmp(local, "PK\3\4", 4) && *out <= z->f->nbytes &&
             e->packed_nbytes <= z->f->nbytes - *out &&
             (e->method != STORED || e->packed_nbytes == e->nbytes);
    return 0;
}

/* Takes the member's bytes piece by piece. */
typedef int take_fn(struct zip *z, const void *data, size_t nbytes, struct pcr_error *err);

static int take_spool(struct zip *z, const void *data, size_t nbytes, struct pcr_error *err)
{
    return pcri_container_put(z->s, data, nbytes, err);
}

static int take_text(struct zip *z, const void *data, size_t nbytes, struct pcr_error *err)
{
    return pcri_buffer_append(&z->text, data, nbytes, err);
}

static int begin_inflate(struct zip *z, struct pcr_error *err)
{
    if (!z->in)
        z->in = pcri_malloc(PIECE, 1, err);
    if (z->in && !z->out)
        z->out = pcri_malloc(PIECE, 1, err);
    if (!z->out)
        return PCR_ERR_NOMEM;
    int rc = z->has_z ? inflateReset(&z->z) : inflateInit2(&z->z, -MAX_WBITS);
    z->has_z |= !rc;
    return rc ? pcri_fail_nomem(err, sizeof(z->z)) : 0;
}

/* Decompresses what was read; *whole: the end was reached. */
static int inflate_piece(struct zip *z, const struct zip_entry *e, size_t in_nbytes,
                         take_fn *take, uint64_t *made, uint32_t *crc, bool *whole,
                         struct pcr_error *err)
{
    int state = Z_OK, rc = 0;
    z->z.next_in = z->in;
    z->z.avail_in = (uInt) in_nbytes;
    do {
        z->z.next_out = z->out;
        z->z.avail_out = PIECE;
        state = inflate(&z->z, Z_NO_FLUSH);
        const size_t n = PIECE - z->z.avail_out;
        if (state == Z_MEM_ERROR)
            return pcri_fail_nomem(err, sizeof(z->z));
        if ((state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) ||
            n > e->nbytes - *made) {
            *made = UINT64_MAX; /* never what the directory says */
            return 0;
        }
        *made += n;
        *crc = (uint32_t) crc32(*crc, z->out, (uInt) n);
        rc = take(z, z->out, n, err);
    } while (!rc && state == Z_OK && !z->z.avail_out);
    *whole = state == Z_STREAM_END;
    return rc;
}

/* Reads a member; *good is false if it is damaged. */
static int read_member(struct zip *z, const struct zip_entry *e, uint64_t at, take_fn *take,
                       bool *good, struct pcr_error *err)
{
    uint64_t left = e->packed_nbytes, made = 0;
    uint32_t crc = 0;
    bool whole = e->method == STORED;
    int rc = begin_inflate(z, err);
    while (!rc && left && made != UINT64_MAX) {
        const size_t n = left < PIECE ? (size_t) left : PIECE;
        rc = read_at(z, at, z->in, n, err);
        if (!rc && e->method == STORED) {
            crc = (uint32_t) crc32(crc, z->in, (uInt) n);
            made += n;
            rc = take(z, z->in, n, err);
        } else if (!rc) {
            rc = inflate_piece(z, e, n, take, &made, &crc, &whole, err);
        }
        at += n;
        left -= n;
    }
    *good = !rc && whole && made == e->nbytes && crc == e->crc;
    return rc;
}

static struct pcri_member *add_member(struct zip *z, const struct zip_entry *e,
                                      enum pcri_member_kind kind, uint64_t offset,
                                      struct pcr_error *err)
{
    struct pcri_member *m = pcri_members_add(&z->members, (const char *) z->name.data, kind,
                                             err);
    if (!m)
        return NULL;
    m->header = e->at;
    m->offset = offset;
    m->nbytes = e->nbytes;
    return m;
}

static int fail_member(struct zip *z, const struct zip_entry *e, struct pcr_error *err)
{
    return pcri_container_damaged(z->s, NULL, z->base + e->header, err, "'%.200s' is damaged",
                                  (const char *) z->name.data);
}

static int take_image(struct zip *z, const struct zip_entry *e, uint64_t at,
                      struct pcr_error *err)
{
    bool good = true;
    const uint64_t spooled_at = z->s->spool_nbytes;
    int rc = e->method == STORED ? 0 : read_member(z, e, at, take_spool, &good, err);
    if (rc || !good)
        return rc ? rc : fail_member(z, e, err);
    struct pcri_member *m = add_member(z, e, PCRI_MEMBER_IMAGE,
                                       e->method == STORED ? at : spooled_at, err);
    if (!m)
        return PCR_ERR_NOMEM;
    m->spooled = e->method != STORED;
    m->has_crc = true;
    m->crc = e->crc;
    m->info = e->info;
    return 0;
}

/* Keeps the text that was read, or says where the bytes are. */
static int settle_text(struct zip *z, const struct zip_entry *e, struct pcri_member *m,
                       struct pcr_error *err)
{
    struct pcri_arena *arena = &z->members.arena;
    const bool is_link = m->kind == PCRI_MEMBER_LINK;
    const char *text = z->text.nbytes ? (const char *) z->text.data : "";
    const size_t nbytes = z->text.nbytes;
    if (is_link || pcri_member_keeps_text(z->s, m->name, text, nbytes)) {
        text = pcri_arena_strndup(arena, text, nbytes, err);
        m->text = text && is_link ? pcri_safe_key(text, arena, err) : text;
        m->text_nbytes = nbytes;
        m->is_only_text = e->method != STORED;
        return m->text ? 0 : PCR_ERR_NOMEM;
    }
    if (e->method == STORED)
        return 0;
    m->spooled = true;
    m->offset = z->s->spool_nbytes;
    return pcri_container_put(z->s, text, nbytes, err);
}

/* A part that is no image, or a link: its text, or where its bytes are. */
static int take_other(struct zip *z, const struct zip_entry *e, uint64_t at, bool is_link,
                      struct pcr_error *err)
{
    const char *name = (const char *) z->name.data, *slash = strrchr(name, '/');
    const bool wanted = is_link ? e->nbytes < 4096 : pcri_member_wants_text(name, e->nbytes);
    const bool spooled = !wanted && !is_link && e->method != STORED;
    const uint64_t spooled_at = z->s->spool_nbytes;
    bool good = true;
    z->text.nbytes = 0;
    int rc = is_link && slash ? pcri_print(&z->text, err, "%.*s/", (int) (slash - name), name)
                              : 0;
    if (!rc && (wanted || spooled))
        rc = read_member(z, e, at, wanted ? take_text : take_spool, &good, err);
    if (rc || !good)
        return rc ? rc : fail_member(z, e, err);
    struct pcri_member *m = add_member(z, e, is_link ? PCRI_MEMBER_LINK : PCRI_MEMBER_OTHER,
                                       spooled ? spooled_at : at, err);
    if (!m)
        return PCR_ERR_NOMEM;
    m->spooled = spooled;
    m->has_crc = true;
    m->crc = e->crc;
    return wanted || is_link ? settle_text(z, e, m, err) : 0;
}

/* Whether a member of no known ending begins like an image. */
static int look_at_start(struct zip *z, const struct zip_entry *e, uint64_t at, bool *is_image,
                         struct pcr_error *err)
{
    uint8_t first[16];
    const size_t n = e->packed_nbytes < PIECE ? (size_t) e->packed_nbytes : PIECE;
    size_t got = n < sizeof(first) ? n : sizeof(first);
    int rc = begin_inflate(z, err);
    if (!rc)
        rc = read_at(z, at, z->in, n, err);
    if (rc)
        return rc;
    if (e->method == STORED) {
        memcpy(first, z->in, got);
    } else {
        z->z.next_in = z->in;
        z->z.avail_in = (uInt) n;
        z->z.next_out = first;
        z->z.avail_out = sizeof(first);
        (void) inflate(&z->z, Z_NO_FLUSH); /* damage shows when all is read */
        got = sizeof(first) - z->z.avail_out;
    }
    *is_image = pcri_is_image_start(first, got);
    return 0;
}

static int take_member(struct zip *z, const struct zip_entry *e, struct pcr_error *err)
{
    enum { FORMAT = 0170000, SYMLINK = 0120000 };
    const char *name = z->name.nbytes ? (const char *) z->name.data : "";
    enum pcri_member_kind kind = pcri_member_kind(name);
    uint64_t at;
    bool found, is_image = kind == PCRI_MEMBER_IMAGE;
    if (!*name || name[strlen(name) - 1] == '/')
        return 0;
    if (kind == PCRI_MEMBER_IGNORED) {
        z->members.ignored++;
        return 0;
    }
    if (e->flags & 1 || (e->method != STORED && e->method != DEFLATED))
        return pcri_container_leave_out(z->s, NULL, name, err,
                                        e->flags & 1 ? "an encrypted member"
                                                     : "compressed by method %u",
                                        (unsigned) e->method);
    int rc = find_bytes(z, e, &at, &found, err);
    if (rc || !found)
        return rc ? rc : fail_member(z, e, err);
    if ((e->mode & FORMAT) == SYMLINK)
        return take_other(z, e, at, true, err);
    if (kind == PCRI_MEMBER_UNKNOWN)
        rc = look_at_start(z, e, at, &is_image, err);
    if (rc)
        return rc;
    return is_image ? take_image(z, e, at, err) : take_other(z, e, at, false, err);
}

static int scan(struct zip *z, struct pcr_error *err)
{
    int rc = find_end(z, err);
    uint64_t at = z->base + z->directory;
    z->window.nbytes = 0;
    for (uint64_t i = 0; i < z->count && !rc; i++) {
        struct zip_entry e;
        bool found;
        const uint64_t begin = at;
        rc = next_entry(z, &at, &e, &found, err);
        if (!rc && !found)
            return pcri_container_damaged(
                z->s, NULL, begin, err, "no valid entry %llu of %llu in its directory",
                (unsigned long long) i, (unsigned long long) z->count);
        if (!rc)
            rc = take_member(z, &e, err);
    }
    return rc;
}

static int scan_zip(struct pcri_container *s, struct pcr_error *err)
{
    struct zip z = { .s = s, .members.arena.folder = s->e->folder };
    if (!strcmp(s->path, "-"))
        return pcri_fail(
            err, PCR_ERR_INVAL,
            "%s: a zip archive cannot be read from a pipe: its directory is at its "
            "end",
            s->path);
    int rc = pcri_file_open(&pcri_io_pread, s->path, &z.f, err);
    if (!rc)
        rc = scan(&z, err);
    if (!rc)
        rc = pcri_members_finish(s, &z.members, err);
    pcri_file_close(&z.f);
    pcri_members_free(&z.members);
    if (z.has_z)
        inflateEnd(&z.z);
    free(z.in);
    free(z.out);
    pcr_buffer_free(&z.window);
    pcr_buffer_free(&z.name);
    pcr_buffer_free(&z.text);
    return rc;
}

static const char *const endings[] = { ".zip", NULL };

static bool probe(const struct pcri_candidate *c)
{
    const size_t n = strlen(c->path);
    return S_ISREG(c->st.st_mode) && ((n > 4 && !strcasecmp(c->path + n - 4, ".zip")) ||
                                      (c->head_nbytes >= 4 && !memcmp(c->head, "PK\3\4", 4)));
}

const struct pcri_importer pcri_import_zip = {
    .name = "zip",
    .probe = probe,
    .scan = scan_zip,
    .finish = pcri_archives_finish,
    .endings = endings,
};
