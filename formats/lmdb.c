/* SPDX-License-Identifier: BSD-2-Clause */
/* LMDB environments whose values are image files, Caffe's Datum messages, or image-N and label-N.
 *
 * The B+tree is read here: a damaged or hostile file then is an error, and large values, which lie
 * in pages of their own, are read from where they are. Numbers are little-endian, of a 64-bit
 * system. Pages 0 and 1 describe the trees; the one with the later transaction counts. A page
 * begins with 16 bytes of head, then the places of its nodes. */
#include <stdio.h>
#include <stdlib.h>

#include "../libpcr/io/io.h"
#include "../libpcr/io/storage.h"
#include "../libpcr/io/stream.h"
#include "example.h"
#include "folder_names.h"
#include "protobuf.h"

enum { HEAD = 16, NODE = 8, META_NBYTES = 152, MOST_DEPTH = 32 };
enum {
    META_MAGIC = 16,
    META_VERSION = 20,
    META_PAGE_NBYTES = 40,
    META_MAIN = 88,
    META_TXN = 144
};
enum { DB_NBYTES = 48, DB_FLAGS = 4, DB_ROOT = 40 };
enum { PAGE_BRANCH = 1, PAGE_LEAF = 2 };
enum { NODE_BIG = 1, NODE_TREE = 2, NODE_DUPLICATES = 4 };
static const uint64_t no_page = UINT64_MAX;

struct lmdb {
    struct pcri_container *s;
    const char *path;
    struct pcri_file_stream *stream;
    struct pcri_example x;
    uint64_t page_nbytes, pages_left; /* a page that is visited twice is a circle */
    uint8_t *pages[MOST_DEPTH];
    size_t row; /* the first one of this file that may still get a text */
};

/* The key and value of a node. */
struct lmdb_entry {
    const uint8_t *key, *value;
    size_t key_nbytes, nbytes;
    uint64_t offset; /* of the value in the file */
};

static bool is_meta(const uint8_t *p, size_t nbytes)
{
    return nbytes >= META_NBYTES && pcri_load32(p + META_MAGIC) == 0xbeefc0deu;
}

static bool probe(const struct pcri_candidate *c)
{
    uint8_t head[META_NBYTES];
    size_t n = 0;
    if (!S_ISDIR(c->st.st_mode))
        return is_meta(c->head, c->head_nbytes);
    char path[4096]; /* no memory is taken, so that a lack of it does not change the answer */
    int length = snprintf(path, sizeof(path), "%s/data.mdb", c->path);
    return length > 0 && (size_t) length < sizeof(path) &&
           !pcri_read_beginning(path, head, sizeof(head), &n, NULL) && is_meta(head, n);
}

static int damaged(struct lmdb *b, uint64_t offset, const char *what, struct pcr_error *err)
{
    return pcri_container_damaged(b->s, b->path, offset, err, "%s", what);
}

/* --- values --- */

static int add_image(struct lmdb *b, const struct lmdb_entry *e, struct pcr_error *err)
{
    struct pcri_value *v = pcri_example_value(&b->x, "image", 5, err);
    if (!v)
        return PCR_ERR_NOMEM;
    v->data = e->value;
    v->nbytes = e->nbytes;
    v->offset = e->offset;
    return 0;
}

/* Caffe's Datum: data = 4, label = 5, encoded = 7. False if it is none. */
static bool parse_datum(const struct lmdb_entry *e, struct lmdb_entry *image, int64_t *label,
                        bool *encoded)
{
    struct pcri_cursor m = pcri_wire_message(e->value, e->nbytes);
    struct pcri_wire_field f;
    *image = (struct lmdb_entry) { 0 };
    *encoded = false;
    *label = 0;
    while (pcri_wire_next(&m, &f)) {
        if (f.number == 4 && f.type == PCRI_WIRE_BYTES) {
            image->value = f.data;
            image->nbytes = f.nbytes;
            image->offset = e->offset + (size_t) (f.data - e->value);
        } else if (f.number == 5 && f.type == PCRI_WIRE_VARINT) {
            *label = (int64_t) f.value;
        } else if (f.number == 7 && f.type == PCRI_WIRE_VARINT) {
            *encoded = f.value;
        } else if (f.number > 7) {
            return false;
        }
    }
    return !m.bad && image->value;
}

