/* SPDX-License-Identifier: BSD-2-Clause */
/* Importer of tar archives: ustar, pax, GNU and the old format, plain or compressed, from a file
 * or a pipe. Headers are read and checked one after another; a plain archive's images stay where
 * they are. Where a header is damaged, reading can go on at the next one that is right. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "../libpcr/io/sequential.h"
#include "folder_names.h"
#include "members.h"

enum { BLOCK = 512, LONGEST_NAME = 1 << 20 };

/* The fields of a header: where, and how long (NAME: 100 bytes from 0; PREFIX: 155). */
#define MODE 100, 8
#define SIZE 124, 12
#define MTIME 136, 12
#define LINK_NAME 157, 100
enum {
    CHECKSUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    SPARSE_MORE_AT = 482, /* in a header; in the blocks that follow it: */
    SPARSE_AGAIN_AT = 504,
};

/* What extended headers say of the next member. */
struct extended {
    struct pcr_buffer path, link; /* texts; empty: not given */
    uint64_t nbytes;
    int64_t mtime_ns;
    bool has_nbytes, has_mtime, knows_mtime, is_sparse;
    bool is_bad; /* they cannot be read: what they are of is left out */
};

struct tar {
    struct pcri_container *s;
    struct pcri_sequential *in;
    struct pcri_members members;
    struct extended next;
    struct pcr_buffer name, text; /* scratch */
    const char *folder;           /* of the members, in a tar in a tar; else "" */
    uint64_t end;                 /* of a tar in a tar; else UINT64_MAX */
    bool skipping;                /* to the next valid header */
    bool stop;                    /* the rest cannot be read */
};

/* --- headers --- */

/* A number: octal digits, or big-endian after a byte 0x80. */
static bool get_number(const uint8_t *p, size_t n, uint64_t *out)
{
    uint64_t v = 0;
    if (p[0] == 0x80) {
        for (size_t i = 1; i < n; i++) {
            if (v >> 55)
                return false;
            v = v << 8 | p[i];
        }
        *out = v;
        return true;
    }
    size_t i = 0;
    while (i < n && p[i] == ' ')
        i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
        v = v << 3 | (uint64_t) (p[i] - '0');
    *out = v;
    return i == n || !p[i] || p[i] == ' ';
}

static bool get_field(const uint8_t *block, size_t at, size_t n, uint64_t *out)
{
    return get_number(block + at, n, out);
}

/* Old programs took bytes for signed. */
static bool is_header(const uint8_t *block)
{
    uint64_t wanted;
    int64_t sum = 0, signed_sum = 0;
    for (int i = 0; i < BLOCK; i++) {
        const uint8_t b = i >= CHECKSUM_AT && i < CHECKSUM_AT + 8 ? ' ' : block[i];
        sum += b;
        signed_sum += (int8_t) b;
    }
    return get_number(block + CHECKSUM_AT, 8, &wanted) && block[CHECKSUM_AT] &&
           ((int64_t) wanted == sum || (int64_t) wanted == signed_sum);
}

static bool is_zero(const uint8_t *block, size_t nbytes)
{
    for (size_t i = 0; i < nbytes; i++)
        if (block[i])
            return false;
    return true;
}

static bool has_magic(const uint8_t *block)
{
    return !memcmp(block + MAGIC_AT, "ustar", 5);
}

/* A field's text, up to NUL. */
static int set_text(struct pcr_buffer *b, const uint8_t *block, size_t at, size_t room,
                    struct pcr_error *err)
{
    b->nbytes = 0;
    return pcri_print(b, err, "%.*s", (int) strnlen((const char *) block + at, room),
                      (const char *) block + at);
}

static const char *text_of(const struct pcr_buffer *b)
{
    return b->nbytes ? (const char *) b->data : "";
}

/* The member's path, below the folder of a tar in a tar. */
static int get_name(struct tar *t, const uint8_t *block, struct pcr_error *err)
{
    const bool posix = !memcmp(block + MAGIC_AT, "ustar", 6);
    struct pcr_buffer *b = &t->name;
    b->nbytes = 0;
    int rc = *t->folder ? pcri_print(b, err, "%s/", t->folder) : 0;
    if (rc)
        return rc;
    if (t->next.path.nbytes)
        return pcri_print(b, err, "%s", text_of(&t->next.path));
    const char *name = (const char *) block, *prefix = name + PREFIX_AT;
    if (posix && *prefix)
        rc = pcri_print(b, err, "%.*s/", (int) strnlen(prefix, 155), prefix);
    return rc ? rc : pcri_print(b, err, "%.*s", (int) strnlen(name, 100), name);
}