static int add_datum(struct lmdb *b, const struct lmdb_entry *image, int64_t label,
                     struct pcr_error *err)
{
    int rc = add_image(b, image, err);
    struct pcri_value *v = rc ? NULL : pcri_example_value(&b->x, "label", 5, err);
    if (v && !(v->json = json_integer((json_int_t) label)))
        return pcri_fail_nomem(err, 64);
    return v ? 0 : PCR_ERR_NOMEM;
}

/* Keys that tell of the others: how many there are, which. */
static bool is_about_others(const struct lmdb_entry *e)
{
    static const char *const names[] = { "__len__", "__keys__", "num-samples", "length",
                                         "classnames" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == e->key_nbytes && !memcmp(names[i], e->key, e->key_nbytes))
            return true;
    return false;
}

static const char *why_not(const struct lmdb_entry *e, bool is_datum)
{
    if (is_datum)
        return "a Datum of pixels: make the dataset from the original images";
    if (e->nbytes > 2 && e->value[0] == 0x80 && e->value[1] >= 2 && e->value[1] <= 5)
        return "a pickle, which is never read";
    return "neither an image nor Caffe's Datum";
}

/* The key of a sample: its own, or if that is no text, in hexadecimal. */
static int add_key(struct lmdb *b, const struct lmdb_entry *e, struct pcr_error *err)
{
    struct pcri_value *v = pcri_example_value(&b->x, "key", 3, err);
    char hex[1100];
    if (!v)
        return PCR_ERR_NOMEM;
    if (pcri_value_is_text(e->key, e->key_nbytes)) {
        v->json = json_stringn((const char *) e->key, e->key_nbytes);
    } else {
        for (size_t i = 0; i < e->key_nbytes && i < 511; i++)
            snprintf(hex + 2 * i, 3, "%02x", e->key[i]);
        v->json = json_string(hex);
    }
    return v->json ? 0 : pcri_fail_nomem(err, 64);
}

/* A text that belongs to an image: label-N, of image-N. It is kept for that. */
static int keep_text(struct lmdb *b, const struct lmdb_entry *e, bool *kept,
                     struct pcr_error *err)
{
    static const char prefix[] = "label-";
    char name[64] = "image-";
    size_t n = sizeof(prefix) - 1;
    *kept = e->key_nbytes > n && e->key_nbytes < sizeof(name) && !memcmp(e->key, prefix, n) &&
            pcri_value_is_text(e->value, e->nbytes);
    if (!*kept)
        return 0;
    memcpy(name + n, e->key + n, e->key_nbytes - n);
    for (; b->row < b->s->rows->count; b->row++) { /* keys come in their order */
        struct pcri_list_row *row = pcri_list_at(b->s->rows, b->row);
        int order = strcmp(row->key, name);
        if (order > 0)
            break;
        if (order)
            continue;
        json_t *text = json_stringn((const char *) e->value, e->nbytes);
        json_t *object = text ? json_object() : NULL;
        int rc = object && !json_object_set(object, "label", text)
                     ? pcri_row_attributes(b->s->rows, row, object, err)
                     : pcri_fail_nomem(err, 64);
        json_decref(text);
        json_decref(object);
        return rc;
    }
    return 0;
}