static void forget_extended(struct tar *t)
{
    t->next.path.nbytes = t->next.link.nbytes = 0;
    t->next.has_nbytes = t->next.has_mtime = t->next.is_sparse = t->next.is_bad = false;
}

/* --- reading --- */

/* Damage in what was compressed ends the archive. */
static int settle_read(struct tar *t, int rc, const struct pcr_error *e, struct pcr_error *err)
{
    if (rc != PCR_ERR_CORRUPT && rc != PCR_ERR_TRUNCATED)
        return rc ? pcri_hand_on(err, rc, e) : 0;
    t->stop = true;
    return pcri_container_damaged(t->s, NULL, e->offset, err, "%s", e->message);
}

static int read_bytes(struct tar *t, void *dst, size_t nbytes, size_t *got,
                      struct pcr_error *err)
{
    struct pcr_error e;
    const uint64_t left = t->end - pcri_sequential_position(t->in);
    int rc = pcri_sequential_read(t->in, dst, left < nbytes ? (size_t) left : nbytes, got, &e);
    return settle_read(t, rc, &e, err);
}

static int fail_cut_off(struct tar *t, uint64_t header, struct pcr_error *err)
{
    t->stop = true;
    return pcri_container_damaged(t->s, NULL, header, err,
                                  "cut off: '%.200s' ends at byte %llu", text_of(&t->name),
                                  (unsigned long long) pcri_sequential_position(t->in));
}

/* Passes over bytes of the member at `header`. */
static int pass(struct tar *t, uint64_t nbytes, uint64_t header, struct pcr_error *err)
{
    struct pcr_error e;
    uint64_t passed;
    const uint64_t left = t->end - pcri_sequential_position(t->in);
    int rc = pcri_sequential_skip(t->in, left < nbytes ? left : nbytes, &passed, &e);
    rc = settle_read(t, rc, &e, err);
    return rc || t->stop || passed == nbytes ? rc : fail_cut_off(t, header, err);
}

/* What fills the last block; archives that end without it are taken. */
static int pass_padding(struct tar *t, uint64_t nbytes, struct pcr_error *err)
{
    uint8_t padding[BLOCK];
    size_t got;
    const size_t n = (BLOCK - nbytes % BLOCK) % BLOCK;
    return t->stop || !n ? 0 : read_bytes(t, padding, n, &got, err);
}

/* Reads the member's bytes into `b`, with a NUL behind. */
static int read_text(struct tar *t, uint64_t nbytes, uint64_t header, struct pcr_buffer *b,
                     struct pcr_error *err)
{
    size_t got = 0;
    b->nbytes = 0;
    int rc = pcri_buffer_reserve(b, (size_t) nbytes + 1, err);
    if (!rc)
        rc = read_bytes(t, b->data, (size_t) nbytes, &got, err);
    if (rc || t->stop)
        return rc;
    b->nbytes = got;
    b->data[got] = '\0';
    return got == nbytes ? 0 : fail_cut_off(t, header, err);
}

/* --- extended headers --- */

/* Decimal seconds, "-1.5", of n bytes that something else follows, as nanoseconds. */
static bool get_time(const char *p, size_t n, int64_t *out)
{
    const bool negative = n && *p == '-';
    char *end;
    int64_t v, digit = 100000000, rest = 0;
    if (n <= negative || p[negative] < '0' || p[negative] > '9')
        return false;
    errno = 0;
    v = strtoll(p, &end, 10);
    if (errno || __builtin_mul_overflow(v, 1000000000, &v))
        return false;
    if (end < p + n && *end == '.')
        for (end++; end < p + n && *end >= '0' && *end <= '9'; end++, digit /= 10)
            rest += digit * (*end - '0');
    return end == p + n && !__builtin_add_overflow(v, negative ? -rest : rest, out) &&
           *out >= PCRI_FILE_TIME_LEAST;
}

/* One record of a pax header: "path=a/b.jpg". */
static int take_record(struct tar *t, const char *record, size_t nbytes, struct pcr_error *err)
{
    const char *value = memchr(record, '=', nbytes);
    if (!value)
        return 0;
    const size_t name = (size_t) (value++ - record);
    const size_t n = nbytes - name - 1;
    struct pcr_buffer *b = name == 4 && !memcmp(record, "path", 4)       ? &t->next.path
                           : name == 8 && !memcmp(record, "linkpath", 8) ? &t->next.link
                                                                         : NULL;
    t->next.is_sparse |= name > 10 && !memcmp(record, "GNU.sparse", 10);
    if (name == 4 && !memcmp(record, "size", 4)) {
        char *end;
        t->next.nbytes = strtoull(value, &end, 10);
        t->next.has_nbytes = end == value + n && t->next.nbytes <= INT64_MAX;
    }
    if (name == 5 && !memcmp(record, "mtime", 5)) {
        t->next.has_mtime = true;
        t->next.knows_mtime = get_time(value, n, &t->next.mtime_ns);
    }
    if (!b)
        return 0;
    b->nbytes = 0;
    return pcri_print(b, err, "%.*s", (int) n, value);
}

/* Records are "LENGTH NAME=VALUE\n". */
static int take_pax(struct tar *t, uint64_t header, struct pcr_error *err)
{
    const char *p = (const char *) t->text.data, *end = p + t->text.nbytes;
    int rc = 0;
    while (p < end && *p && !rc) {
        char *space;
        const unsigned long long n = strtoull(p, &space, 10);
        const size_t left = (size_t) (end - p);
        t->next.is_bad = *space != ' ' || n > left || n < (size_t) (space - p) + 2 ||
                         p[n - 1] != '\n';
        if (t->next.is_bad)
            return pcri_container_damaged(t->s, NULL, header, err,
                                          "an extended header that is not valid");
        rc = take_record(t, space + 1, (size_t) (p + n - 1 - (space + 1)), err);
        p += n;
    }
    return rc;
}

static int take_extended(struct tar *t, char type, uint64_t nbytes, uint64_t header,
                         struct pcr_error *err)
{
    if (type == 'g') /* of all members; none of it matters here */
        return pass(t, nbytes, header, err);
    if (nbytes > LONGEST_NAME) {
        t->next.is_bad = true;
        int failed = pcri_container_damaged(
            t->s, NULL, header, err, "an extended header of more than %d bytes", LONGEST_NAME);
        return failed ? failed : pass(t, nbytes, header, err);
    }
    int rc = read_text(t, nbytes, header, &t->text, err);
    if (rc || t->stop)
        return rc;
    if (type == 'x' || type == 'X')
        return take_pax(t, header, err);
    struct pcr_buffer *b = type == 'L' ? &t->next.path : &t->next.link;
    b->nbytes = 0;
    return pcri_print(b, err, "%s", (const char *) t->text.data);
}

/* --- members --- */

static struct pcri_member *add_member(struct tar *t, enum pcri_member_kind kind,
                                      uint64_t header, struct pcr_error *err)
{
    struct pcri_member *m = pcri_members_add(&t->members, text_of(&t->name), kind, err);
    if (m)
        m->header = header;
    return m;
}

static int set_member_text(struct tar *t, struct pcri_member *m, const char *text, size_t n,
                           struct pcr_error *err)
{
    m->text = pcri_arena_strndup(&t->members.arena, text, n, err);
    m->text_nbytes = n;
    return m->text ? 0 : PCR_ERR_NOMEM;
}

/* Copies a member's bytes, of which the first were read, into the spool. */
static int spool(struct tar *t, struct pcri_member *m, const uint8_t *first,
                 size_t first_nbytes, struct pcr_error *err)
{
    enum { PIECE = 256 << 10 };
    uint64_t left = m->nbytes - first_nbytes;
    const uint64_t header = m->header;
    m->spooled = true;
    m->offset = t->s->spool_nbytes;
    int rc = pcri_buffer_reserve(&t->text, PIECE, err);
    if (!rc)
        rc = pcri_container_put(t->s, first, first_nbytes, err);
    while (left && !rc && !t->stop) {
        size_t got = 0, n = left < PIECE ? (size_t) left : PIECE;
        rc = read_bytes(t, t->text.data, n, &got, err);
        if (!rc && !t->stop && got < n)
            rc = fail_cut_off(t, header, err);
        else if (!rc && !t->stop)
            rc = pcri_container_put(t->s, t->text.data, got, err);
        left -= got;
    }
    return rc;
}