static int add_entry(struct lmdb *b, const struct lmdb_entry *e, struct pcr_error *err)
{
    struct lmdb_entry image = { 0 };
    int64_t label = 0;
    bool encoded = false, datum = false, kept = false;
    int rc = keep_text(b, e, &kept, err);
    if (rc || kept || is_about_others(e))
        return rc;
    pcri_example_clear(&b->x);
    b->x.offset = e->offset;
    if (pcri_is_image_start(e->value, e->nbytes)) {
        rc = add_image(b, e, err);
    } else {
        datum = parse_datum(e, &image, &label, &encoded);
        if (!datum || (!encoded && !pcri_is_image_start(image.value, image.nbytes)))
            return pcri_container_damaged(b->s, b->path, e->offset, err,
                                          "the value of '%.*s' is %s",
                                          (int) (e->key_nbytes < 100 ? e->key_nbytes : 100),
                                          (const char *) e->key, why_not(e, datum));
        rc = add_datum(b, &image, label, err);
    }
    if (!rc)
        rc = add_key(b, e, err);
    if (!rc)
        rc = pcri_example_add(b->s, &b->x, err);
    b->x.number++;
    return rc;
}

/* --- the tree --- */

static int walk(struct lmdb *b, uint64_t page, unsigned depth, struct pcr_error *err);

/* A leaf's node. */
static int take_node(struct lmdb *b, const uint8_t *node, size_t left, uint64_t offset,
                     unsigned depth, struct pcr_error *err)
{
    size_t nbytes = pcri_load16(node) | (size_t) pcri_load16(node + 2) << 16;
    unsigned flags = pcri_load16(node + 4);
    struct lmdb_entry e = { .key = node + NODE, .key_nbytes = pcri_load16(node + 6) };
    size_t before = NODE + e.key_nbytes, here = flags & NODE_BIG ? 8 : nbytes;
    if (before > left || here > left - before)
        return damaged(b, offset, "a node goes beyond its page", err);
    e.value = node + before;
    e.nbytes = nbytes;
    e.offset = offset + before;
    if (flags & NODE_DUPLICATES)
        return pcri_container_note(b->s, err, "several values of one key are left out");
    if (flags & NODE_TREE)
        return nbytes < DB_NBYTES ? damaged(b, offset, "a database without a description", err)
                                  : walk(b, pcri_load64(e.value + DB_ROOT), depth + 1, err);
    if (flags & NODE_BIG) {
        uint64_t page = pcri_load64(e.value), end = pcri_stream_nbytes(b->stream);
        size_t have = 0;
        e.offset = page * b->page_nbytes + HEAD;
        int rc = page > end / b->page_nbytes || e.offset > end || nbytes > end - e.offset ||
                         nbytes > PCRI_STREAM_MOST
                     ? 0
                     : pcri_stream_get(b->stream, e.offset, nbytes, &e.value, &have, err);
        if (rc || have < nbytes || !have)
            return rc ? rc : damaged(b, offset, "a value is not in the file", err);
    }
    return add_entry(b, &e, err);
}

static int read_page(struct lmdb *b, uint64_t page, unsigned depth, bool *there,
                     struct pcr_error *err)
{
    const uint8_t *p;
    size_t have = 0, n = (size_t) b->page_nbytes;
    uint64_t end = pcri_stream_nbytes(b->stream);
    int rc = page >= end / n ? 0 : pcri_stream_get(b->stream, page * n, n, &p, &have, err);
    *there = !rc && have == n && depth < MOST_DEPTH && b->pages_left;
    if (rc)
        return rc;
    if (!*there)
        return damaged(b, page >= end / n ? 0 : page * n,
                       "a page is not in the file, or part of a circle", err);
    b->pages_left--;
    if (!b->pages[depth] && !(b->pages[depth] = pcri_malloc(n, 1, err)))
        return PCR_ERR_NOMEM;
    memcpy(b->pages[depth], p, n);
    return 0;
}