/* Another part, of few bytes: it is kept as text, or spooled. */
static int take_text(struct tar *t, struct pcri_member *m, const uint8_t *first, size_t got,
                     struct pcr_error *err)
{
    const size_t nbytes = (size_t) m->nbytes;
    struct pcr_buffer *b = &t->text;
    int rc = read_text(t, nbytes - got, m->header, b, err);
    if (!rc && !t->stop)
        rc = pcri_buffer_reserve(b, nbytes + 1, err);
    if (rc || t->stop)
        return rc;
    memmove(b->data + got, b->data, nbytes - got);
    memcpy(b->data, first, got);
    const char *text = (const char *) b->data;
    const bool plain = pcri_sequential_is_plain(t->in);
    if (pcri_member_keeps_text(t->s, m->name, text, nbytes)) {
        m->is_only_text = !plain;
        return set_member_text(t, m, text, nbytes, err);
    }
    if (plain)
        return 0;
    m->spooled = true;
    m->offset = t->s->spool_nbytes;
    return pcri_container_put(t->s, text, nbytes, err);
}

/* Mode and time of a member; numbers that make no sense are not known. */
static struct pcr_file_info get_info(const struct tar *t, const uint8_t *block)
{
    struct pcr_file_info info = { 0 };
    uint64_t mode, seconds;
    if (get_field(block, MODE, &mode)) {
        info.known |= PCR_FILE_MODE;
        info.mode = mode & 0777;
    }
    if (t->next.has_mtime) { /* what the header says then is not so */
        info.known |= t->next.knows_mtime ? PCR_FILE_TIME : 0;
        info.mtime_ns = t->next.knows_mtime ? t->next.mtime_ns : 0;
    } else if (get_field(block, MTIME, &seconds) && seconds < INT64_MAX / 1000000000) {
        info.known |= PCR_FILE_TIME;
        info.mtime_ns = (int64_t) seconds * 1000000000;
    }
    return info;
}

/* A member with bytes. What it is may be known by its first ones only. */
static int take_file(struct tar *t, const uint8_t *block, uint64_t nbytes, uint64_t header,
                     struct pcr_error *err)
{
    uint8_t first[16];
    size_t got = 0;
    enum pcri_member_kind kind = pcri_member_kind(text_of(&t->name));
    const uint64_t offset = pcri_sequential_position(t->in);
    const bool plain = pcri_sequential_is_plain(t->in);
    int rc = 0;
    if (kind == PCRI_MEMBER_IGNORED) {
        t->members.ignored++;
        return pass(t, nbytes, header, err);
    }
    if (kind == PCRI_MEMBER_UNKNOWN) {
        const size_t n = nbytes < sizeof(first) ? (size_t) nbytes : sizeof(first);
        rc = read_bytes(t, first, n, &got, err);
        if (rc || t->stop || got < n)
            return rc || t->stop ? rc : fail_cut_off(t, header, err);
        kind = pcri_is_image_start(first, got) ? PCRI_MEMBER_IMAGE : PCRI_MEMBER_OTHER;
    }
    struct pcri_member *m = add_member(t, kind, header, err);
    if (!m)
        return PCR_ERR_NOMEM;
    m->nbytes = nbytes;
    m->offset = offset;
    m->info = get_info(t, block);
    if (kind == PCRI_MEMBER_OTHER && pcri_member_wants_text(m->name, nbytes))
        rc = take_text(t, m, first, got, err);
    else if (!plain)
        rc = spool(t, m, first, got, err);
    else
        rc = pass(t, nbytes - got, header, err);
    if (t->stop) /* what there is of it is of no use */
        t->members.count--;
    return rc;
}

/* A link's target, as a path in the archive. */
static int take_link(struct tar *t, const uint8_t *block, uint64_t header,
                     struct pcr_error *err)
{
    const char *name = text_of(&t->name), *slash = strrchr(name, '/');
    const bool symbolic = block[TYPE_AT] == '2';
    struct pcr_buffer *b = &t->text;
    if (pcri_member_kind(name) == PCRI_MEMBER_IGNORED) {
        t->members.ignored++;
        return 0;
    }
    int rc = 0;
    if (!t->next.link.nbytes)
        rc = set_text(&t->next.link, block, LINK_NAME, err);
    b->nbytes = 0;
    const char *to = text_of(&t->next.link);
    if (!rc && symbolic && slash && *to != '/')
        rc = pcri_print(b, err, "%.*s/%s", (int) (slash - name), name, to);
    else if (!rc)
        rc = pcri_print(b, err, "%s%s%s", t->folder, *t->folder ? "/" : "", to);
    const char *safe = rc ? NULL : pcri_safe_key(text_of(b), &t->members.arena, err);
    struct pcri_member *m = safe ? add_member(t, PCRI_MEMBER_LINK, header, err) : NULL;
    if (rc || !m)
        return rc ? rc : PCR_ERR_NOMEM;
    return set_member_text(t, m, safe, strlen(safe), err);
}

static int take_sparse(struct tar *t, const uint8_t *block, uint64_t nbytes, uint64_t header,
                       struct pcr_error *err)
{
    uint8_t more[BLOCK];
    size_t got = BLOCK;
    int rc = 0;
    bool follows = block[TYPE_AT] == 'S' && block[SPARSE_MORE_AT];
    while (follows && !rc && !t->stop) {
        rc = read_bytes(t, more, BLOCK, &got, err);
        follows = !rc && got == BLOCK && more[SPARSE_AGAIN_AT];
        if (!rc && !t->stop && got < BLOCK)
            rc = fail_cut_off(t, header, err);
    }
    if (!rc && !t->stop)
        rc = pcri_container_leave_out(t->s, NULL, text_of(&t->name), err,
                                      "a sparse member, which is not read");
    return rc || t->stop ? rc : pass(t, nbytes, header, err);
}

/* --- the archive --- */

static int scan(struct tar *t, struct pcr_error *err);

static bool is_tar_name(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcasecmp(name + n - 4, ".tar");
}

/* A tar in a tar: its members are in a folder of its name, as of ILSVRC2012_img_train.tar. */
static int take_inner(struct tar *t, uint64_t nbytes, uint64_t header, struct pcr_error *err)
{
    const uint64_t begin = pcri_sequential_position(t->in), end = t->end;
    if (nbytes > t->end - begin)
        return fail_cut_off(t, header, err);
    t->folder = pcri_arena_strndup(&t->members.arena, text_of(&t->name), t->name.nbytes - 4,
                                   err);
    if (!t->folder)
        return PCR_ERR_NOMEM;
    t->end = begin + nbytes;
    forget_extended(t);
    int rc = scan(t, err);
    const uint64_t at = pcri_sequential_position(t->in);
    t->folder = "";
    t->end = end;
    t->skipping = t->stop = false;
    return rc || at == begin + nbytes ? rc : pass(t, begin + nbytes - at, header, err);
}

static int take_member(struct tar *t, const uint8_t *block, uint64_t header,
                       struct pcr_error *err)
{
    const char type = (char) block[TYPE_AT];
    uint64_t nbytes = 0;
    int rc = get_name(t, block, err);
    if (rc)
        return rc;
    if (!get_field(block, SIZE, &nbytes) || nbytes > INT64_MAX - BLOCK) {
        t->skipping = true;
        return pcri_container_damaged(t->s, NULL, header, err, "'%.200s' has no valid size",
                                      text_of(&t->name));
    }
    if (strchr("xXgLK", type) && type) {
        rc = take_extended(t, type, nbytes, header, err);
        return rc ? rc : pass_padding(t, nbytes, err);
    }
    if (t->next.has_nbytes)
        nbytes = t->next.nbytes;
    if (t->next.is_bad) {
        rc = pass(t, nbytes, header, err);
    } else if (type == '1' || type == '2') {
        nbytes = 0; /* of hard links some programs give the target's */
        rc = take_link(t, block, header, err);
    } else if (type && strchr("3456", type)) {
        nbytes = 0; /* devices, folders and pipes */
    } else if (type == 'S' || t->next.is_sparse) {
        rc = take_sparse(t, block, nbytes, header, err);
    } else if ((type && strchr("DVMN", type)) ||
               (t->name.nbytes && t->name.data[t->name.nbytes - 1] == '/')) {
        rc = pass(t, nbytes, header,
                  err); /* GNU's lists of folders, names, parts of volumes */
    } else if (!*t->folder && is_tar_name(text_of(&t->name))) {
        rc = take_inner(t, nbytes, header, err);
    } else {
        rc = take_file(t, block, nbytes, header, err);
    }
    forget_extended(t);
    return rc ? rc : pass_padding(t, nbytes, err);
}