static int walk(struct lmdb *b, uint64_t page, unsigned depth, struct pcr_error *err)
{
    bool there = false;
    int rc = page == no_page ? 0 : read_page(b, page, depth, &there, err);
    if (rc || !there)
        return rc;
    const uint8_t *p = b->pages[depth];
    const uint64_t begin = page * b->page_nbytes;
    unsigned flags = pcri_load16(p + 10), lower = pcri_load16(p + 12);
    if (!(flags & (PAGE_BRANCH | PAGE_LEAF)) || flags & ~0x13u || lower < HEAD ||
        lower > b->page_nbytes)
        return damaged(b, begin, "a page that is neither a branch nor a leaf", err);
    for (unsigned i = 0; i < (lower - HEAD) / 2 && !rc; i++) {
        unsigned at = pcri_load16(p + HEAD + 2 * i);
        if (at < lower || at + NODE > b->page_nbytes)
            rc = damaged(b, begin + HEAD + 2 * i, "a node that is not in its page", err);
        else if (flags & PAGE_LEAF)
            rc = take_node(b, p + at, b->page_nbytes - at, begin + at, depth, err);
        else
            rc = walk(b, pcri_load32(p + at) | (uint64_t) pcri_load16(p + at + 4) << 32,
                      depth + 1, err);
    }
    return rc;
}

/* --- the environment --- */

/* The description that counts, of pages 0 and 1. *root: no_page if there is none. */
static int read_metas(struct lmdb *b, uint64_t *root, struct pcr_error *err)
{
    uint64_t latest = 0;
    bool found = false;
    *root = no_page;
    for (int i = 0; i < 2; i++) {
        const uint8_t *p;
        size_t have;
        int rc = pcri_stream_get(b->stream, i ? b->page_nbytes : 0, META_NBYTES, &p, &have,
                                 err);
        if (rc)
            return rc;
        if (!is_meta(p, have))
            continue;
        if (pcri_load32(p + META_VERSION) != 1)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED, "%s: version %lu of LMDB, expected 1",
                             b->path, (unsigned long) pcri_load32(p + META_VERSION));
        uint64_t n = pcri_load32(p + META_PAGE_NBYTES);
        if (n < 512 || n > 65536 || n & (n - 1) || (i && n != b->page_nbytes))
            continue;
        b->page_nbytes = n;
        if (!found || pcri_load64(p + META_TXN) > latest) {
            latest = pcri_load64(p + META_TXN);
            *root = pcri_load64(p + META_MAIN + DB_ROOT);
            found = true;
        }
        if (pcri_load16(p + META_MAIN + DB_FLAGS) & 4)
            return pcri_fail(err, PCR_ERR_UNSUPPORTED, "%s: keys with several values",
                             b->path);
    }
    return found ? 0 : damaged(b, 0, "neither of its two first pages describes it", err);
}

static int scan(struct pcri_container *s, struct pcr_error *err)
{
    struct lmdb b = {
        .s = s, .path = s->path, .page_nbytes = 4096, .x = { .prefix = s->name }
    };
    uint64_t root = no_page;
    struct pcr_error why = { 0 };
    int rc = pcri_stream_open(b.path, NULL, &b.stream, &why);
    if (rc == PCR_ERR_IO && why.sys_errno == EISDIR) {
        b.path = pcri_arena_join(&s->e->arena, s->path, strlen(s->path), true, "data.mdb",
                                 err);
        rc = b.path ? pcri_stream_open(b.path, NULL, &b.stream, err) : PCR_ERR_NOMEM;
    } else {
        pcri_hand_on(err, rc, &why);
    }
    b.x.file = b.path;
    b.row = s->rows->count;
    if (!rc) {
        s->revision = pcri_stream_revision(b.stream);
        rc = read_metas(&b, &root, err);
    }
    b.pages_left = rc ? 0 : pcri_stream_nbytes(b.stream) / b.page_nbytes;
    if (!rc)
        rc = walk(&b, root, 0, err);
    for (int i = 0; i < MOST_DEPTH; i++)
        free(b.pages[i]);
    pcri_stream_close(&b.stream);
    pcri_example_free(&b.x);
    return rc;
}

static const char *const endings[] = { "data.mdb", ".lmdb", NULL };

const struct pcri_importer pcri_import_lmdb = {
    .name = "lmdb",
    .probe = probe,
    .scan = scan,
    .endings = endings,
};