/* The end of what there is. */
static int end_archive(struct tar *t, size_t got, uint64_t at, int zeros,
                       struct pcr_error *err)
{
    t->stop = t->end == UINT64_MAX;
    if (!at)
        return pcri_fail(err, PCR_ERR_INVAL, "%s: %s", t->s->path,
                         got ? "too short to be a tar archive" : "an empty file");
    if (got)
        return pcri_container_damaged(t->s, NULL, at, err, "cut off within a header");
    if (!zeros && !t->skipping)
        return pcri_container_damaged(t->s, NULL, at, err,
                                      "cut off: the blocks that end an archive are missing");
    return 0;
}

static int begin_skipping(struct tar *t, uint64_t at, int zeros, struct pcr_error *err)
{
    t->skipping = true;
    forget_extended(t);
    return pcri_container_damaged(t->s, NULL, at, err,
                                  zeros ? "neither zeros nor an archive follows its end"
                                        : "no valid header: its checksum is wrong");
}

static int scan(struct tar *t, struct pcr_error *err)
{
    uint8_t block[BLOCK];
    int rc = 0, zeros = 0;
    while (!rc && !t->stop) {
        size_t got = 0;
        const uint64_t at = pcri_sequential_position(t->in);
        rc = read_bytes(t, block, BLOCK, &got, err);
        if (rc || t->stop)
            break;
        if (got < BLOCK)
            return end_archive(t, is_zero(block, got) ? 0 : got, at, zeros, err);
        if (is_zero(block, BLOCK)) {
            zeros++;
            continue;
        }
        if (!is_header(block) || (t->skipping && !has_magic(block))) {
            rc = t->skipping ? 0 : begin_skipping(t, at, zeros, err);
            continue;
        }
        if (zeros)
            rc = pcri_container_note(t->s, err,
                                     "%s: another archive follows the end, and is read "
                                     "too",
                                     t->s->path);
        t->skipping = false;
        zeros = 0;
        if (!rc)
            rc = take_member(t, block, at, err);
    }
    return rc;
}

static int scan_tar(struct pcri_container *s, struct pcr_error *err)
{
    struct tar t = {
        .s = s, .folder = "", .end = UINT64_MAX, .members.arena.folder = s->e->folder
    };
    int rc = pcri_sequential_open(s->path, "?", &t.in, err);
    if (!rc)
        rc = scan(&t, err);
    if (!rc)
        rc = pcri_members_finish(s, &t.members, err);
    pcri_sequential_close(&t.in);
    pcri_members_free(&t.members);
    pcr_buffer_free(&t.next.path);
    pcr_buffer_free(&t.next.link);
    pcr_buffer_free(&t.name);
    pcr_buffer_free(&t.text);
    return rc;
}

static const char *const endings[] = { ".tar",    ".tar.gz", ".tgz",     ".tar.zst", ".tzst",
                                       ".tar.xz", ".txz",    ".tar.bz2", NULL };

static bool probe(const struct pcri_candidate *c)
{
    const char *name = c->path;
    const size_t n = strlen(name);
    if (c->is_stream)
        return true;
    if (!S_ISREG(c->st.st_mode))
        return false;
    for (size_t i = 0; endings[i]; i++)
        if (n > strlen(endings[i]) && !strcasecmp(name + n - strlen(endings[i]), endings[i]))
            return true;
    return c->head_nbytes >= BLOCK && has_magic(c->head) && is_header(c->head);
}

const struct pcri_importer pcri_import_tar = {
    .name = "tar",
    .probe = probe,
    .scan = scan_tar,
    .finish = pcri_archives_finish,
    .endings = endings,
};
